"""What each payer's day bought: `Spending`, sums of the ledger by profile, judge and kind of call.

Written by whoever ends a hold, in the same transaction, before the windows are locked: the order of locks is
spending, then windows, everywhere. A sum row has no foreign key in the database, which would lock its window
too early. The payer's window is the day of a member or of a team profile's share; a call that nobody's day
paid for (the operator's checks) has no row.
"""

from typing import Any

from django.db import connection
from django.db.models import F

from profiles.models import Profile, Scope
from scoring.models import BudgetWindow, Call, Hold, LedgerEntry, Spending
from scoring.usage import Usage

PAYERS = (Scope.MEMBER, Scope.SHARE)
FIGURES = (
    "calls",
    "papers",
    "used_tokens",
    "assumed_tokens",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_microusd",
)
_KEY = "window_id, profile_id, provider_model, kind"
_PAYS = "w.period = 'day' AND w.scope IN (3, 4)"

# The profile is read from the call as it stands: a reader who was forgotten meanwhile is not named again.
_ADD = f"""
INSERT INTO scoring_spending ({_KEY}, {", ".join(FIGURES)})
SELECT w.id, c.profile_id, c.provider_model, c.kind, {", ".join(["%s"] * len(FIGURES))}
FROM scoring_ledgerentry l
JOIN scoring_budgetwindow w ON w.id = l.window_id
JOIN scoring_call c ON c.id = %s
WHERE l.hold_id = %s AND l.kind = 'hold' AND {_PAYS}
ON CONFLICT ({_KEY}) DO UPDATE SET {", ".join(f"{name} = scoring_spending.{name} + excluded.{name}" for name in FIGURES)}
"""

# The stored sums, less those of the ledger and of the scores: a group that is not all zero is wrong. Sums of
# a profile that is no more count as nobody's; and nobody's scores were erased, so that their number is free.
_BOOKED = f"""
SELECT l.window_id, c.profile_id, c.provider_model, c.kind,
    -SUM(CASE WHEN l.kind = 'true_up' THEN 0 ELSE 1 END) AS calls, 0 AS papers, -SUM(l.tokens) AS used_tokens,
    -SUM(CASE WHEN (l.kind = 'assume' AND NOT h.is_trued_up) OR (l.kind = 'settle' AND h.is_flagged)
         THEN l.tokens ELSE 0 END) AS assumed_tokens,
    -SUM(l.input_tokens) AS input_tokens, -SUM(l.cached_tokens) AS cached_tokens,
    -SUM(l.output_tokens) AS output_tokens, -SUM(l.reasoning_tokens) AS reasoning_tokens,
    -SUM(l.cost_microusd) AS cost_microusd
FROM scoring_ledgerentry l
JOIN scoring_budgetwindow w ON w.id = l.window_id
JOIN scoring_hold h ON h.id = l.hold_id
JOIN scoring_call c ON c.id = h.call_id
WHERE l.kind IN ('settle', 'assume', 'true_up') AND {_PAYS} %(one)s
GROUP BY l.window_id, c.profile_id, c.provider_model, c.kind
"""
_SCORED = f"""
SELECT l.window_id, c.profile_id, c.provider_model, c.kind, 0, -COUNT(*), 0, 0, 0, 0, 0, 0, 0
FROM scoring_score s
JOIN scoring_call c ON c.id = s.call_id
JOIN scoring_hold h ON h.call_id = c.id
JOIN scoring_ledgerentry l ON l.hold_id = h.id AND l.kind = 'hold'
JOIN scoring_budgetwindow w ON w.id = l.window_id
WHERE {_PAYS} %(one)s
GROUP BY l.window_id, c.profile_id, c.provider_model, c.kind
"""
_STORED = f"""
SELECT l.window_id, p.id, l.provider_model, l.kind, {", ".join(f"l.{name}" for name in FIGURES)}
FROM scoring_spending l LEFT JOIN profiles_profile p ON p.id = l.profile_id
WHERE TRUE %(one)s
"""
_DIFFERENCES = f"""
SELECT {_KEY}, {", ".join(f"SUM({name})" for name in FIGURES)}
FROM ({_BOOKED} UNION ALL {_SCORED} UNION ALL {_STORED}) AS sums
GROUP BY {_KEY}
HAVING {" OR ".join(f"SUM({name}) <> 0" for name in FIGURES if name != "papers")}
    OR (profile_id IS NOT NULL AND SUM(papers) <> 0)
"""

