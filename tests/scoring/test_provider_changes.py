"""People add, edit, pause, retire, offer and choose providers: what holds, what is refused, what is written down."""

import datetime as dt
import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from profiles.models import AuditEvent
from scoring import providers
from scoring.models import Provider
from scoring.providers import Facts, Why
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)
KEY = "sk-1234567890ab"


def facts(**fields) -> Facts:
    return Facts(**{"name": "ours", "base_url": "https://llm.example/v1", "model": "m", **fields})


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


@pytest.fixture
def lab(alice):
    return factories.team(alice, name="Lab")


def refused(deed, *args, **fields) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        deed(*args, **fields)
    return caught.value.message_dict


def codes() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("code", flat=True))


# --- a key -----------------------------------------------------------------------------------------


def test_a_team_adds_its_own_and_the_audit_never_holds_the_key(alice, lab):
    made = providers.add(alice, lab, facts(), KEY)

    event = AuditEvent.objects.get()
    assert (providers.key_of(made), made.api_key_last_four) == (KEY, "90ab")
    assert (event.code, event.team_key, event.subject_key) == (
        "provider.added",
        lab.public_id,
        made.public_id,
    )
    assert event.after["has_key"] is True
    assert KEY not in json.dumps([event.before, event.after])
    assert providers.reading_for_team(lab).why == Why.OWN_KEY


def test_a_key_is_not_sent_to_another_server_than_it_was_given_for(alice, lab):
    made = providers.add(alice, lab, facts(), KEY)
    elsewhere = facts(base_url="https://thief.example/v1")

    assert "api_key" in refused(providers.edit, alice, made, elsewhere, "")
    made.refresh_from_db()
    assert made.base_url == "https://llm.example/v1"

    providers.edit(alice, made, facts(base_url="https://llm.example/v2"), "")
    made.refresh_from_db()
    assert providers.key_of(made) == KEY

    providers.edit(alice, made, elsewhere, "sk-for-the-other-one")
    made.refresh_from_db()
    assert providers.key_of(made) == "sk-for-the-other-one"


def test_a_new_key_lets_a_refused_provider_read_again_but_not_a_paused_one(alice, lab):
    made = providers.add(alice, lab, facts(), KEY)
    providers.stop(made, "unauthorized", NOW)
    providers.edit(alice, made, facts(), "sk-another-key-99")
    assert made in Provider.objects.usable(NOW)

    providers.pause_by_hand(alice, made)
    made.refresh_from_db()
    providers.edit(alice, made, facts(), "sk-a-third-key-00")
    providers.resume(made)
    assert made not in Provider.objects.usable(NOW)

    providers.resume_by_hand(alice, made)
    assert made in Provider.objects.usable(NOW)


def test_keys_are_encrypted_anew_so_that_an_old_field_key_may_go(alice, lab, settings, capsys):
    settings.FIELD_KEYS = ["old secret"]
    made = providers.add(alice, lab, facts(), KEY)
    settings.FIELD_KEYS = ["new secret", "old secret"]
    before = made.api_key_encrypted

    call_command("providers", "rotate", "--json")

    assert json.loads(capsys.readouterr().out) == {"rotated": 1, "unreadable": []}
    settings.FIELD_KEYS = ["new secret"]
    made.refresh_from_db()
    assert made.api_key_encrypted != before
    assert providers.key_of(made) == KEY


def test_a_field_key_that_went_too_early_is_named_by_the_rotation_and_the_doctor(
    alice, lab, settings, capsys
):
    settings.OFFLINE, settings.FIELD_KEYS = True, ["old secret"]
    providers.add(alice, lab, facts(), KEY)
    settings.FIELD_KEYS = ["new secret"]

    with pytest.raises(SystemExit):
        call_command("providers", "rotate")
    assert "Unreadable: ours of" in capsys.readouterr().out

    with pytest.raises(Exception, match="keys: cannot be read: ours"):
        call_command("doctor")


