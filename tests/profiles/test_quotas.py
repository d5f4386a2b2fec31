"""What may be spent: the limits in force, and who may change them."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from profiles import quotas
from profiles.models import AuditEvent, Period, Quota, Role, Scope
from tests import factories

pytestmark = pytest.mark.django_db
DAY, WEEK = Period.DAY, Period.WEEK


@pytest.fixture
def people():
    """Alice owns, Ada administers, Bob belongs; Charlie is a stranger."""

    class People:
        alice, ada, bob = factories.user(), factories.user(), factories.user()
        charlie = factories.user()
        team = factories.team(alice, bob)

    factories.membership(People.team, People.ada, Role.ADMIN)
    People.bobs = People.bob.memberships.get()
    return People


def in_force(subject):
    leg = subject.leg
    return quotas.limits_in_force(leg.scope, leg.subject_id, leg.team_id)


def test_without_a_row_the_settings_hold(people, settings):
    settings.INSTANCE_DAILY_TOKENS, settings.DEFAULT_TEAM_DAILY_TOKENS = 9_000, 5_000
    settings.DEFAULT_MEMBER_DAILY_TOKENS = 700

    assert in_force(quotas.instance()) == {DAY: 9_000}
    assert in_force(quotas.pool(people.team)) == {DAY: 5_000}
    assert in_force(quotas.member(people.bobs)) == {DAY: 700}
    assert in_force(quotas.share(factories.profile(None, team=people.team))) == {DAY: 700}


def test_a_members_own_row_wins_over_the_teams_default_a_period_each(people):
    factories.quota(Scope.MEMBER, 300, team=people.team)
    factories.quota(Scope.MEMBER, 2_000, WEEK, team=people.team)
    factories.quota(Scope.MEMBER, 400, team=people.team, membership=people.bobs)

    assert in_force(quotas.member(people.bobs)) == {DAY: 400, WEEK: 2_000}
    assert in_force(quotas.member(people.alice.memberships.get())) == {DAY: 300, WEEK: 2_000}


def test_the_limits_of_many_are_one_query(people, django_assert_num_queries):
    legs = [quotas.member(each).leg for each in people.team.memberships.select_related("team")]

    with django_assert_num_queries(1):
        assert len(quotas.limits_of([*legs, quotas.INSTANCE])) == 4


def test_an_admin_sets_an_override_and_the_trail_says_so(people):
    quotas.set_quota(people.ada, quotas.member(people.bobs), DAY, 500_000)
    quotas.set_quota(people.ada, quotas.member(people.bobs), DAY, 500_000)

    assert in_force(quotas.member(people.bobs)) == {DAY: 500_000}
    event = AuditEvent.objects.get()
    assert (event.actor_key, event.subject_key) == (people.ada.public_id, people.bobs.public_id)
    assert event.code == "quota.set"
    assert event.after == {"scope": "member", "period": "day", "limit_tokens": 500_000}


def test_taking_an_override_away_leaves_the_default(people, settings):
    quotas.set_quota(people.ada, quotas.member(people.bobs), DAY, 5)
    quotas.set_quota(people.ada, quotas.member(people.bobs), DAY, None)

    assert in_force(quotas.member(people.bobs)) == {DAY: settings.DEFAULT_MEMBER_DAILY_TOKENS}
    assert AuditEvent.objects.filter(code="quota.removed").count() == 1


def test_a_member_may_set_nothing_and_a_stranger_finds_no_team(people):
    for subject in (quotas.pool(people.team), quotas.member_default(people.team), quotas.member(people.bobs)):
        with pytest.raises(PermissionDenied):
            quotas.set_quota(people.bob, subject, DAY, 1)
        with pytest.raises(Http404):
            quotas.set_quota(people.charlie, subject, DAY, 1)

    assert not Quota.objects.exists()


def test_nobody_in_a_team_sets_the_instances_limit(people):
    with pytest.raises(PermissionDenied):
        quotas.set_quota(people.alice, quotas.instance(), DAY, 1)


def test_an_admin_lowers_the_pool_and_only_an_owner_raises_it(people, settings):
    settings.DEFAULT_TEAM_DAILY_TOKENS = 1_000
    pool = quotas.pool(people.team)

    quotas.set_quota(people.ada, pool, DAY, 600)
    with pytest.raises(ValidationError) as refused:
        quotas.set_quota(people.ada, pool, DAY, 601)
    with pytest.raises(ValidationError):
        quotas.set_quota(people.ada, pool, DAY, None)
    assert refused.value.code == "not_owner"

    quotas.set_quota(people.alice, pool, DAY, 1_000)
    assert in_force(pool) == {DAY: 1_000}


def test_an_owner_raises_the_pool_up_to_what_the_operator_gave(people, settings):
    settings.DEFAULT_TEAM_DAILY_TOKENS = 1_000
    pool = quotas.pool(people.team)

    with pytest.raises(ValidationError) as refused:
        quotas.set_quota(people.alice, pool, DAY, 1_001)
    assert refused.value.code == "above_ceiling"

    quotas.set_quota(None, pool, DAY, 5_000)
    quotas.set_quota(people.alice, pool, DAY, 100)
    quotas.set_quota(people.alice, pool, DAY, 5_000)
    assert in_force(pool) == {DAY: 5_000}


def test_an_owner_cannot_shake_off_what_the_operator_gave(people):
    pool = quotas.pool(people.team)
    quotas.set_quota(None, pool, WEEK, 4_000)

    quotas.set_quota(people.alice, pool, WEEK, 1_000)
    quotas.set_quota(people.alice, pool, WEEK, None)

    assert in_force(pool)[WEEK] == 4_000


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("0", 0), ("250000", 250_000), (" 250,000 ", 250_000), ("250k", 250_000), ("2M", 2_000_000),
     ("1 000 000", 1_000_000), ("１２", 12)],
)  # fmt: skip
def test_a_limit_is_read_as_people_write_it(text, tokens):
    assert quotas.parse_tokens(text) == tokens


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("-5", "negative"), ("2.5", "not_whole"), ("1e6", "not_whole"), ("12,34", "not_whole"),
     ("lots", "not_whole"), ("1000000000001", "huge"), ("=1+1", "not_whole")],
)  # fmt: skip
def test_what_cannot_be_a_limit_says_why(text, code):
    with pytest.raises(ValidationError) as refused:
        quotas.parse_tokens(text)

    assert refused.value.code == code


@pytest.mark.parametrize("tokens", [-1, 10**12 + 1, 2.5, True])
def test_a_limit_out_of_range_changes_nothing(people, tokens):
    with pytest.raises(ValidationError):
        quotas.set_quota(None, quotas.member(people.bobs), DAY, tokens)

    assert not Quota.objects.exists()
    assert not AuditEvent.objects.exists()
