"""The words of the audit trail: what each code of a deed and each figure in it is called.

A new code needs one line in WHAT, a new figure one in FIGURES; a test walks over all that the code records.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from profiles.models import Period, Role, Scope
from scoring.budget import words

WHAT: Mapping[str, Any] = {
    "account.factor_taken": gettext_lazy("Second factors taken away by the operator"),
    "account.locked": gettext_lazy("Account locked"),
    "account.opened": gettext_lazy("Account opened again"),
    "account.made": gettext_lazy("Account made by the operator"),
    "account.edited": gettext_lazy("Account edited by the operator"),
    "account.connected": gettext_lazy("Account connected with another provider"),
    "account.disconnected": gettext_lazy("Account disconnected from another provider"),
    "account.factor_added": gettext_lazy("Second factor added"),
    "account.factor_removed": gettext_lazy("Second factor removed"),
    "account.factor_reset": gettext_lazy("Recovery codes made anew"),
    "account.mail_added": gettext_lazy("Mail address added"),
    "account.mail_changed": gettext_lazy("Mail address changed"),
    "account.mail_confirmed": gettext_lazy("Mail address confirmed"),
    "account.mail_removed": gettext_lazy("Mail address removed"),
    "account.password_changed": gettext_lazy("Password changed"),
    "account.password_given": gettext_lazy("Password set by the operator"),
    "account.password_reset": gettext_lazy("Password reset by mail"),
    "account.password_set": gettext_lazy("Password set"),
    "account.signed_in": gettext_lazy("Signed in"),
    "account.signed_up": gettext_lazy("Signed up"),
    "data.taken": gettext_lazy("Took their data along"),
    "harvest.asked": gettext_lazy("arXiv asked again for a day"),
    "invitation.accepted": gettext_lazy("Invitation accepted"),
    "invitation.renewed": gettext_lazy("Invitation renewed"),
    "invitation.revoked": gettext_lazy("Invitation revoked"),
    "letters.retried": gettext_lazy("Refused letters queued again"),
    "member.added": gettext_lazy("Came into the team"),
    "member.invited": gettext_lazy("Invited"),
    "member.left": gettext_lazy("Left the team"),
    "member.removed": gettext_lazy("Removed from the team"),
    "member.role_changed": gettext_lazy("Role changed"),
    "model.chosen": gettext_lazy("Model chosen"),
    "person.forgotten": gettext_lazy("Account deleted with all its data"),
    "profile.archived": gettext_lazy("Profile deleted"),
    "profile.created": gettext_lazy("Profile created"),
    "profile.edited": gettext_lazy("Profile edited"),
    "profile.forked": gettext_lazy("Team profile copied for oneself"),
    "profile.paused": gettext_lazy("Profile paused"),
    "profile.resumed": gettext_lazy("Profile goes on"),
    "profile.shared": gettext_lazy("Profile shared with the team"),
    "provider.added": gettext_lazy("Provider added"),
    "provider.brought_back": gettext_lazy("Provider brought back"),
    "provider.edited": gettext_lazy("Provider edited"),
    "provider.key_changed": gettext_lazy("Provider’s key changed"),
    "provider.key_rotated": gettext_lazy("Provider’s key encrypted anew"),
    "provider.offered": gettext_lazy("Provider offered to other teams"),
    "provider.paused": gettext_lazy("Provider paused"),
    "provider.resumed": gettext_lazy("Provider goes on"),
    "provider.retired": gettext_lazy("Provider retired"),
    "quota.asked": gettext_lazy("Asked for more"),
    "quota.declined": gettext_lazy("Request for more declined"),
    "quota.granted": gettext_lazy("Request for more granted"),
    "quota.removed": gettext_lazy("Limit removed"),
    "quota.set": gettext_lazy("Limit set"),
    "team.created": gettext_lazy("Team created"),
    "team.deleted": gettext_lazy("Team deleted"),
    "team.edited": gettext_lazy("Team edited by the operator"),
    "quarantine.retried": gettext_lazy("Records in quarantine read again"),
    "surge.kept": gettext_lazy("Surplus of a surge left parked"),
    "surge.released": gettext_lazy("Surplus of a surge released"),
    "team.renamed": gettext_lazy("Team renamed"),
    "team.zone_changed": gettext_lazy("Team’s time zone changed"),
    "token.issued": gettext_lazy("API token made"),
    "token.revoked": gettext_lazy("API token revoked"),
    "request.asked": gettext_lazy("More tokens asked for"),
    "request.declined": gettext_lazy("Request for more declined"),
    "request.granted": gettext_lazy("Request for more granted"),
    "top_up.given": gettext_lazy("Extra tokens given"),
    "top_up.revoked": gettext_lazy("Extra tokens taken back"),
    "windows.reconciled": gettext_lazy("Counters made to agree with the ledger"),
}

FIGURES: Mapping[str, Any] = {
    "base_url": gettext_lazy("address"),
    "block_size": gettext_lazy("papers a call"),
    "can_write": gettext_lazy("may write"),
    "category": gettext_lazy("category"),
    "changed": gettext_lazy("changed"),
    "concurrency": gettext_lazy("calls at once"),
    "context_tokens": gettext_lazy("context in tokens"),
    "count": gettext_lazy("how many"),
    "day": gettext_lazy("day"),
    "ends_at": gettext_lazy("until"),
    "factor": gettext_lazy("kind"),
    "for_all": gettext_lazy("for all teams"),
    "granted_tokens": gettext_lazy("the operator’s grant"),
    "has_key": gettext_lazy("has a key"),
    "is_active": gettext_lazy("may sign in"),
    "is_staff": gettext_lazy("operator"),
    "is_superuser": gettext_lazy("all rights"),
    "limit_tokens": gettext_lazy("limit in tokens"),
    "model": gettext_lazy("model"),
    "period": gettext_lazy("period"),
    "price_cached_microusd": gettext_lazy("price of a million cached"),
    "price_input_microusd": gettext_lazy("price of a million read"),
    "price_output_microusd": gettext_lazy("price of a million written"),
    "price_reasoning_microusd": gettext_lazy("price of a million of reasoning"),
    "profile": gettext_lazy("profile"),
    "provider": gettext_lazy("provider"),
    "request": gettext_lazy("request"),
    "role": gettext_lazy("role"),
    "scope": gettext_lazy("level"),
    "teams": gettext_lazy("teams"),
    "time_zone": gettext_lazy("time zone"),
    "tokens": gettext_lazy("number of tokens"),
    "top_up": gettext_lazy("number"),
    "words": gettext_lazy("other words in"),
}

# Parts of a profile, a provider or an account, named where only that they changed may be told.
PARTS: Mapping[str, Any] = {
    "bar": gettext_lazy("bar"),
    "categories": gettext_lazy("categories"),
    "cross_lists": gettext_lazy("cross-lists"),
    "email": gettext_lazy("mail address"),
    "exclusions": gettext_lazy("exclusions"),
    "extra_params": gettext_lazy("further parameters"),
    "interests": gettext_lazy("research fields"),
    "recovery_codes": gettext_lazy("recovery codes"),
    "totp": gettext_lazy("app with codes"),
    "webauthn": gettext_lazy("passkey"),
    "name": pgettext_lazy("audit", "name"),
    "reason_language": gettext_lazy("language of reasons"),
    "settings": gettext_lazy("settings"),
    "slug": gettext_lazy("address"),
    "rights": gettext_lazy("rights"),
    "target_recall": gettext_lazy("target recall"),
    "weighting_prompt": gettext_lazy("weighting prompt"),
}

_SCOPES = {scope.name.lower(): scope.label for scope in Scope}


def what(code: str) -> str:
    """The deed in the reader's language; the code itself for one of a later version."""
    return str(WHAT.get(code, code))


