"""`{{ text|one_line }}`: for mails, where a line break in somebody's text could pass for a line of ours."""

from django import template

from papers import markdown

register = template.Library()


@register.filter
def one_line(text: str) -> str:
    return markdown.one_line(str(text))