# --- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("https://user:secret@llm.example/v1", "No name or password"),
        ("ftp://llm.example/v1", "must begin with https"),
        ("javascript:alert(1)", "must begin with https"),
        ("file:///etc/passwd", "must begin with https"),
        ("llm.example/v1", "must begin with https"),
        ("https://", "no address"),
        ("https://llm.example:99999/v1", "no address"),
        ("https://llm.example/v1?key=1", "ends before"),
        ("https://llm.example/ v1", "no address"),
        ("http://127.0.0.1:11434/v1", "not a public address"),
        ("http://10.0.0.7/v1", "not a public address"),
        ("http://0.0.0.0/v1", "not a public address"),
        ("http://0/v1", "not a public address"),
        ("http://169.254.169.254/latest", "not a public address"),
        ("http://2852039166/latest", "not a public address"),
        ("http://0xa9.0xfe.0xa9.0xfe/", "not a public address"),
        ("http://0251.0376.0251.0376/", "not a public address"),
        ("http://[::ffff:169.254.169.254]/", "not a public address"),
        ("http://[::ffff:a9fe:a9fe]/", "not a public address"),
        ("http://[64:ff9b::a9fe:a9fe]/", "not a public address"),
        ("http://[::1]/v1", "not a public address"),
        ("http://[fd00:ec2::254]/", "not a public address"),
        ("http://127.1/v1", "not a public address"),
    ],
)
def test_each_bad_address_is_refused_with_its_reason_and_nothing_is_stored(alice, lab, address, message):
    assert message in refused(providers.add, alice, lab, facts(base_url=address), KEY)["base_url"][0]
    assert not Provider.objects.exists()
    assert codes() == []


def test_the_operators_list_lets_a_private_address_in(alice, lab, settings):
    settings.LLM_PRIVATE_ADDRESSES = ["10.0.0.0/8"]

    assert providers.add(alice, lab, facts(base_url="http://10.0.0.7/v1"), "").pk
    assert "base_url" in refused(
        providers.add, alice, lab, facts(name="b", base_url="http://192.168.0.7/"), ""
    )


@pytest.mark.parametrize(
    "name", ["model", "messages", "stream", "response_format", "max_tokens", "N", "user"]
)
def test_no_extra_parameter_says_what_we_say_ourselves(alice, lab, name):
    problem = refused(providers.add, alice, lab, facts(extra_params={name: 1}), "")

    assert name in problem["extra_params"][0]


@pytest.mark.parametrize("typed", ["{", "[1]", '"a"', "17", "{'a': 1}"])
def test_extra_parameters_are_a_json_object(typed):
    with pytest.raises(ValidationError, match="JSON"):
        providers.parse_extra(typed)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("concurrency", 0),
        ("concurrency", 65),
        ("block_size", 21),
        ("context_tokens", 10),
        ("block_size", True),
    ],
)
def test_sizes_are_whole_numbers_in_their_range(alice, lab, field, value):
    assert field in refused(providers.add, alice, lab, facts(**{field: value}), "")


@pytest.mark.parametrize("key", ["sk-with blank", "sk-\nnewline", "sk-ключ"])
def test_a_key_that_no_header_can_carry_is_refused(alice, lab, key):
    assert "api_key" in refused(providers.add, alice, lab, facts(), key)


@pytest.mark.parametrize("name", ["local", "Instance", "local-0123456789ab", "a/b", "", " x", "x\u200b"])
def test_a_name_is_one_judges(alice, lab, name):
    assert "name" in refused(providers.add, alice, lab, facts(name=name), "")


def test_two_judges_never_share_a_name_in_the_eyes_of_a_team(alice, lab):
    providers.add(alice, None, facts(name="shared"), "")
    made = providers.add(alice, lab, facts(), "")
    providers.retire(alice, made)

    assert "taken" in refused(providers.add, alice, lab, facts(name="Shared"), "")["name"][0]
    assert "bring it back" in refused(providers.add, alice, lab, facts(), "")["name"][0]
    assert "taken" in refused(providers.add, alice, None, facts(), "")["name"][0]
    assert providers.add(alice, factories.team(factories.user()), facts(), "").pk


