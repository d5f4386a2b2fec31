"""What a person says of a provider, and what is wrong with it. Nothing is looked up and nothing stored here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from scoring.addresses import AddressPolicy, literal
from scoring.models import Provider

MOST_DOLLARS = 1000
NAME_CHARACTERS = 60
MODEL_CHARACTERS = 100
ADDRESS_CHARACTERS = 300
EXTRA_CHARACTERS = 2000
# The least and the most of the whole numbers.
RANGES = {"context_tokens": (2_000, 10_000_000), "concurrency": (1, 64), "block_size": (1, 20)}
# What we say ourselves in each request; an extra parameter of that name would say something else.
OURS = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "n",
        "response_format",
        "max_tokens",
        "max_completion_tokens",
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "store",
        "logprobs",
        "top_logprobs",
        "extra_headers",
        "extra_query",
        "extra_body",
        "timeout",
        "stop",
        "modalities",
        "audio",
        "web_search_options",
        "metadata",
    }
)
PRICES = ("price_input", "price_cached", "price_output", "price_reasoning")


@dataclass(frozen=True)
class Facts:
    """A provider in its owner's words. Prices are micro-dollars per million tokens; None: as the other kind."""

    name: str
    base_url: str
    model: str
    price_input_microusd: int = 0
    price_cached_microusd: int | None = None
    price_output_microusd: int = 0
    price_reasoning_microusd: int | None = None
    context_tokens: int = 32_768
    concurrency: int = 16
    block_size: int = 20
    extra_params: Mapping[str, Any] = field(default_factory=dict)

    def check(self, *, is_operators: bool) -> None:
        """Raise ValidationError with a message for each field that is wrong."""
        problems = {
            "name": _name_problem(self.name),
            "base_url": address_problem(self.base_url, is_operators=is_operators),
            "model": _line_problem(self.model, MODEL_CHARACTERS),
            "extra_params": _extra_problem(self.extra_params),
            **{name: _range_problem(getattr(self, name), *RANGES[name]) for name in RANGES},
        }
        found = {name: [problem] for name, problem in problems.items() if problem}
        if found:
            raise ValidationError(found)


def facts_of(provider: Provider) -> Facts:
    return Facts(**{name: getattr(provider, name) for name in Facts.__dataclass_fields__})


def parse_dollars(typed: object) -> int | None:
    """`0.15` as 150,000 micro-dollars; None where nothing was typed. Raises ValidationError."""
    text = str(typed).strip().removeprefix("$").strip() if typed is not None else ""
    if not text:
        return None
    try:
        dollars = Decimal(text)
    except InvalidOperation as error:
        raise ValidationError(_("Write a price in dollars, such as 0.15.")) from error
    if not dollars.is_finite():
        raise ValidationError(_("Write a price in dollars, such as 0.15."))
    if dollars < 0:
        raise ValidationError(_("A price is not negative."))
    if dollars > MOST_DOLLARS:
        raise ValidationError(
            _("More than %(most)s dollars per million tokens: is it the price of a million?")
            % {"most": MOST_DOLLARS}
        )
    microusd = dollars * 10**6
    if microusd % 1:
        raise ValidationError(_("At most six decimals: a millionth of a dollar is the least."))
    return int(microusd)


def parse_extra(typed: str) -> dict[str, Any]:
    """The JSON object of extra parameters; an empty text is none. Raises ValidationError."""
    if not typed.strip():
        return {}
    try:
        found = json.loads(typed)
    except (ValueError, RecursionError) as error:
        raise ValidationError(_('This is no JSON. Write an object, such as {"temperature": 0}.')) from error
    if not isinstance(found, dict):
        raise ValidationError(_('Write a JSON object, such as {"temperature": 0}.'))
    return found


def dollars_typed(microusd: int | None) -> str:
    """As it would be typed: 150000 is `0.15`; nothing for none."""
    return "" if microusd is None else f"{Decimal(microusd) / 10**6:f}"


def policy_for(*, is_operators: bool) -> AddressPolicy:
    """Where a provider may live: the operator's also on this machine, all others in public or on the list."""
    return AddressPolicy(networks=tuple(settings.LLM_PRIVATE_ADDRESSES), allows_loopback=is_operators)


def address_problem(address: str, *, is_operators: bool) -> str:
    """What is wrong with a base URL by its text alone; where its name leads is told when connecting."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _("This is no address. It should read like https://api.example.com/v1.")
    if parts.scheme not in {"http", "https"}:
        return _("The address must begin with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        return _("No name or password belongs in the address: type the key in its own field.")
    if not host or port == 0 or any(sign.isspace() or not sign.isprintable() for sign in address):
        return _("This is no address. It should read like https://api.example.com/v1.")
    if parts.query or parts.fragment:
        return _("The address ends before any ? or #, such as https://api.example.com/v1.")
    if len(address) > ADDRESS_CHARACTERS:
        return _("This is too long.")
    written = literal(host)
    if written is not None and not policy_for(is_operators=is_operators).allows(written):
        return _(
            "%(address)s is not a public address. The operator can allow its network with LLM_PRIVATE_ADDRESSES."
        ) % {"address": written}
    return ""


def origin_of(address: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: a key that was given to one is not sent to another."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _name_problem(name: str) -> str:
    if problem := _line_problem(name, NAME_CHARACTERS):
        return problem
    return _("Leave out the slash: the model's name follows it.") if "/" in name else ""


def _line_problem(text: str, most: int) -> str:
    if not text.strip():
        return _("This is needed.")
    if len(text) > most:
        return _("This is too long.")
    if not text.isprintable() or text != text.strip():
        return _("Write one line of visible characters.")
    return ""


def _range_problem(value: Any, least: int, most: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        return _("Write a whole number from %(least)s to %(most)s.") % {"least": least, "most": most}
    return ""


def _extra_problem(extra: Any) -> str:
    if not isinstance(extra, Mapping):
        return _('Write a JSON object, such as {"temperature": 0}.')
    ours = sorted(name for name in extra if name.lower() in OURS)
    if ours:
        return _("These are set by Broadsheet itself: %(names)s.") % {"names": ", ".join(ours)}
    try:
        text = json.dumps(extra, allow_nan=False)
    except ValueError:
        return _("This is no JSON that a server takes: it has a number that is none.")
    if len(text) > EXTRA_CHARACTERS:
        return _("This is too long.")
    return ""
