"""From announced to read: the rows of scoring, one module a noun."""

from .budget import Alert, BudgetWindow, Hold, LedgerEntry, Spending
from .delivery import OutboxMail, Slot
from .editions import Candidate, Edition, FirstSeen
from .judging import Call, Score
from .providers import ModelChoice, Provider

__all__ = [
    "Alert",
    "BudgetWindow",
    "Call",
    "Candidate",
    "Edition",
    "FirstSeen",
    "Hold",
    "LedgerEntry",
    "ModelChoice",
    "OutboxMail",
    "Provider",
    "Score",
    "Slot",
    "Spending",
]
