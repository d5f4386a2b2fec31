"""Tokens, money and time as a reader is told them."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def short(tokens: int) -> str:
    """`950`, `312k`, `1.2M`: rounded down, so that what is left is never overstated by the limit."""
    if tokens < 1_000:
        return str(tokens)
    if tokens < 1_000_000:
        return f"{tokens // 1_000}k"
    if tokens < 10_000_000:
        return f"{tokens // 100_000 / 10:g}M"
    return f"{tokens // 1_000_000:,}M"


def dollars(microusd: int) -> str:
    """`$0.0041`, `$12.30`: cents from a dollar on, below it what can be seen."""
    amount = microusd / 1_000_000
    return f"${amount:,.2f}" if amount >= 1 or not microusd else f"${amount:.4f}"


def resets_in(left: dt.timedelta) -> str:
    """`resets in 9 h`: whole days from two on, whole hours from one on, else minutes, rounded down."""
    minutes = max(1, int(left.total_seconds() // 60))
    if minutes >= 2 * 24 * 60:
        days = minutes // (24 * 60)
        return ngettext("resets in %(n)s day", "resets in %(n)s days", days) % {"n": days}
    if minutes >= 60:
        return _("resets in %(n)s h") % {"n": minutes // 60}
    return _("resets in %(n)s min") % {"n": minutes}


def gone_of(gone: int, limit: int) -> str:
    return _("%(gone)s of %(limit)s tokens") % {"gone": short(gone), "limit": short(limit)}
