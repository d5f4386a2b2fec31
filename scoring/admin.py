"""The operator's view of tokens and judges: all is read, little is steered, nothing of the books is changed.

What a paper's judgement says, and whose interest it was, is not here: figures and states are.
"""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from papers.browsing import ReadOnlyAdmin, asked_first
from profiles import audit
from profiles.models import Membership, Profile, Scope, Team, User
from scoring import budget, providers
from scoring.models import (
    Alert,
    BudgetWindow,
    Call,
    Edition,
    Hold,
    LedgerEntry,
    OutboxMail,
    Provider,
    Score,
    Spending,
)


@admin.register(Provider)
class ProviderAdmin(ReadOnlyAdmin):
    """Prices, keys and who may use it are set at /operator/providers/."""

    list_display = ("name", "model", "team", "kind", "is_active", "paused_at", "paused_reason", "open_until")
    list_filter = ("kind", "is_active", ("paused_at", admin.EmptyFieldListFilter))
    list_select_related = ("team",)
    search_fields = ("name", "model", "base_url", "team__name", "team__slug")
    fields = (
        "name",
        "model",
        "base_url",
        "team",
        "kind",
        "is_active",
        "api_key_last_four",
        "price_input_microusd",
        "price_cached_microusd",
        "price_output_microusd",
        "price_reasoning_microusd",
        "context_tokens",
        "concurrency",
        "block_size",
        "is_cap_honoured",
        "paused_at",
        "paused_reason",
        "failures",
        "open_until",
        "created_at",
        "calls_made",
    )
    actions = ("pause", "resume")

    @admin.display(description=_("Calls"))
    def calls_made(self, row: Provider) -> SafeString:
        return self.rows(Call, _("Calls"), provider__id__exact=row.pk)

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("scoring.change_provider")

    @admin.action(description=_("Stop the chosen providers"), permissions=["steer"])
    @asked_first(_("Stop these providers? Their papers wait."))
    def pause(self, request: HttpRequest, chosen: QuerySet[Provider]) -> None:
        assert isinstance(request.user, User)
        for provider in chosen:
            providers.pause_by_hand(request.user, provider)
            self.log_change(request, provider, "provider.paused")

    @admin.action(description=_("Let the chosen providers go on"), permissions=["steer"])
    @asked_first(_("Let these providers go on?"))
    def resume(self, request: HttpRequest, chosen: QuerySet[Provider]) -> None:
        assert isinstance(request.user, User)
        for provider in chosen:
            providers.resume_by_hand(request.user, provider)
            self.log_change(request, provider, "provider.resumed")


@admin.register(BudgetWindow)
class BudgetWindowAdmin(ReadOnlyAdmin):
    """What is used and held in each scope and period. The ledger explains each; nobody sets a count by hand."""

    list_display = ("scope", "whose", "period", "starts_at", "limit_tokens", "used_tokens", "held_tokens")
    list_filter = ("scope", "period")
    search_fields = ("=subject_id", "=team_id")
    search_help_text = _("The number of a team, membership or profile.")
    ordering = ("-id",)
    fields = (
        "scope",
        "whose",
        "period",
        "starts_at",
        "ends_at",
        "limit_tokens",
        "topped_up_tokens",
        "used_tokens",
        "held_tokens",
        "overrun_tokens",
        "cost_microusd",
        "more",
    )
    actions = ("reconcile",)

    @admin.display(description=_("Whose"))
    def whose(self, row: BudgetWindow) -> SafeString | str:
        """A link without a look at the row: it may be gone, and a list of fifty would ask fifty times."""
        models = {Scope.TEAM: Team, Scope.MEMBER: Membership, Scope.SHARE: Profile}
        model = models.get(Scope(row.scope))
        if model is None:
            return "–"
        return self.rows(model, f"{row.subject_id}", id__exact=row.subject_id)

    @admin.display(description=_("More of it"))
    def more(self, row: BudgetWindow) -> SafeString:
        return self.rows(LedgerEntry, _("Ledger lines"), window__id__exact=row.pk)

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("scoring.change_budgetwindow")

    @admin.action(description=_("Make all counters agree with the ledger"), permissions=["reconcile"])
    @asked_first(
        _("Make the counters of all windows agree with the ledger? The ledger itself stays as it is.")
    )
    def reconcile(self, request: HttpRequest, chosen: QuerySet[BudgetWindow]) -> None:
        assert isinstance(request.user, User)
        repairs = budget.reconcile(timezone.now())
        audit.record(request.user, "windows.reconciled", after={"count": len(repairs)})
        for repair in repairs:
            self.log_change(request, repair.window, "windows.reconciled")
        text = ngettext("%(count)d window was repaired.", "%(count)d windows were repaired.", len(repairs))
        self.message_user(request, text % {"count": len(repairs)}, messages.SUCCESS)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ("key", "state", "held_tokens", "used_tokens", "is_flagged", "created_at", "ended_at")
    list_filter = ("state", "is_flagged", "is_trued_up")
    search_fields = ("=key",)
    ordering = ("-id",)
    fields = (
        "key",
        "of_call",
        "state",
        "held_tokens",
        "used_tokens",
        "is_flagged",
        "is_trued_up",
        "lease_until",
        "created_at",
        "sent_at",
        "ended_at",
        "more",
    )

    @admin.display(description=_("Call"))
    def of_call(self, row: Hold) -> SafeString | str:
        return self.link(row.call)

    @admin.display(description=_("More of it"))
    def more(self, row: Hold) -> SafeString:
        return self.rows(LedgerEntry, _("Ledger lines"), hold__id__exact=row.pk)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """The database itself refuses to change or delete these."""

    list_display = (
        "at",
        "kind",
        "tokens",
        "of_window",
        "of_hold",
        "limit_tokens",
        "sum_before",
        "cost_microusd",
    )
    list_filter = ("kind",)
    list_select_related = ("window", "hold")
    search_fields = ("=hold__key",)
    ordering = ("-id",)
    fields = (
        "at",
        "kind",
        "tokens",
        "of_window",
        "of_hold",
        "of_call",
        "limit_tokens",
        "sum_before",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cost_microusd",
    )

    @admin.display(description=_("Window"))
    def of_window(self, row: LedgerEntry) -> SafeString | str:
        return self.link(row.window)

    @admin.display(description=_("Hold"))
    def of_hold(self, row: LedgerEntry) -> SafeString | str:
        return self.link(row.hold, str(row.hold.key)[:8])

    @admin.display(description=_("Call"))
    def of_call(self, row: LedgerEntry) -> SafeString | str:
        return self.link(row.hold.call)


