"""The shapes of the API: what goes in and what comes out. Meaning is checked by the verbs, not here."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from profiles import invitations
from profiles.drafts import Draft, InterestDraft, draft_of
from profiles.models import REASON_LANGUAGES, Invitation, Membership, Period, Profile, Role, Scope
from scoring.models import Edition


class StrictSerializer(serializers.Serializer):
    """A key that is not known is an error: a typing mistake must not be a silent default."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(key) for key in data if key not in self.fields)
            if unknown:
                message = _("Unknown key. Known here: %(known)s.") % {"known": ", ".join(self.fields)}
                raise serializers.ValidationError({key: [message] for key in unknown})
        return super().to_internal_value(data)


def page_of(serializer: type[serializers.Serializer]) -> serializers.Serializer:
    """The shape of one page of a list, for the schema."""
    return inline_serializer(
        name=serializer.__name__.removesuffix("Serializer") + "Page",
        fields={
            "count": serializers.IntegerField(),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": serializer(many=True),
        },
    )


class InterestSerializer(StrictSerializer):
    name = serializers.CharField()
    description = serializers.CharField(default="", allow_blank=True)
    weight = serializers.FloatField(default=1.0, help_text="0 to 1")
    terms = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="English search terms; filled in when empty"
    )


class ProfileSerializer(StrictSerializer):
    """A profile as it is read and written: the same names as in its TOML file, and who owns and pays."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    name = serializers.CharField()
    team = serializers.SlugField(source="team.slug", read_only=True, help_text="the team that pays")
    is_team_profile = serializers.BooleanField(read_only=True)
    is_paused = serializers.BooleanField(read_only=True)
    categories = serializers.ListField(child=serializers.CharField())
    cross_lists = serializers.BooleanField(default=False)
    reason_language = serializers.ChoiceField(choices=REASON_LANGUAGES, default="en")
    bar = serializers.IntegerField(default=60, help_text="0 to 100")
    target_recall = serializers.FloatField(default=0.9, help_text="0.5 to 1.0; 1.0 reads everything")
    weighting_prompt = serializers.CharField(default="", allow_blank=True)
    interests = InterestSerializer(many=True)
    exclusions = serializers.ListField(child=serializers.CharField(), default=list)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def draft(self, before: Profile | None = None) -> Draft:
        """The draft that was sent; for a partial change, laid over the profile as it is."""
        sent = dict(self.validated_data)
        fields = {name: value for name, value in sent.items() if name not in {"team", "together"}}
        if "interests" in fields:
            fields["interests"] = tuple(
                InterestDraft(**{"name": "", **each, "terms": tuple(each.get("terms", ()))})
                for each in fields["interests"]
            )
        for name in ("categories", "exclusions"):
            if name in fields:
                fields[name] = tuple(fields[name])
        known = {} if before is None or not self.partial else vars(draft_of(before))
        return Draft(**{**known, **fields})


class NewProfileSerializer(ProfileSerializer):
    """To make one: `team` names who pays (yours without it), `together` makes it the team's own."""

    team = serializers.SlugField(required=False, write_only=True)
    together = serializers.BooleanField(default=False, write_only=True)


class ForkSerializer(StrictSerializer):
    team = serializers.SlugField(
        required=False,
        help_text="who pays: the profile's team without it, or yours where you may not spend there",
    )


class EditionSerializer(serializers.Serializer):
    """One profile's day. `account` adds up: announced is the sum of all other terms of the sum."""

    id = serializers.UUIDField(source="public_id")
    profile = serializers.UUIDField(source="profile.public_id")
    profile_name = serializers.CharField(source="profile.name")
    day = serializers.DateField(help_text="the date on arXiv's list")
    state = serializers.ChoiceField(choices=Edition.State.choices)
    batch = serializers.IntegerField(help_text="how often the day was opened")
    announced = serializers.IntegerField()
    account = serializers.DictField(
        child=serializers.IntegerField(), help_text="papers by what became of them"
    )
    lost = serializers.IntegerField(help_text="announced minus the sum of the account: 0, or a fault")
    recommended = serializers.IntegerField()
    tokens = serializers.IntegerField(help_text="input and output, as the provider counted them")
    cost_microusd = serializers.IntegerField(help_text="millionths of a dollar; 0 where no price was known")
    blocked_until = serializers.DateTimeField(allow_null=True, help_text="when a full budget resets")
    opened_at = serializers.DateTimeField()
    late_until = serializers.DateTimeField(
        allow_null=True, help_text="until when arXiv was unreachable, where that opened the day late"
    )
    closed_at = serializers.DateTimeField(allow_null=True)


