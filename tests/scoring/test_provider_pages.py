"""The pages of providers: what is typed, what is shown, what a check costs, and a name that leads elsewhere later."""

import datetime as dt
import re
import socket

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from profiles.models import Role, Scope
from scoring import budget, providers
from scoring.judging import checkup
from scoring.models import BudgetWindow, Call, Hold, ModelChoice, Provider
from scoring.simulated.faults import Fault
from tests import factories

pytestmark = pytest.mark.django_db

TYPED = {
    "name": "ours",
    "base_url": "https://llm.example/v1",
    "model": "m",
    "api_key": "sk-1234567890ab",
    "price_input": "0.15",
    "price_cached": "",
    "price_output": "0.60",
    "price_reasoning": "0",
    "context_tokens": "32768",
    "concurrency": "8",
    "block_size": "20",
    "extra_params": '{"top_p": 0.9}',
}


@pytest.fixture
def alice(client):
    user = factories.user("alice@example.org")
    client.force_login(user)
    return user


@pytest.fixture
def lab(alice):
    return factories.team(alice, name="Lab")


def address(name, *args):
    return reverse(name, args=args)


def text(response) -> str:
    return response.content.decode()


def answer_the_check():
    """What a worker does that finds the question."""
    held = checkup.claim(timezone.now())
    assert held is not None
    checkup.answer(held)
    assert checkup.claim(timezone.now()) is None


