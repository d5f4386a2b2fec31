"""Who sees what was spent: a team's owners and admins their team, the operator all teams, nobody a private profile."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from profiles import teams
from profiles.models import Membership, Role
from scoring import budget, charts
from scoring.spent import spans
from scoring.usage import Usage
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)
DAYS = [dt.timedelta(days=n) for n in (0, 1, 31)]


class Lab:
    """Alice owns, Bob belongs and spent, Charlie spent and left; one team profile spent too."""

    def __init__(self):
        self.alice, self.bob = (
            factories.user("alice@example.org"),
            factories.user("bob@example.org", name="Bob"),
        )
        self.charlie = factories.user("charlie@example.org", name="Charlie")
        self.team = factories.team(self.alice, self.bob, self.charlie, owner=self.alice)
        self.provider = factories.provider("http://127.0.0.1:9/v1", price_input_microusd=2_000_000)
        self.private = factories.profile(self.bob, team=self.team, name="Bob's secret field")
        gone = factories.profile(self.charlie, team=self.team, name="Charlie's secret field")
        shared = factories.profile(None, team=self.team, name="Reading group")
        for day, tokens in zip(DAYS, (700, 300, 500), strict=True):
            self.spend(self.private, tokens, NOW - day, papers=2)
        self.spend(gone, 200, NOW)
        self.spend(shared, 800, NOW, papers=4)
        with time_machine.travel(NOW):
            teams.remove_member(self.alice, Membership.objects.get(team=self.team, user=self.charlie))

    def spend(self, profile, tokens, now, papers=0):
        call = factories.call(profile, self.provider, outcome="garbled")
        held = budget.hold(call, 10_000, budget.legs_of(profile, self.provider), now=now)
        budget.settle(held, Usage(tokens, 0), papers=papers, now=now)


@pytest.fixture
def lab(client):
    lab = Lab()
    client.force_login(lab.alice)
    with time_machine.travel(NOW, tick=False):
        yield lab


def page(client, lab, query="", name="team_spending"):
    return client.get(reverse(name, args=[lab.team.slug]) + query)


def rows(response):
    return {row.name: row for row in response.context["rows"]}


def test_the_page_says_who_used_what_in_these_days_and_in_those_before(client, lab):
    found = rows(page(client, lab))

    assert (found["Bob"].used, found["Bob"].before, found["Bob"].difference) == (1_000, 500, 500)
    assert (found["Bob"].papers, found["Bob"].tokens_a_paper) == (4, 250)
    assert found["Bob"].profiles == 1
    assert found["Bob"].cost_microusd == 2_000
    assert found["Bob"].share == 50.0
    assert found["Bob"].last_active == NOW.date()
    assert found["Reading group"].used == 800


def test_who_left_is_a_sum_without_a_name(client, lab):
    response = page(client, lab)

    assert rows(response)["Former members"].used == 200
    assert "Charlie" not in response.content.decode()
    assert [each.name for each in response.context["seen"].chart.series] == [
        "Bob", "Reading group", "Former members",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["team_spending", "team_spending_file", "api_team_spending"])
def test_no_name_of_a_private_profile_is_in_page_file_or_api(client, lab, name):
    response = page(client, lab, name=name)

    assert response.status_code == 200
    assert "Reading group" in response.content.decode()
    assert "secret" not in response.content.decode()


def test_the_rows_are_sorted_by_any_column_and_filtered_by_name_and_role(client, lab):
    assert [row.name for row in page(client, lab, "?sort=used").context["rows"]][-1] == "Bob"
    assert list(rows(page(client, lab, "?q=BOB"))) == ["Bob"]
    assert list(rows(page(client, lab, "?role=member"))) == ["Bob"]
    for head in page(client, lab).context["heads"]:
        assert page(client, lab, f"?sort={head['key']}").status_code == 200


def test_the_file_holds_the_same_filter_and_no_formula(client, lab):
    lab.bob.name = "=HYPERLINK(1)"
    lab.bob.save()

    text = page(client, lab, "?role=member", name="team_spending_file").content.decode()

    assert "'=HYPERLINK(1)" in text
    assert "Reading group" not in text
    assert text.count("\n") == 2


def test_a_month_is_compared_with_the_same_days_of_the_month_before(client, lab):
    span = page(client, lab, "?month=2026-01").context["span"]

    assert (span.first, span.last) == (dt.date(2026, 1, 1), dt.date(2026, 1, 30))
    assert (span.before.first, span.before.last) == (dt.date(2025, 12, 1), dt.date(2025, 12, 30))


@pytest.mark.parametrize(
    "query", ["?days=-1", "?days=9999999", "?month=2026-13", "?month=x", "?sort=x", "?page=x"]
)
def test_nonsense_in_the_address_shows_the_usual_days(client, lab, query):
    response = page(client, lab, query)

    assert response.status_code == 200
    assert response.context["span"].length == 30


def test_a_member_is_refused_and_a_stranger_finds_nothing(client, lab):
    client.force_login(lab.bob)
    assert page(client, lab).status_code == 403
    client.force_login(factories.user("mallory@example.org"))
    assert page(client, lab).status_code == 404


def test_the_queries_do_not_grow_with_the_team(client, lab, django_assert_max_num_queries):
    for _ in range(12):
        member = factories.user()
        factories.membership(lab.team, member, Role.MEMBER)
        lab.spend(factories.profile(member, team=lab.team), 50, NOW)

    with django_assert_max_num_queries(12):
        response = page(client, lab)

    assert len(response.context["seen"].chart.series) == charts.COLOURS + 2


def test_a_team_that_spent_nothing_says_so(client, lab):
    assert "Nothing was spent on these days." in page(client, lab, "?month=2025-06").content.decode()


def test_a_personal_team_shows_its_one_reader(client, lab):
    own = teams.personal_team_of(lab.alice)
    lab.spend(factories.profile(lab.alice, team=own), 400, NOW)

    found = rows(client.get(reverse("team_spending", args=[own.slug])))

    assert found[lab.alice.display_name].used == 400


# --- one's own -------------------------------------------------------------------------------------


def test_a_reader_sees_what_their_tokens_bought(client, lab, django_assert_max_num_queries):
    edition = factories.edition(lab.private, account={"screened": 50})
    factories.judged(edition, factories.paper(), [90])
    factories.judged(edition, factories.paper(), [10])
    edition.opened_at = NOW
    edition.save(update_fields=["opened_at"])
    client.force_login(lab.bob)

    with django_assert_max_num_queries(12):
        response = client.get(reverse("budget"))

    seen = response.context["seen"]
    assert [(part.name, part.used) for part in seen.profiles] == [("Bob's secret field", 1_000)]
    assert [part.name for part in seen.judges] == [lab.provider.provider_model]
    assert (seen.papers, seen.tokens_a_paper) == (4, 250)
    assert (seen.recommended, seen.tokens_a_pick) == (1, 1_000)
    assert (seen.screened, seen.saved_tokens, seen.saved) == (50, 12_500, "$0.0250")


def test_nobody_sees_anothers_spending_on_their_own_page(client, lab):
    assert client.get(reverse("budget")).context["seen"].used == 0


# --- the operator ----------------------------------------------------------------------------------


def test_the_operator_sees_all_teams_and_no_words_of_a_profile(client, lab, django_assert_max_num_queries):
    client.force_login(factories.user("root@example.org", is_staff=True))

    with django_assert_max_num_queries(16):
        response = client.get(reverse("operator_spending"))

    (row,) = response.context["rows"]
    assert (row.name, row.members, row.used, row.before) == (lab.team.name, 2, 2_000, 500)
    assert "secret" not in response.content.decode()
    assert str(lab.private.public_id) in response.content.decode()
    assert "secret" not in client.get(reverse("operator_spending_file")).content.decode()


def test_the_operators_page_does_not_exist_for_others(client, lab):
    assert client.get(reverse("operator_spending")).status_code == 404
    assert client.get(reverse("operator_spending_file")).status_code == 404


# --- geometry --------------------------------------------------------------------------------------


def told(name, day, value):
    return f"{name} {day} {value}"


def chart(*days):
    dates = charts.days_of(dt.date(2026, 1, 1), dt.date(2026, 1, len(days)))
    return charts.stacked(dates, [charts.Series("a", list(days), "series-1")], told)


def test_a_spike_stays_inside_and_what_is_small_beside_it_is_still_seen():
    spiked = chart(1, 10**9)

    assert float(spiked.bars[1].y) == 0
    assert float(spiked.bars[0].height) == charts.LEAST


def test_a_single_day_is_a_bar_and_not_a_wall():
    assert float(chart(5).bars[0].width) == charts.WIDEST


def test_nothing_spent_is_an_empty_chart():
    assert chart(0, 0).is_empty
    assert chart(0, 0).bars == []


@pytest.mark.parametrize(("most", "top"), [(0, 2), (3, 4), (9, 10), (101, 200), (650_000, 800_000)])
def test_the_scale_ends_on_a_round_number(most, top):
    assert charts.ceiling(most) == top


def test_days_of_windows_hold_through_a_clock_change():
    berlin = dt.timezone(dt.timedelta(hours=1))
    span = spans.Span(dt.date(2026, 1, 1), dt.date(2026, 1, 3), berlin)

    assert span.day_of(dt.datetime(2025, 12, 31, 23, tzinfo=dt.UTC)) == dt.date(2026, 1, 1)
    assert span.day_of(dt.datetime(2026, 1, 1, 22, tzinfo=dt.UTC)) == dt.date(2026, 1, 2)
