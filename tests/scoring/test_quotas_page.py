"""The quotas of a team, a reader's own budget, and the meter in every header."""

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from profiles import quotas
from profiles.models import Period, Quota, Role, Scope
from scoring import blocked, budget
from scoring.budget import words
from scoring.context import meter
from scoring.models import BudgetWindow, Edition, Hold
from scoring.usage import Usage
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 15, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


class Lab:
    """Alice owns, Ada administers, Bob belongs and has read; Charlie must see nothing."""

    def __init__(self):
        self.alice = factories.user("alice@example.org", name="Alice")
        self.ada = factories.user("ada@example.org", name="Ada")
        self.bob = factories.user("bob@example.org", name="Bob")
        self.charlie = factories.user("charlie@example.org")
        self.team = factories.team(self.alice, self.bob, slug="lab")
        factories.membership(self.team, self.ada, Role.ADMIN)
        self.bobs = self.bob.memberships.get()
        self.secret = factories.profile(self.bob, team=self.team, name="Bob's secret plan")
        self.provider = factories.provider("http://127.0.0.1:9/v1", price_input_microusd=2_000_000)
        self.path = reverse("team_quotas", args=["lab"])

    def hold(self, tokens):
        legs = budget.legs_of(self.secret, self.provider)
        return budget.hold(factories.call(self.secret, self.provider), tokens, legs)

    def post(self, user, **fields):
        return as_(user).post(self.path, {"period": "day", **fields}, follow=True)


@pytest.fixture
def lab():
    return Lab()


def as_(user):
    client = Client()
    client.force_login(user)
    return client


def test_an_admin_sees_each_member_and_no_private_profile(lab):
    budget.settle(lab.hold(60_000), None)
    lab.hold(1_234)

    page = as_(lab.ada).get(lab.path).content.decode()

    for shown in ("Alice", "Ada", "Bob", "250,000", "60,000", "1,234", "2026-01-31 00:00", "$0.12"):
        assert shown in page
    assert "<meter" in page
    assert lab.secret.name not in page


def test_a_member_gets_403_and_a_stranger_404(lab):
    assert as_(lab.bob).get(lab.path).status_code == 403
    assert lab.post(lab.bob, of="member", public_id=lab.bobs.public_id, tokens="9").status_code == 403
    assert as_(lab.charlie).get(lab.path).status_code == 404
    assert lab.post(lab.charlie, of="pool", tokens="9").status_code == 404
    assert Client().get(lab.path).status_code == 302
    assert not Quota.objects.exists()


def test_an_admin_sets_default_override_and_pool(lab):
    assert "The limit is set." in lab.post(lab.ada, of="default", tokens="100k").content.decode()
    lab.post(lab.ada, of="member", public_id=lab.bobs.public_id, tokens="300,000")
    lab.post(lab.ada, of="pool", tokens="900000")
    lab.post(lab.ada, of="pool", tokens="2000000", period="week")

    assert quotas.limits_in_force(Scope.MEMBER, lab.bobs.pk, lab.team.pk) == {Period.DAY: 300_000}
    assert quotas.limits_in_force(Scope.MEMBER, 0, lab.team.pk)[Period.DAY] == 100_000
    pool = quotas.limits_in_force(Scope.TEAM, lab.team.pk, lab.team.pk)
    assert pool == {Period.DAY: 900_000, Period.WEEK: 2_000_000}


def test_taking_an_override_away_gives_the_default_back(lab):
    lab.post(lab.ada, of="member", public_id=lab.bobs.public_id, tokens="5")

    lab.post(lab.ada, of="member", public_id=lab.bobs.public_id, tokens="", remove="1")

    assert quotas.limits_in_force(Scope.MEMBER, lab.bobs.pk, lab.team.pk) == {Period.DAY: 250_000}


@pytest.mark.parametrize("tokens", ["", "-1", "2.5", "many", "9" * 20])
def test_a_wrong_limit_is_told_beside_its_form_and_changes_nothing(lab, tokens):
    answer = lab.post(lab.ada, of="member", public_id=lab.bobs.public_id, tokens=tokens)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert page.count('aria-invalid="true"') == 1
    assert not Quota.objects.exists()


def test_an_admin_cannot_raise_the_pool_and_is_told_who_can(lab):
    answer = lab.post(lab.ada, of="pool", tokens="1,000,001")

    assert answer.status_code == 422
    assert "Only an owner" in answer.content.decode()