# --- which one -------------------------------------------------------------------------------------


def test_a_team_chooses_among_what_is_allowed_and_a_profile_among_that(alice, lab):
    profile = factories.profile(alice, team=lab)
    first, second = (providers.add(alice, None, facts(name=name), "") for name in ("first", "second"))

    assert providers.reading_for(profile) == providers.Reading(first, Why.OFFERED)

    providers.choose_for_team(alice, lab, second)
    assert providers.reading_for(profile) == providers.Reading(second, Why.CHOSEN_FOR_TEAM)

    providers.choose_for_profile(alice, profile, first)
    assert providers.reading_for(profile) == providers.Reading(first, Why.CHOSEN_FOR_PROFILE)
    assert providers.reading_for_team(lab).provider == second
    assert codes()[-2:] == ["model.chosen", "model.chosen"]


@pytest.mark.parametrize("end", ["retired", "disallowed"])
def test_what_is_retired_or_disallowed_falls_back_and_is_chosen_again_when_it_is_back(alice, lab, end):
    profile = factories.profile(alice, team=lab)
    first, second = (providers.add(alice, None, facts(name=name), "") for name in ("first", "second"))
    providers.choose_for_team(alice, lab, second)

    if end == "retired":
        providers.retire(alice, second)
    else:
        providers.offer(alice, second, [factories.team(factories.user())])
    assert providers.provider_of(profile) == first
    assert providers.allowed(lab) == [first]

    second.refresh_from_db()
    if end == "retired":
        providers.bring_back(alice, second)
    else:
        providers.offer(alice, second, [lab])
    assert providers.provider_of(profile) == second


def test_without_any_model_that_is_allowed_the_local_judge_reads(alice, lab):
    made = providers.add(alice, None, facts(), "")
    providers.offer(alice, made, [])

    assert providers.reading_for_team(lab).why == Why.LOCAL


def test_nobody_chooses_what_is_not_allowed_to_their_team(alice, lab):
    theirs = providers.add(alice, factories.team(factories.user()), facts(name="theirs"), "")
    hidden = providers.add(alice, None, facts(name="hidden"), "")
    providers.offer(alice, hidden, [])

    for foreign in (theirs, hidden, providers.local_provider()):
        assert "provider" in refused(providers.choose_for_team, alice, lab, foreign)


def test_a_choice_does_not_follow_a_profile_into_another_team(alice, lab):
    profile = factories.profile(alice, team=lab)
    made = providers.add(alice, lab, facts(), KEY)
    providers.choose_for_profile(alice, profile, made)

    profile.team = factories.team(alice, name="Elsewhere")
    profile.save()

    assert providers.provider_of(profile).is_local


def test_the_prices_of_the_settings_rule_and_the_others_are_a_persons(alice, settings):
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = "https://llm.example/v1", KEY, "m"
    settings.LLM_PRICES_MICROUSD = {"input": 150_000}
    made = providers.instance_provider()
    providers.learn(made, providers.endpoint_of(made).abilities)

    typed = facts(
        name="x", base_url="https://x.example", price_input_microusd=1, price_output_microusd=600_000
    )
    providers.edit(alice, made, typed, "sk-ignored-here")

    made = providers.instance_provider()
    assert (made.name, made.base_url, made.price_input_microusd, made.price_output_microusd) == (
        "instance",
        "https://llm.example/v1",
        150_000,
        600_000,
    )
    assert providers.key_of(made) == KEY

    settings.LLM_PRICES_MICROUSD = {"input": 300_000}
    assert providers.instance_provider().price_input_microusd == 300_000


def test_who_reads_is_told_in_one_query(alice, lab, django_assert_num_queries):
    profile = factories.profile(alice, team=lab)
    providers.add(alice, lab, facts(), KEY)

    with django_assert_num_queries(1):
        providers.provider_of(profile)