_REFILL = f"""
INSERT INTO scoring_spending ({_KEY}, {", ".join(FIGURES)})
SELECT {_KEY}, {", ".join(f"-SUM({name})" for name in FIGURES)}
FROM ({_BOOKED} UNION ALL {_SCORED}) AS sums
GROUP BY {_KEY}
"""


def add(hold: Hold, usage: Usage, tokens: int, assumed: int, cost_microusd: int, papers: int) -> None:
    """Add an ended hold to its payer's day; `assumed` of its tokens are not what a provider said.

    Call it in the transaction that ends the hold, after the call was written and before a window is locked.
    Nothing is written for a hold without a paying member or share.
    """
    figures = [1, papers, tokens, assumed, *_parts(usage), cost_microusd]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [*figures, hold.call_id, hold.pk])


def correct(hold: Hold, usage: Usage, more: int, dearer: int, assumed: int) -> None:
    """Put the true usage in the place of what was assumed; `more` and `dearer` are signed. As `add`."""
    call = Call.objects.only("profile_id", "provider_model", "kind").get(pk=hold.call_id)
    of_hold = LedgerEntry.objects.filter(hold=hold, kind=LedgerEntry.Kind.HOLD)
    rows = Spending.objects.filter(
        window__in=of_hold.values("window"),
        profile_id=call.profile_id,
        provider_model=call.provider_model,
        kind=call.kind,
        assumed_tokens__gte=assumed,
    )
    row = rows.order_by("pk").values("pk")[:1]
    names = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    Spending.objects.filter(pk__in=row).update(
        used_tokens=F("used_tokens") + more,
        assumed_tokens=F("assumed_tokens") - assumed,
        cost_microusd=F("cost_microusd") + dearer,
        **{name: F(name) + part for name, part in zip(names, _parts(usage), strict=True)},
    )


def _parts(usage: Usage) -> tuple[int, int, int, int]:
    return usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens


def differences(window_id: int | None = None) -> list[dict[str, Any]]:
    """Each sum that ledger and scores do not explain, with what is stored too much of each figure.

    All windows, or one. Reads only, and only what is wrong comes out of the database.
    """
    one = "" if window_id is None else f"AND l.window_id = {int(window_id)}"
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES % {"one": one})
        names = ("window_id", "profile_id", "provider_model", "kind", *FIGURES)
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def lock(window_id: int) -> None:
    """The sums of one window, theirs until the transaction's end: before the window itself."""
    list(Spending.objects.filter(window=window_id).order_by("pk").select_for_update().values_list("pk"))


def repair(window: BudgetWindow) -> int:
    """Make the sums of a window what ledger and scores say; how many were wrong. Safe to repeat.

    Needs `lock`, then the window's lock. How many papers nobody's sums had read is kept: their scores are gone.
    """
    wrong = differences(window.pk)
    if not wrong:
        return 0
    stored = Spending.objects.filter(window=window)
    nobodys = stored.exclude(profile_id__in=Profile.objects.values("pk")) | stored.filter(profile_id=None)
    of_nobody = {(row.provider_model, row.kind): row.papers for row in nobodys.order_by("pk")}
    stored.delete()
    with connection.cursor() as cursor:
        cursor.execute(_REFILL % {"one": f"AND l.window_id = {window.pk}"})
    for row in Spending.objects.filter(window=window, profile_id=None):
        row.papers = of_nobody.get((row.provider_model, row.kind), 0)
        row.save(update_fields=["papers"])
    return len(wrong)
