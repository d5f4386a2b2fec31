"""What people fill in about providers."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from profiles.models import Team
from scoring import providers
from scoring.models import Provider
from scoring.providers import Facts

_PRICE = {"inputmode": "decimal", "autocomplete": "off"}


class PriceField(forms.CharField):
    """Dollars per million tokens as typed; whole micro-dollars, or None for nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=40, widget=forms.TextInput(attrs=_PRICE), **options)

    def clean(self, value: Any) -> int | None:
        return providers.parse_dollars(super().clean(value))


class ExtraField(forms.CharField):
    """A JSON object as typed."""

    def clean(self, value: Any) -> dict[str, Any]:
        return providers.parse_extra(super().clean(value))


class ProviderForm(forms.Form):
    """A provider's facts and its key, which is only ever written. What is right is said by `Facts.check`."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("Readers see it beside the model, as judge of a paper.")
    )
    base_url = forms.CharField(
        label=_("Base URL"),
        max_length=300,
        help_text=_("Of an OpenAI-compatible server, such as https://api.example.com/v1"),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    model = forms.CharField(
        label=_("Model"),
        max_length=100,
        help_text=_(
            "Another model reads from the next paper on. What was read stays with the model that read it; "
            "nothing is read again by itself."
        ),
    )
    api_key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=500,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    drops_key = forms.BooleanField(label=_("Take the key away"), required=False)
    price_input = PriceField(label=_("Input"))
    price_cached = PriceField(label=_("Cached input"))
    price_output = PriceField(label=_("Output"))
    price_reasoning = PriceField(label=_("Reasoning"))
    context_tokens = forms.IntegerField(label=_("Context in tokens"), initial=32_768)
    concurrency = forms.IntegerField(label=_("Calls at once"), initial=16)
    block_size = forms.IntegerField(label=_("Papers a call, at most"), initial=20)
    extra_params = ExtraField(
        label=_("Extra parameters"),
        required=False,
        max_length=2000,
        help_text=_("A JSON object that goes into each request, for what this server wants besides."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, provider: Provider | None = None, **kwargs: Any) -> None:
        if provider is not None:
            kwargs["initial"] = _initial(provider)
        super().__init__(*args, **kwargs)
        has_key = provider is not None and bool(provider.api_key_encrypted)
        if has_key:
            assert provider is not None
            end = provider.api_key_last_four
            told = _("Stored, ends in %(end)s. Empty: it stays.") % {"end": end}
            self.fields["api_key"].help_text = told if end else _("Stored. Empty: it stays.")
        else:
            del self.fields["drops_key"]
        if provider is not None and providers.is_of_settings(provider):
            self._leave_to_the_settings()

    def _leave_to_the_settings(self) -> None:
        self.fields.pop("drops_key", None)
        self.fields.pop("api_key", None)
        for name in ("name", "base_url", "model", *providers.prices_of_settings()):
            self.fields[name].disabled = True

    def facts(self) -> Facts:
        given = {
            name: value for name, value in self.cleaned_data.items() if name not in {"api_key", "drops_key"}
        }
        for kind in ("input", "cached", "output", "reasoning"):
            given[f"price_{kind}_microusd"] = given.pop(f"price_{kind}")
        for kind in ("input", "output"):
            given[f"price_{kind}_microusd"] = given[f"price_{kind}_microusd"] or 0
        return Facts(**given)

    def add_problems(self, error: ValidationError) -> None:
        """A verb's refusal at the fields that it names."""
        for name, messages in error.message_dict.items():
            for message in messages:
                self.add_error(name if name in self.fields else None, message)


def _initial(provider: Provider) -> dict[str, Any]:
    names = ("name", "base_url", "model", "context_tokens", "concurrency", "block_size")
    prices = provider.prices
    is_priced = prices.is_known
    return {name: getattr(provider, name) for name in names} | {
        "price_input": providers.dollars_typed(prices.input_microusd) if is_priced else "",
        "price_cached": providers.dollars_typed(prices.cached_microusd),
        "price_output": providers.dollars_typed(prices.output_microusd) if is_priced else "",
        "price_reasoning": providers.dollars_typed(prices.reasoning_microusd),
        "extra_params": json.dumps(provider.extra_params) if provider.extra_params else "",
    }


class OfferForm(forms.Form):
    """For whom the operator's model is: all teams, or some by their slugs."""

    is_for_all = forms.BooleanField(label=_("For every team"), required=False)
    teams = forms.CharField(
        label=_("Or for these teams"),
        required=False,
        max_length=10_000,
        help_text=_("Their short names (the last part of a team's address), with commas between."),
    )

    def clean_teams(self) -> list[Team]:
        slugs = [slug.strip() for slug in self.cleaned_data["teams"].split(",") if slug.strip()]
        found = {team.slug: team for team in Team.objects.filter(slug__in=slugs)}
        unknown = [slug for slug in slugs if slug not in found]
        if unknown:
            raise ValidationError(_("No team has the short name %(slug)s."), params={"slug": unknown[0]})
        return list(found.values())
