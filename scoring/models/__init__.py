"""From announced to read: the rows of scoring, one module a noun."""

from .budget import BudgetWindow, Hold, LedgerEntry
from .delivery import OutboxMail, Slot
from .editions import Candidate, Edition, FirstSeen
from .judging import Call, Provider, Score

__all__ = [
    "BudgetWindow",
    "Call",
    "Candidate",
    "Edition",
    "FirstSeen",
    "Hold",
    "LedgerEntry",
    "OutboxMail",
    "Provider",
    "Score",
    "Slot",
]
