"""What the operator's pages share.

Rows that are only read, lists that do not count a whole table, links, and a question before a deed.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

MOST_COUNTED = 10_000
ROWS_SHOWN_BEFORE_A_DEED = 20


class BriefPaginator(Paginator):
    """Counts no further than MOST_COUNTED rows: a list of millions is searched and filtered, not leafed through."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[:MOST_COUNTED].count()


class BriefAdmin(admin.ModelAdmin):
    """A list of what may be a big table."""

    paginator = BriefPaginator
    show_full_result_count = False
    list_per_page = 50

    def link(self, row: Model | None, words: Any = None) -> SafeString | str:
        """To the row's own page, by these words or its own; a dash for none."""
        if row is None:
            return "–"
        try:
            address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        except NoReverseMatch:
            return str(words or row)
        return format_html('<a href="{}">{}</a>', address, words or row)

    def rows(self, model: type[Model], words: Any, **fit: Any) -> SafeString:
        """A link to the list of those rows of another table that fit."""
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        query = "&".join(f"{name}={value}" for name, value in fit.items())
        return format_html('<a href="{}?{}">{}</a>', address, query, words)


class ReadOnlyAdmin(BriefAdmin):
    """Rows that nobody makes, changes or deletes by hand, by an action neither."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def asked_first(question: Any) -> Callable[..., Any]:
    """Makes of an action one that asks first: the deed is done when the page of the question is sent."""

    def wrap(deed: Callable[[Any, HttpRequest, QuerySet[Any]], None]) -> Callable[..., Any]:
        def action(self: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
            if "confirmed" in request.POST:
                deed(self, request, chosen)
                return None
            context = {
                **self.admin_site.each_context(request),
                "title": question,
                "opts": self.model._meta,
                "action": request.POST.get("action", ""),
                "rows": chosen[:ROWS_SHOWN_BEFORE_A_DEED],
                "count": chosen.count(),
                "keys": chosen.values_list("pk", flat=True),
                "checkbox": ACTION_CHECKBOX_NAME,
                "takes_all": request.POST.get("select_across", "0"),
            }
            return TemplateResponse(request, "admin/asked_first.html", context)

        action.__name__ = deed.__name__
        action.__doc__ = deed.__doc__
        return action

    return wrap