def figures(before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Each figure in words, as "role: member → admin"; `names` are those of the keys that occur."""
    return [
        _figure(name, before.get(name), after.get(name), name in before, names)
        for name in dict.fromkeys([*before, *after])
        if not _is_empty(before.get(name)) or not _is_empty(after.get(name))
    ]


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _figure(name: str, old: Any, new: Any, has_old: bool, names: Mapping[str, str]) -> str:
    label = FIGURES.get(name) or PARTS.get(name) or name.replace("_", " ")
    told_old, told_new = _told(name, old, names), _told(name, new, names)
    if (has_old and new is not None and told_old != told_new) or (
        has_old and name == "limit_tokens" and new is None
    ):
        value = f"{told_old} → {told_new}"
    else:
        value = told_old if new is None else told_new
    return _("%(figure)s: %(value)s") % {"figure": label, "value": value}


def _told(name: str, value: Any, names: Mapping[str, str]) -> str:
    if _is_empty(value):
        return _("the default") if name.startswith(("limit", "granted")) else _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_told("", each, names) for each in value)
    tell = _TOLD.get(name, _number if isinstance(value, int) else None)
    if tell is not None:
        return tell(value)
    return str(names.get(str(value)) or PARTS.get(str(value)) or value)


def _number(value: Any) -> str:
    return str(intcomma(value))


def _moment(value: Any) -> str:
    moment = parse_datetime(str(value))
    return f"{localtime(moment):%Y-%m-%d %H:%M}" if moment is not None and moment.tzinfo else str(value)


_TOLD: dict[str, Callable[[Any], str]] = {
    "role": lambda value: str(dict(Role.choices).get(value, value)),
    "period": lambda value: str(dict(Period.choices).get(value, value)),
    "scope": lambda value: str(_SCOPES.get(value, value)),
    "ends_at": _moment,
    **{
        f"price_{kind}_microusd": words.dollars
        for kind in ("input", "cached", "output", "reasoning")
    },
}  # fmt: skip