@pytest.mark.parametrize("of", ["member", "share", "planet"])
def test_a_foreign_subject_is_a_404(lab, of):
    others = factories.team(lab.charlie)
    foreign = {
        "member": others.memberships.get().public_id,
        "share": lab.secret.public_id,
        "planet": "",
    }[of]

    assert lab.post(lab.alice, of=of, public_id=foreign, tokens="5").status_code == 404
    assert lab.post(lab.alice, of="member", public_id="no-uuid", tokens="5").status_code == 404
    assert not Quota.objects.exists()


def test_a_raise_lets_the_stopped_editions_go_on(lab):
    budget.change_quota(None, quotas.member(lab.bobs), Period.DAY, 1_000)
    edition = Edition.objects.create(profile=lab.secret, day=factories.DAY, state=Edition.State.SCREENED)
    legs = budget.legs_of(lab.secret, lab.provider)
    refusal = budget.hold(factories.call(lab.secret, lab.provider), 1_001, legs)
    assert budget.block(edition, refusal)
    assert not Edition.objects.claimable(NOW).exists()

    answer = lab.post(lab.ada, of="member", public_id=lab.bobs.public_id, tokens="2000")

    assert "1 edition that waited for it is read on now." in answer.content.decode()
    assert Edition.objects.claimable(NOW).get().blocked_by == {}
    assert isinstance(lab.hold(1_001), Hold)


def test_a_limit_lowered_by_the_api_during_a_run_refuses_new_holds_and_lets_running_ones_settle(lab):
    """F21: below what is used and held already."""
    running = lab.hold(900)
    body = {"subject": "member", "member": str(lab.bobs.public_id), "period": "day", "limit_tokens": 500}

    answer = as_(lab.ada).put("/api/v1/teams/lab/quotas/", body, content_type="application/json")

    assert answer.status_code == 200
    assert lab.hold(1).limit == 500
    budget.settle(running, Usage(700, 100), now=NOW)
    window = BudgetWindow.objects.get(scope=Scope.MEMBER, subject_id=lab.bobs.pk)
    assert (window.used_tokens, window.held_tokens, window.limit_tokens) == (800, 0, 500)


def test_another_members_raise_unblocks_nobody(lab):
    edition = Edition.objects.create(profile=lab.secret, day=factories.DAY, state=Edition.State.SCREENED)
    refusal = budget.hold(
        factories.call(lab.secret, lab.provider), 250_001, budget.legs_of(lab.secret, lab.provider)
    )
    budget.block(edition, refusal)

    lab.post(lab.ada, of="member", public_id=lab.alice.memberships.get().public_id, tokens="2M")

    assert not Edition.objects.claimable(NOW).exists()


def test_a_raised_default_unblocks_who_has_no_limit_of_their_own(lab):
    edition = Edition.objects.create(profile=lab.secret, day=factories.DAY, state=Edition.State.SCREENED)
    refusal = budget.hold(
        factories.call(lab.secret, lab.provider), 250_001, budget.legs_of(lab.secret, lab.provider)
    )
    budget.block(edition, refusal)

    lab.post(lab.ada, of="default", tokens="500k")

    assert Edition.objects.claimable(NOW).get() == edition


def test_an_edition_is_not_stopped_by_a_limit_that_has_changed_meanwhile(lab):
    edition = Edition.objects.create(profile=lab.secret, day=factories.DAY, state=Edition.State.SCREENED)
    legs = budget.legs_of(lab.secret, lab.provider)
    refusal = budget.hold(factories.call(lab.secret, lab.provider), 250_001, legs)

    budget.change_quota(None, quotas.member(lab.bobs), Period.DAY, 500_000)

    assert not budget.block(edition, refusal)
    assert Edition.objects.claimable(NOW).exists()


@pytest.mark.parametrize("members", [1, 40])
def test_the_page_asks_the_same_few_questions_for_any_team(lab, members, django_assert_max_num_queries):
    for _ in range(members):
        factories.membership(lab.team, factories.user())
    factories.profile(None, team=lab.team, name="Journal club")
    client = as_(lab.ada)

    with django_assert_max_num_queries(12):
        assert "Journal club" in client.get(lab.path).content.decode()