class AuthorSerializer(serializers.Serializer):
    name = serializers.CharField()
    sort_name = serializers.CharField(help_text="the last name first: a guess from the words")
    affiliations = serializers.ListField(
        child=serializers.CharField(), help_text="only where arXiv sent them"
    )


class FoundLinkSerializer(serializers.Serializer):
    url = serializers.URLField()
    kind = serializers.ChoiceField(choices=["code", "data", "model", "project"])


class SubScoreSerializer(serializers.Serializer):
    interest = serializers.CharField()
    score = serializers.IntegerField(help_text="0 to 100")
    weight = serializers.FloatField()
    value = serializers.IntegerField(help_text="score times weight")


class EntrySerializer(serializers.Serializer):
    """One paper of an edition. Titles, authors and links are arXiv's; the reason is the model's."""

    arxiv_id = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    authors = AuthorSerializer(many=True)
    categories = serializers.ListField(child=serializers.CharField())
    announced_on = serializers.DateField()
    link = serializers.URLField()
    abstract = serializers.CharField()
    comment = serializers.CharField(
        help_text="the authors' own: pages, where it was accepted, why it was withdrawn"
    )
    journal_ref = serializers.CharField()
    doi = serializers.CharField(help_text="of the publisher; several stand between blanks")
    license = serializers.CharField(help_text="the address of the licence, as arXiv sends it")
    msc_class = serializers.CharField()
    acm_class = serializers.CharField()
    latest_version = serializers.IntegerField(help_text="the newest that is known; `version` was read")
    is_withdrawn = serializers.BooleanField()
    links = FoundLinkSerializer(many=True, help_text="named in the comment or the abstract")
    value = serializers.IntegerField(help_text="0 to 100")
    shown_value = serializers.CharField(help_text="the value as readers see it, 0.0 to 10.0")
    is_recommended = serializers.BooleanField()
    section = serializers.CharField(help_text="the research field that gave the value")
    scores = SubScoreSerializer(many=True)
    reason = serializers.CharField()
    reason_language = serializers.CharField()
    quote = serializers.CharField()
    is_quote_verified = serializers.BooleanField(allow_null=True)
    is_estimate = serializers.BooleanField(help_text="not read by a language model")
    is_simulated = serializers.BooleanField()
    is_of_earlier_words = serializers.BooleanField(help_text="judged before the profile's last change")
    model = serializers.CharField()
    tokens = serializers.IntegerField(help_text="the paper's even share of its call")
    is_sample = serializers.BooleanField()
    notice = serializers.CharField(help_text="a heading that must stand above the text, or empty")


class FigureSerializer(serializers.Serializer):
    """One limit and how much of it is gone, in tokens."""

    scope = serializers.ChoiceField(choices=[scope.name.lower() for scope in Scope])
    period = serializers.ChoiceField(choices=Period.choices)
    limit = serializers.IntegerField()
    used = serializers.IntegerField()
    held = serializers.IntegerField()
    free = serializers.IntegerField()
    resets_at = serializers.DateTimeField()


class BudgetSerializer(serializers.Serializer):
    """What one may spend in one team: the first limit that is full blocks."""

    team = serializers.SlugField()
    team_name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    figures = FigureSerializer(many=True)


class MemberQuotaSerializer(serializers.Serializer):
    member = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    figures = FigureSerializer(many=True)


