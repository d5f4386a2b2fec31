"""From announced to read: the rows of scoring, one module a noun."""

from .budget import Alert, BudgetWindow, Hold, LedgerEntry, Spending
from .delivery import OutboxMail, Slot
from .editions import Candidate, Edition, FirstSeen
from .judging import Call, Score
from .learning import Directions, JudgeConstancy, LearnerState, ModelScale
from .providers import ModelChoice, Provider
from .terms import SuggestedTerms

__all__ = [
    "Alert",
    "BudgetWindow",
    "Call",
    "Candidate",
    "Directions",
    "Edition",
    "FirstSeen",
    "Hold",
    "JudgeConstancy",
    "LearnerState",
    "LedgerEntry",
    "ModelChoice",
    "ModelScale",
    "OutboxMail",
    "Provider",
    "Score",
    "Slot",
    "Spending",
    "SuggestedTerms",
]