def test_a_team_adds_a_provider_with_prices_typed_as_money(client, lab):
    answer = client.post(address("team_provider_new", lab.slug), TYPED)

    assert answer.status_code == 302
    made = Provider.objects.get(team=lab)
    assert (made.price_input_microusd, made.price_cached_microusd) == (150_000, None)
    assert (made.price_output_microusd, made.price_reasoning_microusd) == (600_000, 0)
    assert made.extra_params == {"top_p": 0.9}
    page = text(client.get(answer.url))
    assert "…90ab" in page
    assert "sk-1234567890ab" not in page
    assert "own key is used" in page
    assert "sk-1234" not in text(client.get(address("team_provider", lab.slug, made.public_id)))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("base_url", "https://me:secret@llm.example/v1", "No name or password"),
        ("base_url", "http://169.254.169.254/", "not a public address"),
        ("price_input", "-1", "not negative"),
        ("price_output", "99999", "More than 1000"),
        ("price_cached", "0.0000001", "six decimals"),
        ("extra_params", "{", "no JSON"),
        ("extra_params", '{"messages": []}', "set by Broadsheet itself"),
        ("concurrency", "2.5", "whole number"),
        ("model", "", "required"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(client, lab, field, value, message):
    answer = client.post(address("team_provider_new", lab.slug), {**TYPED, field: value})

    assert answer.status_code == 422
    assert message in text(answer)
    assert not Provider.objects.exists()


def test_an_empty_key_stays_and_another_server_wants_it_again(client, lab):
    made = factories.team_provider(lab, api_key="sk-1234567890ab", name="ours")
    page = address("team_provider", lab.slug, made.public_id)

    assert client.post(page, {**TYPED, "api_key": ""}).status_code == 302
    assert (
        client.post(page, {**TYPED, "api_key": "", "base_url": "https://thief.example/"}).status_code == 422
    )

    made.refresh_from_db()
    assert (providers.key_of(made), made.base_url) == ("sk-1234567890ab", "https://llm.example/v1")


def test_pausing_resuming_retiring_and_bringing_back_are_buttons(client, lab):
    made = factories.team_provider(lab)

    def press(deed):
        client.post(address("team_provider_deed", lab.slug, made.public_id), {"deed": deed})
        made.refresh_from_db()

    press("pause")
    assert made.paused_reason == "by_hand"
    assert "Paused by hand." in text(client.get(address("team_providers", lab.slug)))
    press("resume")
    assert made.paused_at is None
    press("retire")
    assert not made.is_active
    press("back")
    assert made.is_active


def test_an_owner_chooses_among_the_operators_models_and_a_member_only_looks(client, alice, lab):
    first, second = factories.provider("https://a.example/v1"), factories.provider("https://b.example/v1")
    page = address("team_providers", lab.slug)

    client.post(page, {"provider": str(second.public_id)})

    assert ModelChoice.objects.get().provider == second
    assert providers.provider_of_team(lab) == second
    client.post(page, {"provider": ""})
    assert providers.provider_of_team(lab) == first

    bob = factories.user()
    factories.membership(lab, bob, Role.MEMBER)
    client.force_login(bob)
    assert first.name in text(client.get(page))
    assert client.post(page, {"provider": str(second.public_id)}).status_code == 403


def test_the_operator_offers_a_model_to_named_teams_only(client, lab):
    client.force_login(factories.user(is_staff=True))
    wrong = client.post(address("operator_provider_new"), {**TYPED, "teams": "no-such-team"})
    assert "No team has the short name no-such-team" in text(wrong)
    assert not Provider.objects.exists()

    client.post(address("operator_provider_new"), {**TYPED, "teams": lab.slug})

    made = Provider.objects.get()
    assert made.team is None
    assert providers.allowed(lab) == [made]
    assert providers.allowed(factories.team(factories.user())) == []
    assert "Lab" in text(client.get(address("operator_providers")))


def test_a_check_is_held_and_paid_by_the_team_and_the_one_who_asks(client, lab, fake_model, settings):
    settings.LLM_PRIVATE_ADDRESSES = ["127.0.0.0/8"]
    made = factories.team_provider(
        lab, fake_model.base_url, model="simulated", price_input_microusd=1_000_000
    )

    for _twice in range(2):
        client.post(address("team_provider_deed", lab.slug, made.public_id), {"deed": "check"})
    assert Hold.objects.open().count() == 1
    assert fake_model.requests == []
    answer_the_check()

    made.refresh_from_db()
    held = Hold.objects.get()
    assert (held.state, held.used_tokens) == (Hold.State.SETTLED, fake_model.bill.total_tokens)
    assert {window.scope for window in BudgetWindow.objects.all()} == {Scope.TEAM, Scope.MEMBER}
    assert all(
        window.cost_microusd == Call.objects.get().cost_microusd > 0 for window in BudgetWindow.objects.all()
    )
    assert made.last_check["problem"] == ""
    assert "answered in" in text(client.get(address("team_providers", lab.slug)))
    assert list(budget.audit()) == []


def test_a_check_of_a_full_pool_is_refused_and_leaves_nothing(client, lab):
    made = factories.team_provider(lab)
    factories.quota(Scope.TEAM, 10, team=lab)

    answer = client.post(
        address("team_provider_deed", lab.slug, made.public_id), {"deed": "check"}, follow=True
    )

    assert "pool is used up" in text(answer)
    assert not Call.objects.exists()


def test_a_redirect_is_not_followed_and_says_so(client, lab, fake_model, settings):
    settings.LLM_PRIVATE_ADDRESSES = ["127.0.0.0/8"]
    made = factories.team_provider(lab, fake_model.base_url, model="simulated")
    fake_model.settings.faults.add(Fault(status=302))

    client.post(address("team_provider_deed", lab.slug, made.public_id), {"deed": "check"})
    answer_the_check()

    assert "sends on to another address" in text(client.get(address("team_providers", lab.slug)))
    assert Hold.objects.get().state == Hold.State.RELEASED


def test_a_name_that_leads_to_a_private_address_on_the_second_look_up_is_refused(
    client, lab, fake_model, settings, monkeypatch
):
    """The network is faked: 203.0.113.7 stands for a public address, and leads to the simulated model."""
    settings.LLM_PRIVATE_ADDRESSES = ["203.0.113.0/24"]
    port = int(fake_model.base_url.rpartition(":")[2].partition("/")[0])
    answers = ["203.0.113.7", "127.0.0.1"]
    look_up, connect = socket.getaddrinfo, socket.create_connection

    def rebound(host, *args, **named):
        if host != "rebind.example":
            return look_up(host, *args, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    def routed(target, *args, **named):
        return connect(("127.0.0.1" if target[0] == "203.0.113.7" else target[0], target[1]), *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    monkeypatch.setattr(socket, "create_connection", routed)
    made = factories.team_provider(lab, f"http://rebind.example:{port}/v1", model="simulated")
    check = address("team_provider_deed", lab.slug, made.public_id)

    client.post(check, {"deed": "check"})
    answer_the_check()
    paid = Hold.objects.get().used_tokens
    assert paid > 0

    providers.set_key(made, "sk-another-key-so-that-a-new-connection-is-made")
    client.post(check, {"deed": "check"})
    answer_the_check()

    assert answers == []
    assert len(fake_model.requests) == 1
    assert "leads to an address that is not public" in text(client.get(address("team_providers", lab.slug)))
    last = Hold.objects.order_by("pk").last()
    assert (last.state, last.used_tokens) == (Hold.State.RELEASED, 0)
    assert BudgetWindow.objects.get(scope=Scope.TEAM).used_tokens == paid
    assert list(budget.audit()) == []


def test_the_list_costs_few_queries_however_many_providers(client, lab, django_assert_max_num_queries):
    for _each in range(12):
        factories.team_provider(lab)

    with django_assert_max_num_queries(12):
        client.get(address("team_providers", lab.slug))


def test_a_profile_chooses_only_where_there_is_a_choice_and_only_among_its_teams(client, alice, lab):
    profile = factories.profile(alice, team=lab)
    page = address("profile", profile.public_id)
    first = factories.team_provider(lab)
    assert "Who reads for this profile" not in text(client.get(page))
    second = factories.provider("https://b.example/v1")
    assert "Who reads for this profile" in text(client.get(page))
    typed = {
        "name": profile.name,
        "interest_name": ["Graph Neural Networks", "Reinforcement Learning"],
        "interest_description": ["graph neural networks", "reinforcement learning"],
        "interest_weight": ["1", "1"],
        "interest_terms": ["", ""],
        "categories": "cs.LG",
        "bar": "6",
        "target_recall": "90",
        "reason_language": "en",
    }

    foreign = factories.team_provider(factories.team(factories.user()))
    assert client.post(page, {**typed, "provider": str(foreign.public_id)}).status_code == 404
    assert providers.provider_of(profile) == first

    assert client.post(page, {**typed, "provider": str(second.public_id)}).status_code == 302
    assert providers.provider_of(profile) == second
    assert client.post(page, {**typed, "provider": ""}).status_code == 302
    assert providers.provider_of(profile) == first


def test_the_account_the_calls_and_the_receipt_of_a_day_name_money_beside_tokens(client, alice):
    edition = factories.edition(factories.profile(alice))
    paper = factories.paper()
    factories.judged(edition, paper, [90, 0])
    day = address("day", edition.day)

    assert "$" not in text(client.get(day))
    Call.objects.update(cost_microusd=4100)

    assert "($0.0041)" in text(client.get(day))
    assert "$0.0041" in text(client.get(f"{day}?profile={edition.profile.public_id}&show=tokens"))
    assert "1 papers ($0.0041)" in text(client.get(address("paper", paper.arxiv_id)))
    told = client.get(address("api_edition", edition.public_id)).json()
    assert told["cost_microusd"] == 4100


# --- how it is asked just now --------------------------------------------------------------------------

NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(seconds=30)


def told_of(client, lab, **fields):
    """The card of the lab's own provider, read half a minute after six, without tags and line breaks."""
    made = factories.team_provider(lab, name="ours", concurrency=8)
    Provider.objects.filter(pk=made.pk).update(**fields)
    with time_machine.travel(LATER, tick=False):
        page = text(client.get(address("team_providers", lab.slug)))
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_provider_that_is_well_says_so(client, lab):
    page = told_of(client, lab)

    assert "Calls at once 8, as set" in page
    assert "Breaker closed: it is asked" in page
    assert "Repeats left 20 of 20 (0 repeats, 0 first calls in ten minutes)" in page
    assert "paused" not in page


HALVED = {"allowed_at_once": 2, "shrunk_at": NOW, "answers_since_growth": 3}
GROWN = HALVED | {"shrunk_at": NOW - dt.timedelta(hours=1), "grown_at": NOW}
OPEN = {"failures": 3, "opened_at": NOW, "open_until": NOW + dt.timedelta(seconds=40)}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param(
            HALVED, "2 of 8: halved on 2026-01-30 06:00, for the server was busy (429)", id="halved"
        ),
        pytest.param(HALVED, "one more after the next 7 answers", id="grows"),
        pytest.param(
            GROWN, "2 of 8: grown on 2026-01-30 06:00 since it was halved on 2026-01-30 05:00", id="grown"
        ),
        pytest.param(
            GROWN | {"allowed_at_once": None},
            "8, as set: what a busy server had taken was given back by 2026-01-30 06:00",
            id="given back",
        ),
        pytest.param({"failures": 2}, "closed: 2 failures in a row, it opens at 3", id="counting"),
        pytest.param(
            OPEN,
            "open since 2026-01-30 06:00:00, after 3 failures in a row: nobody asks it until 2026-01-30 06:00:40",
            id="open",
        ),
        pytest.param(OPEN, "ours m paused", id="badge"),
        pytest.param(OPEN, "none now; after the pause 1 of 8, as a probe", id="none"),
        pytest.param({"failures": 1}, "closed: 1 failure, it opens at 3 in a row", id="one failure"),
        pytest.param(OPEN | {"open_until": NOW}, "half open: the pause is over", id="half open"),
        pytest.param(OPEN | {"open_until": NOW}, "1 of 8, as a probe", id="probe"),
        pytest.param(
            OPEN | {"failures": 0}, "closed, but the server asked to wait until 2026-01-30 06:00:40", id="429"
        ),
    ],
)
def test_the_card_says_how_a_provider_is_asked_and_why(client, lab, fields, told):
    assert told in told_of(client, lab, **fields)


def test_the_card_says_when_the_next_repeat_may_be_made(client, lab):
    judge = factories.team_provider(lab, name="ours")
    made = {"provider": judge, "day": NOW.date()}
    Call.objects.bulk_create([Call(**made, is_repeat=True, created_at=NOW) for _ in range(21)])
    Call.objects.bulk_create([Call(**made, created_at=NOW) for _ in range(10)])
    with time_machine.travel(LATER, tick=False):
        page = text(client.get(address("team_providers", lab.slug)))

    assert "no more are repeated before 2026-01-30 06:10" in page
    assert "0 of 21 (21 repeats, 10 first calls in ten minutes)" in page


def test_who_may_not_steer_sees_no_card(client, lab):
    factories.team_provider(lab, name="ours")
    member = factories.user("member@example.org")
    factories.membership(lab, member, Role.MEMBER)
    client.force_login(member)

    assert "Breaker" not in text(client.get(address("team_providers", lab.slug)))
