"""One call to a server: its fates, its ladder, its deadline and its bill."""

import datetime as dt
import json
import random
import socket

import pytest

from scoring import llm, rubric
from scoring.addresses import AddressPolicy
from scoring.endpoint import Endpoint
from scoring.ladder import Abilities
from scoring.rubric import InterestText, PaperText, RevisionText
from scoring.simulated import faults
from scoring.simulated.faults import Fault
from tests.fakes import LOOPBACK, endpoint_of

REVISION = RevisionText(
    (InterestText("Graphs", "graph neural networks"), InterestText("Robots", "robot grasping"))
)
PAPERS = [
    PaperText(
        "Graph neural networks that scale",
        "We scale graph neural networks to large graph data with neural tricks.",
    ),
    PaperText("A study of oceans", "We measure salt in sea water over many years and find more of it."),
]


def prompt():
    return rubric.judging_prompt(REVISION, PAPERS, dice=random.Random(3), cache_key="panel")


def test_an_answer_comes_with_its_real_usage(fake_model):
    answer = llm.judge(prompt(), endpoint_of(fake_model), request_id="hold-1", payer="payer-key")

    assert json.loads(answer.text)["rows"][0].startswith(prompt().labels[0])
    line = fake_model.bill.billed()[0]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
        line["usage"]["prompt_tokens"],
        line["usage"]["completion_tokens"],
    )
    assert (line["request_id"], line["payer"], line["cache_key"]) == ("hold-1", "payer-key", "panel")
    assert answer.served_by == "simulated/simulated"


@pytest.mark.parametrize(
    ("refuses", "learned"),
    [
        (("json_schema",), Abilities(response_format="json_object")),
        (("json_schema", "json_object"), Abilities(response_format="text")),
        (("max_completion_tokens",), Abilities(cap_name="max_tokens")),
        (("prompt_cache_key", "temperature"), Abilities(refused_params=("prompt_cache_key", "temperature"))),
        (("response_format",), Abilities(response_format="text")),
    ],
)
def test_the_ladder_steps_down_once_and_is_remembered(fake_model, refuses, learned):
    fake_model.settings.refuses = refuses

    first = llm.judge(prompt(), endpoint_of(fake_model))
    second = llm.judge(prompt(), endpoint_of(fake_model, abilities=first.abilities))

    assert first.abilities == learned
    assert first.rungs_tried > 1
    assert second.rungs_tried == 1
    assert len(fake_model.bill.billed()) == 2


def test_a_refusal_that_names_nothing_is_no_step(fake_model):
    fake_model.settings.faults.add(Fault(status=400))

    with pytest.raises(llm.LlmRejected):
        llm.judge(prompt(), endpoint_of(fake_model))

    assert len(fake_model.requests) == 1


def test_what_was_learned_survives_its_row():
    learned = Abilities("text", "max_tokens", ("temperature",), 120)

    assert Abilities.from_json(json.loads(json.dumps(learned.as_json()))) == learned
    assert Abilities.from_json({"response_format": "nonsense"}) == Abilities()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, "{}", "unauthorized"),
        (403, "{}", "forbidden"),
        (404, "{}", "not_found"),
        (402, "{}", "quota"),
        (
            429,
            '{"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}',
            "quota",
        ),
        (302, "{}", "redirected"),
    ],
)
def test_what_only_a_person_can_mend_is_misconfigured(fake_model, status, body, code):
    fake_model.settings.faults.add(
        Fault(status=status, body=body, headers={"Location": "http://169.254.169.254/"})
    )

    with pytest.raises(llm.LlmMisconfigured) as caught:
        llm.judge(prompt(), endpoint_of(fake_model))

    assert caught.value.code == code
    assert len(fake_model.requests) == 1


@pytest.mark.parametrize(
    ("said", "wait"), [("2", 2.0), ("121", 121.0), ("soon", None), ("", None), ("-5", None)]
)
def test_a_429_says_how_long_to_wait(fake_model, said, wait):
    fake_model.settings.faults.add(faults.rate_limited(said))

    with pytest.raises(llm.LlmUnavailable) as caught:
        llm.judge(prompt(), endpoint_of(fake_model))

    assert (caught.value.code, caught.value.retry_after) == ("rate_limited", wait)
    assert not caught.value.may_be_billed


def test_a_retry_after_may_be_a_date():
    now = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)

    assert llm.retry_after_seconds("Fri, 30 Jan 2026 12:00:40 GMT", now) == 40
    assert llm.retry_after_seconds("Fri, 30 Jan 2026 11:00:00 GMT", now) == 0
    assert llm.retry_after_seconds("nan", now) is None


@pytest.mark.parametrize(("status", "billed"), [(500, False), (503, False), (502, True), (504, True)])
def test_a_servers_failure_is_for_later(fake_model, status, billed):
    fake_model.settings.faults.add(Fault(status=status))

    with pytest.raises(llm.LlmUnavailable) as caught:
        llm.judge(prompt(), endpoint_of(fake_model))

    assert (caught.value.code, caught.value.may_be_billed) == ("server_error", billed)


