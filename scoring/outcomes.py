"""FACTS: what became of a paper or a call, from the code that a row keeps to words in the viewer's language."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# Why a paper was given up: `Candidate.failure`.
FAILURES: dict[str, Any] = {
    "garbled": _("its answer could not be read"),
    "cut": _("its answer was cut off"),
    "missing": _("its answer left the paper out"),
    "bad_row": _("its scores broke the rules"),
    "refused": _("it refused to answer"),
    "rejected": _("the server rejected the request"),
    "too_long": _("the text is too long for it"),
    "poison": _("reading it ended the worker each time"),
}

# How one attempt ended: `Call.outcome`. A failure's code may stand here too.
OUTCOMES: dict[str, Any] = {
    "judged": _("read"),
    "partial": _("read in part"),
    "lost": _("came too late"),
    "repaired": _("reasons repaired"),
    "useless": _("brought nothing usable"),
    "explained": _("explained"),
    "doctor": _("a check by the operator"),
    "timeout": _("no answer in time"),
    "connection_lost": _("connection lost"),
}


def failure_told(code: str) -> Any:
    """The class of a failure in words; the code itself where a newer worker wrote one that is not known here."""
    return FAILURES.get(code, code)


def outcome_told(code: str) -> Any:
    return OUTCOMES.get(code) or FAILURES.get(code, code)