@admin.register(Spending)
class SpendingAdmin(ReadOnlyAdmin):
    list_display = ("window", "provider_model", "kind", "calls", "papers", "used_tokens", "cost_microusd")
    list_filter = ("kind",)
    list_select_related = ("window",)
    search_fields = ("=window__subject_id", "provider_model")
    ordering = ("-id",)
    exclude = ("profile_id",)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("at", "percent", "window", "used_tokens", "limit_tokens")
    list_filter = ("percent",)
    list_select_related = ("window",)
    ordering = ("-id",)


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    """What happened to each attempt at a model; not what was asked or answered."""

    list_display = (
        "created_at",
        "kind",
        "provider_model",
        "outcome",
        "of_profile",
        "input_tokens",
        "output_tokens",
    )
    list_filter = ("kind", "is_usage_flagged")
    list_select_related = ("profile",)
    search_fields = ("=public_id", "provider_model", "outcome", "=profile__public_id")
    ordering = ("-id",)
    fields = (
        "public_id",
        "kind",
        "day",
        "of_profile",
        "of_edition",
        "provider",
        "provider_model",
        "outcome",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cost_microusd",
        "is_usage_flagged",
        "dropped_rows",
        "prompt_bytes",
        "answer_bytes",
        "latency_ms",
        "created_at",
        "sent_at",
        "ended_at",
        "of_hold",
    )

    @admin.display(description=_("Profile"))
    def of_profile(self, row: Call) -> SafeString | str:
        return self.link(row.profile)

    @admin.display(description=_("Edition"))
    def of_edition(self, row: Call) -> SafeString | str:
        return self.link(row.edition)

    @admin.display(description=_("Hold"))
    def of_hold(self, row: Call) -> SafeString | str:
        return self.link(Hold.objects.filter(call=row).first())


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "of_profile",
        "state",
        "batch",
        "cut_rank",
        "blocked_until",
        "stopped_at",
        "closed_at",
    )
    list_filter = ("state", ("blocked_until", admin.EmptyFieldListFilter))
    list_select_related = ("profile",)
    search_fields = ("=public_id", "=profile__public_id", "profile__team__slug")
    ordering = ("-id",)
    fields = (
        "public_id",
        "of_profile",
        "day",
        "state",
        "batch",
        "cut_rank",
        "target_recall",
        "expected_recall",
        "blocked_until",
        "stopped_at",
        "opened_at",
        "screened_at",
        "closed_at",
        "calls_made",
    )

    @admin.display(description=_("Profile"))
    def of_profile(self, row: Edition) -> SafeString | str:
        return self.link(row.profile)

    @admin.display(description=_("Calls"))
    def calls_made(self, row: Edition) -> SafeString:
        return self.rows(Call, _("Calls"), edition__id__exact=row.pk)


@admin.register(Score)
class ScoreAdmin(ReadOnlyAdmin):
    """That a paper was judged and by which call; the judgement itself is its reader's."""

    list_display = ("scored_at", "day", "of_paper", "version", "provider_model", "purpose", "is_local")
    list_filter = ("purpose", "is_local", "is_simulated")
    list_select_related = ("paper",)
    search_fields = ("=paper__arxiv_id", "=call__public_id")
    ordering = ("-id",)
    fields = ("day", "of_paper", "version", "provider_model", "purpose", "of_call", "is_local", "scored_at")

    @admin.display(description=_("Paper"))
    def of_paper(self, row: Score) -> SafeString | str:
        return self.link(row.paper)

    @admin.display(description=_("Call"))
    def of_call(self, row: Score) -> SafeString | str:
        return self.link(row.call)


@admin.register(OutboxMail)
class OutboxMailAdmin(ReadOnlyAdmin):
    """Digests: whether each was sent, not what it says."""

    list_display = ("day", "user", "batch", "state", "attempts", "queued_at", "ended_at", "problem")
    list_filter = ("state",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    ordering = ("-id",)
    fields = ("day", "user", "batch", "state", "attempts", "not_before", "queued_at", "ended_at", "problem")