class TeamQuotasSerializer(serializers.Serializer):
    """A team's quotas in use, for its owners and admins."""

    team = serializers.SlugField()
    pool = FigureSerializer(many=True)
    member_default = serializers.DictField(child=serializers.IntegerField(), help_text="period to tokens")
    members = MemberQuotaSerializer(many=True)


class QuotaChangeSerializer(StrictSerializer):
    """Set one limit; null takes it away, and the default holds again."""

    subject = serializers.ChoiceField(choices=["pool", "member_default", "member"])
    member = serializers.UUIDField(required=False, help_text="for the subject `member`")
    period = serializers.ChoiceField(choices=Period.choices)
    limit_tokens = serializers.IntegerField(allow_null=True)


class MemberSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField(source="user.display_name")
    email = serializers.SerializerMethodField()
    role = serializers.ChoiceField(choices=Role.choices)
    joined_at = serializers.DateTimeField()
    last_seen_at = serializers.SerializerMethodField()

    def get_email(self, member: Membership) -> str | None:
        return member.user.email if self.context.get("is_steering") else None

    def get_last_seen_at(self, member: Membership) -> dt.datetime | None:
        return member.last_seen_at if self.context.get("is_steering") else None


class RoleSerializer(StrictSerializer):
    role = serializers.ChoiceField(choices=Role.choices)


class NewInvitationSerializer(StrictSerializer):
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


class InvitationSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)
    invited_by = serializers.CharField(source="invited_by.display_name", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class NewLinkSerializer(InvitationSerializer):
    """An invitation with its link, which is shown once."""

    link = serializers.SerializerMethodField()

    def get_link(self, invitation: Invitation) -> str:
        return invitations.link_of(invitation)


class TeamSerializer(serializers.Serializer):
    slug = serializers.SlugField(source="team.slug")
    name = serializers.CharField(source="team.name")
    is_personal = serializers.BooleanField(source="team.is_personal")
    role = serializers.ChoiceField(choices=Role.choices)


class ReaderSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()


class ProviderFactsSerializer(StrictSerializer):
    """A provider to be added or changed. Prices are dollars per million tokens."""

    name = serializers.CharField()
    base_url = serializers.CharField()
    model = serializers.CharField()
    api_key = serializers.CharField(
        required=False, allow_blank=True, max_length=500, write_only=True, help_text="never shown again"
    )
    price_input = serializers.CharField(required=False, allow_blank=True)
    price_cached = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, help_text="empty: as other input"
    )
    price_output = serializers.CharField(required=False, allow_blank=True)
    price_reasoning = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, help_text="empty: as other output"
    )
    context_tokens = serializers.IntegerField(required=False)
    concurrency = serializers.IntegerField(required=False)
    block_size = serializers.IntegerField(required=False)
    extra_params = serializers.DictField(required=False)


class ModelSerializer(serializers.Serializer):
    """A model that may read for a team, as every member sees it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    model = serializers.CharField()
    price_input = serializers.CharField()
    price_cached = serializers.CharField()
    price_output = serializers.CharField()
    price_reasoning = serializers.CharField()


class OwnProviderSerializer(ModelSerializer):
    base_url = serializers.CharField()
    key_ends_in = serializers.CharField()
    context_tokens = serializers.IntegerField()
    concurrency = serializers.IntegerField()
    block_size = serializers.IntegerField()
    extra_params = serializers.DictField()
    is_active = serializers.BooleanField()
    stopped = serializers.CharField(help_text="why it stands still, or empty")
    last_check = serializers.DictField()


class TeamProvidersSerializer(serializers.Serializer):
    """Who reads for a team; `own` is empty for those who do not steer it."""

    team = serializers.SlugField()
    reads = ModelSerializer()
    why = serializers.CharField()
    allowed = ModelSerializer(many=True)
    own = OwnProviderSerializer(many=True)


class ChoiceSerializer(StrictSerializer):
    provider = serializers.UUIDField(allow_null=True)
