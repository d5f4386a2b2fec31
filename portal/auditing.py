"""VERB. Every invariant of the house."""

from papers import surging
from papers.models import Harvest
from profiles import audit
from scoring import accounts, budget
from scoring.budget import Violation


def audit_house() -> list[Violation]:
    """What is wrong anywhere: tokens, each day's account, each harvest's counts, stray marks, guards that are gone. Reads only."""
    return [*budget.audit(), *accounts.audit(), *_audit_harvests(), *_audit_marks(), *_audit_guards()]


def _audit_guards() -> list[Violation]:
    """Whether ledger and trail are guarded. That no row is missing cannot be proved: ids have gaps anyway."""
    return [
        Violation("ledger and audit trail only grow, by a guard in the database", name, {"missing": 1})
        for name in (*audit.unguarded(), *budget.unguarded())
    ]


def _audit_marks() -> list[Violation]:
    return [
        Violation("what is parked waits for a decision", f"{category} on {day}", {"parked": count})
        for day, category, count in surging.undecided_marks()
    ]


def _audit_harvests() -> list[Violation]:
    return [
        Violation(
            "announced = stored + without text + skipped",
            f"harvest {harvest.pk} of {harvest.day} {harvest.category}",
            {
                "announced": harvest.announced,
                "stored": harvest.stored,
                "without_text": harvest.without_text,
                "skipped": harvest.skipped,
            },
        )
        for harvest in Harvest.objects.unbalanced()
    ]
