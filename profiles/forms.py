"""What people fill in about themselves and their teams."""

import uuid
import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Membership, Role, Team, User
from .teams import RANK

_ZONE_AREAS = {
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}


def zone_choices() -> list[tuple[str, str]]:
    """UTC, then every zone that is named after a place."""
    places = sorted(
        name
        for name in zoneinfo.available_timezones()
        if name.partition("/")[0] in _ZONE_AREAS and "/" in name
    )
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]


class SettingsForm(forms.ModelForm):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)
    digest_hour = forms.TypedChoiceField(
        label=_("Hour of the digest"), coerce=int, choices=[(hour, f"{hour:02d}:00") for hour in range(24)]
    )

    class Meta:
        model = User
        fields = [
            "name",
            "language",
            "time_zone",
            "wants_digest",
            "digest_hour",
            "wants_alerts",
            "wants_keys",
        ]
        labels = {
            "name": _("Name"),
            "language": _("Language of the pages"),
            "wants_digest": _("Send me each day's picks by mail"),
            "wants_alerts": _("Send me a mail when a budget runs low, or somebody asks or answers"),
            "wants_keys": _("Use single letters as keyboard shortcuts"),
        }
        help_texts = {"name": _("How members of your teams see you.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.time_zone
        choices = zone_choices()
        if current not in dict(choices):
            choices.append((current, current))
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class OnceForm(forms.Form):
    """A form that makes something new: its key makes sending it twice the same as once (`profiles.once`)."""

    once = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)


class TokenForm(OnceForm):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Where you will use it: a script, a notebook, a reader.")
    )
    can_write = forms.BooleanField(label=_("May change profiles and quotas"), required=False)


class TeamForm(OnceForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        help_text=_("Days, weeks and months of the team's budget turn over at midnight there."),
    )


class InvitationForm(forms.Form):
    """Ask an address in, in a role that the inviter may give."""

    email = forms.EmailField(label=_("Mail address"))
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, mine: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = roles_to_give(mine)
        field.initial = Role.MEMBER


class TeamSettingsForm(TeamForm):
    """Name and zone of a team that exists; a zone that a later tzdata dropped stays choosable."""

    def __init__(self, data: Any = None, *, team: Team) -> None:
        super().__init__(data, initial={"name": team.name, "time_zone": team.time_zone})
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        choices = zone_choices()
        if team.time_zone not in dict(choices):
            field.choices = [*choices, (team.time_zone, team.time_zone)]
        field.help_text = _("A change acts at the end of the budget windows that run now.")


def roles_to_give(mine: Membership) -> list[tuple[str, str]]:
    """The roles up to one's own."""
    return [(role.value, str(role.label)) for role in Role if RANK[role] <= RANK[Role(mine.role)]]
