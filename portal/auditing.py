"""VERB. Every invariant of the house."""

from papers.models import Harvest
from scoring import accounts, budget
from scoring.budget import Violation


def audit_house() -> list[Violation]:
    """What is wrong anywhere: tokens, the account of every day, the counts of every harvest. Reads only."""
    return [*budget.audit(), *accounts.audit(), *_audit_harvests()]


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