def test_a_reader_sees_their_limits_and_days(lab, django_assert_max_num_queries):
    budget.settle(lab.hold(60_000), None)
    client = as_(lab.bob)

    with django_assert_max_num_queries(12):
        page = client.get(reverse("budget")).content.decode()

    for shown in ("60,000", "250,000", "1,000,000", "2,000,000", "2026-01-30", "$0.12"):
        assert shown in page
    by_day = page.partition("The same as a table")[2]
    assert '<td class="num">60,000</td>' in by_day
    assert "60,000 tokens of these are assumed" in page


def test_who_pays_for_nothing_is_told_so(lab):
    assert "Nobody pays for your reading yet" in as_(lab.charlie).get(reverse("budget")).content.decode()


def render(request, template="{% if meter %}{{ meter.text }}{% endif %}{{ meter.used }}"):
    return Template(template).render(Context(meter(request)))


def test_the_meter_is_one_question_however_often_it_is_shown(lab, django_assert_num_queries):
    budget.change_quota(None, quotas.member(lab.bobs), Period.DAY, 500_000)
    lab.hold(312_400)
    request = RequestFactory().get("/")
    request.user = lab.bob

    with django_assert_num_queries(1):
        assert render(request) == "312k of 500k tokens, resets in 9 h312400"
        render(request)


def test_the_meter_of_an_untouched_day_shows_the_limit_in_force(lab, django_assert_num_queries):
    factories.quota(Scope.MEMBER, 4_000_000, team=lab.team)
    request = RequestFactory().get("/")
    request.user = lab.bob

    with django_assert_num_queries(1):
        assert render(request) == "0 of 4M tokens, resets in 9 h0"
    assert not BudgetWindow.objects.exists()


def test_the_meter_shows_the_fullest_period(lab):
    budget.change_quota(None, quotas.member(lab.bobs), Period.WEEK, 10_000)
    lab.hold(9_500)
    request = RequestFactory().get("/")
    request.user = lab.bob

    assert render(request).startswith("9k of 10k tokens, resets in 2 days")


def test_a_limit_that_was_taken_away_is_no_longer_the_fullest(lab):
    budget.change_quota(None, quotas.member(lab.bobs), Period.WEEK, 10_000)
    lab.hold(9_500)
    budget.change_quota(None, quotas.member(lab.bobs), Period.WEEK, None)
    request = RequestFactory().get("/")
    request.user = lab.bob

    assert render(request).startswith("9k of 250k tokens")
    assert isinstance(lab.hold(9_500), Hold)
    assert budget.audit() == []


def test_a_page_that_shows_no_meter_asks_nothing(lab, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user = lab.bob

    with django_assert_num_queries(0):
        render(request, "nothing here")


@pytest.mark.parametrize(
    ("tokens", "told"),
    [(0, "0"), (999, "999"), (1_000, "1k"), (312_999, "312k"), (1_290_000, "1.2M"), (2_000_000, "2M"),
     (12_900_000, "12M"), (10**12, "1,000,000M")],
)  # fmt: skip
def test_tokens_are_told_in_short_and_never_rounded_up(tokens, told):
    assert words.short(tokens) == told


@pytest.mark.parametrize(("microusd", "told"), [(0, "$0.00"), (4_100, "$0.0041"), (12_300_000, "$12.30")])
def test_money_is_told_in_what_can_be_seen(microusd, told):
    assert words.dollars(microusd) == told


def test_a_stop_is_told_while_it_lasts_and_where_nobody_pays(lab):
    edition = Edition(profile=lab.secret, day=factories.DAY)
    edition.blocked_by, edition.blocked_until = {"reason": "no_payer"}, NOW + dt.timedelta(hours=1)
    assert blocked.of(edition, lab.bob.zone, timezone.now()).heading == "Nobody pays for this profile."

    legs = budget.legs_of(lab.secret, lab.provider)
    refusal = budget.hold(factories.call(lab.secret, lab.provider), 250_001, legs)
    edition.blocked_by, edition.blocked_until = refusal.as_blocked_by, refusal.resets_at
    assert "250,000" in blocked.of(edition, lab.bob.zone, timezone.now()).text
    with time_machine.travel(refusal.resets_at, tick=False):
        assert blocked.of(edition, lab.bob.zone, timezone.now()) is None


def test_strangers_and_viewers_have_no_meter(lab):
    lab.bobs.role = Role.VIEWER
    lab.bobs.save(update_fields=["role"])
    for user in (AnonymousUser(), lab.bob):
        request = RequestFactory().get("/")
        request.user = user
        assert not meter(request)["meter"]