def test_a_dripping_server_is_left_at_the_deadline(fake_model):
    fake_model.settings.faults.add(Fault(drip_seconds=0.05))

    with pytest.raises(llm.LlmUnavailable) as caught:
        llm.judge(prompt(), endpoint_of(fake_model, total_seconds=0.4))

    assert (caught.value.code, caught.value.may_be_billed) == ("deadline", True)


def test_a_black_hole_is_left_at_the_deadline(fake_model):
    fake_model.settings.faults.add(Fault(black_hole=True))

    with pytest.raises(llm.LlmUnavailable) as caught:
        llm.judge(prompt(), endpoint_of(fake_model, total_seconds=0.3))

    assert (caught.value.code, caught.value.may_be_billed) == ("deadline", True)


def test_a_silent_chunk_ends_by_the_read_timeout(fake_model):
    fake_model.settings.faults.add(Fault(black_hole=True))

    with pytest.raises(llm.LlmUnavailable) as caught:
        llm.judge(prompt(), endpoint_of(fake_model, read_seconds=0.3))

    assert (caught.value.code, caught.value.may_be_billed) == ("timeout", True)


def test_a_connection_that_breaks_in_the_body_may_be_billed(fake_model):
    fake_model.settings.faults.add(Fault(cut_after=40))

    with pytest.raises(llm.LlmUnavailable) as caught:
        llm.judge(prompt(), endpoint_of(fake_model))

    assert (caught.value.code, caught.value.may_be_billed) == ("connection_lost", True)


def test_nobody_at_home_is_not_billed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

        with pytest.raises(llm.LlmUnavailable) as caught:
            llm.judge(prompt(), Endpoint(address, "m", policy=LOOPBACK))

    assert (caught.value.code, caught.value.may_be_billed) == ("connection", False)


def test_an_endless_answer_is_cut_off(fake_model):
    fake_model.settings.faults.add(Fault(status=0, raw="x" * 5_000_000))

    with pytest.raises(llm.LlmGarbled) as caught:
        llm.judge(prompt(), endpoint_of(fake_model))

    assert caught.value.usage is None


def test_a_compressed_answer_is_not_unpacked(fake_model):
    fake_model.settings.faults.add(Fault(raw="bomb", headers={"Content-Encoding": "gzip"}))

    with pytest.raises(llm.LlmError) as caught:
        llm.judge(prompt(), endpoint_of(fake_model))

    assert caught.value.may_be_billed or isinstance(caught.value, llm.LlmAnswered)


@pytest.mark.parametrize(
    "raw", ["<html>hello</html>", "[]", "null", "{}", '{"choices": []}', '{"choices": [{"message": null}]}']
)
def test_a_200_that_is_no_completion_is_garbled(fake_model, raw):
    fake_model.settings.faults.add(Fault(raw=raw))

    with pytest.raises(llm.LlmGarbled):
        llm.judge(prompt(), endpoint_of(fake_model))


def test_a_refusal_carries_its_cost(fake_model):
    fake_model.settings.personality = "refusing"

    with pytest.raises(llm.LlmRefused) as caught:
        llm.judge(prompt(), endpoint_of(fake_model))

    assert caught.value.usage.total_tokens == fake_model.bill.total_tokens


def test_a_prompt_past_the_context_is_too_long(fake_model):
    fake_model.settings.context_tokens = 100

    with pytest.raises(llm.LlmTooLong):
        llm.judge(prompt(), endpoint_of(fake_model))


def test_thinking_that_eats_the_cap_gets_room_next_time(fake_model):
    fake_model.settings.reasoning_per_paper = 400

    eaten = llm.judge(prompt(), endpoint_of(fake_model))
    fed = llm.judge(prompt(), endpoint_of(fake_model, abilities=eaten.abilities))

    assert (eaten.text, eaten.is_cut) == ("", True)
    assert json.loads(fed.text)["rows"]
    assert fed.usage.reasoning_tokens == 800


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/v1", "http://10.1.2.3/v1", "http://[::1]:9/v1", "http://localhost:9/v1"],
)
def test_a_private_address_is_refused_when_connecting(address):
    with pytest.raises(llm.LlmMisconfigured) as caught:
        llm.judge(prompt(), Endpoint(address, "m"))

    assert caught.value.code == "address_refused"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("192.168.7.9", True),
        ("127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2002:808:808::", True),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("fec0::1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("100.64.0.1", False),
    ],
)
def test_the_address_policy(address, allowed):
    assert AddressPolicy(networks=("192.168.7.0/24",)).allows(address) is allowed


def test_a_prefix_that_was_read_before_is_billed_as_cached(fake_model):
    long = RevisionText(tuple(InterestText(f"Field {n}", "words about graphs " * 12) for n in range(7)))
    two = [
        rubric.judging_prompt(long, PAPERS, dice=random.Random(seed), cache_key="panel") for seed in (1, 2)
    ]

    first, second = (llm.judge(each, endpoint_of(fake_model)) for each in two)

    assert first.usage.cached_tokens == 0
    assert second.usage.cached_tokens >= 1024
    assert second.usage.cached_tokens % 128 == 0
