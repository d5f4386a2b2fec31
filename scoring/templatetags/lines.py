"""Texts in which no line may break where it would mislead."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString

from papers import markdown

register = template.Library()
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2})?|(?<= )--[a-z]+")


@register.filter
def one_line(text: str) -> str:
    """`{{ text|one_line }}`: for mails, where a line break in somebody's text could pass for a line of ours."""
    return markdown.one_line(str(text))


@register.filter
def whole_dates(text: str) -> SafeString:
    """`{{ text|whole_dates }}`: a date, with its time, or an option of a command is not broken at its hyphens."""
    return SafeString(_DATE.sub(r'<span class="whole">\g<0></span>', escape(text)))
