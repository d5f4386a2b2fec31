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
    "disbelieved": _("not believed: one paper above all, nothing for the rest"),
    "canary": _("not believed: a canary tripped"),
    "repaired": _("reasons repaired"),
    "useless": _("brought nothing usable"),
    "explained": _("explained"),
    "suggested": _("suggested terms"),
    "doctor": _("a check by the operator"),
    "checked": _("answered a check"),
    "timeout": _("no answer in time"),
    "connection_lost": _("connection lost"),
}

# Outcomes of calls that brought what was asked for, or an answer that we had no use for: the server is not at fault.
ANSWERED = frozenset(
    {
        "judged",
        "partial",
        "lost",
        "forgotten",
        "disbelieved",
        "canary",
        "repaired",
        "useless",
        "explained",
        "suggested",
        "doctor",
        "checked",
    }
)

# Why a provider's check brought no answer, or why it was stopped: `Provider.last_check`, `Provider.paused_reason`.
PROBLEMS: dict[str, Any] = {
    "by_hand": _("Paused by hand."),
    "unauthorized": _("The server does not accept the key."),
    "quota": _("The account at the provider is empty."),
    "forbidden": _("The server forbids this key to use the model."),
    "not_found": _("The server knows neither this address nor this model."),
    "redirected": _("The server sends on to another address. Type that address; none is followed."),
    "wrong_address": _("This is no address of a chat-completions server."),
    "address_refused": _(
        "The name leads to an address that is not public. The operator can allow its network "
        "with LLM_PRIVATE_ADDRESSES."
    ),
    "key_unreadable": _(
        "The stored key cannot be read any more, for a FIELD_KEY is gone: type the key again."
    ),
    "connection": _("The server cannot be reached."),
    "connection_lost": _("The connection broke off."),
    "timeout": _("No answer in time."),
    "deadline": _("No answer in time."),
    "rate_limited": _("The server asks to wait."),
    "server_error": _("The server has a fault of its own."),
    "garbled": _("It answered, and nothing of it could be read."),
    "rejected": _("The server rejects the request."),
    "too_long": _("Even this small question is too long for the model."),
    "refused": _("The model declined to answer."),
    "budget": _("A limit refuses even one small call."),
}


def problem_told(code: str) -> Any:
    """Why a provider does not read, in words; the code itself where it is not known here."""
    return PROBLEMS.get(code, code)


def failure_told(code: str) -> Any:
    """The class of a failure in words; the code itself where a newer worker wrote one that is not known here."""
    return FAILURES.get(code, code)


def outcome_told(code: str) -> Any:
    return OUTCOMES.get(code) or FAILURES.get(code, code)
