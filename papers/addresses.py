"""How papers and days stand in an address: `/papers/2601.21821/`, `/papers/hep-th/9901001/`, `/feed/2026-01-30/`."""

import datetime as dt

from django.urls import register_converter

from . import calendar


class ArxivId:
    regex = r"[0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Day:
    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> dt.date:
        day = dt.date.fromisoformat(value)
        if day < calendar.FIRST_DAY:
            raise ValueError("before arXiv")
        return day

    def to_url(self, value: dt.date) -> str:
        return value.isoformat()


def register() -> None:
    """Make `<arxiv_id:…>` and `<day:…>` known to the resolver."""
    register_converter(ArxivId, "arxiv_id")
    register_converter(Day, "day")
