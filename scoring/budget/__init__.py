"""Tokens are held before a call and settled after it, in SQL, on every level at once.

`hold` asks all windows of a call's legs in one order (scope, subject, period), each by one conditional
UPDATE: decide and take are one statement. `mark_sent` is committed before the request. Exactly one of
`settle`, `release` and `assume` ends a hold, by compare-and-swap; `true_up` corrects an assumed one, once.
`reap` ends what a dead worker left. Why this shape: docs/decisions.
"""

from .changes import change_quota, reconcile
from .figures import Figure, figures_of, room
from .forecast import Forecast, day_of, forecast_of
from .gifts import give_top_up, left_of, revise_due, revoke_top_up
from .holds import (
    LEASE_SECONDS,
    HoldEnded,
    Refusal,
    assume,
    block,
    hold,
    mark_sent,
    prices_of,
    release,
    settle,
    true_up,
)
from .invariants import Violation, audit, unguarded
from .legs import Leg, NoPayer, legs_of
from .meter import Meter, meter_of, meter_with_forecast
from .reaper import Reaped, reap
from .sheet import Purse, Row, Sheet, purses_of, sheet_of

__all__ = [
    "LEASE_SECONDS",
    "Figure",
    "Forecast",
    "HoldEnded",
    "Leg",
    "Meter",
    "NoPayer",
    "Purse",
    "Reaped",
    "Refusal",
    "Row",
    "Sheet",
    "Violation",
    "assume",
    "audit",
    "block",
    "change_quota",
    "day_of",
    "figures_of",
    "forecast_of",
    "give_top_up",
    "hold",
    "left_of",
    "legs_of",
    "mark_sent",
    "meter_of",
    "meter_with_forecast",
    "prices_of",
    "purses_of",
    "reap",
    "reconcile",
    "release",
    "revise_due",
    "revoke_top_up",
    "room",
    "settle",
    "sheet_of",
    "true_up",
    "unguarded",
]
