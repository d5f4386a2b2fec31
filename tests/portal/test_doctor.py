"""`manage.py doctor` and `manage.py simulate_model`, as an operator meets them."""

import json
import subprocess
import sys

import httpx
import pytest
from django.core.management import CommandError, call_command

from scoring import budget, providers
from scoring.models import Hold
from scoring.simulated.faults import Fault
from tests.conftest import REPO

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _offline(settings):
    settings.OFFLINE = True


def by_the(fake_model, settings, **fields):
    settings.LLM_BASE_URL, settings.LLM_API_KEY = fake_model.base_url, fields.get("key", "")
    settings.LLM_MODEL = "simulated"


def report(capsys):
    return json.loads(capsys.readouterr().out)


def test_without_a_model_it_says_that_the_local_judge_estimates(capsys):
    call_command("doctor", "--llm")

    said = capsys.readouterr().out
    assert "0 tokens" in said
    assert "LLM_BASE_URL" in said


def test_with_a_model_it_makes_one_small_call_that_is_booked(fake_model, settings, capsys):
    by_the(fake_model, settings)

    call_command("doctor", "--llm", "--json")

    found = report(capsys)["llm"]
    assert (found["problem"], found["response_format"]) == ("", "json_schema")
    assert found["input_tokens"] + found["output_tokens"] == fake_model.bill.total_tokens < 1500
    assert found["served_by"].startswith("simulated")
    assert "papers x" in found["a_usual_day"]
    assert Hold.objects.get().used_tokens == fake_model.bill.total_tokens
    assert list(budget.audit()) == []


def test_it_finds_the_rung_and_remembers_it(fake_model, settings, capsys):
    by_the(fake_model, settings)
    fake_model.settings.refuses = ("json_schema", "temperature")

    call_command("doctor", "--llm", "--json")

    assert report(capsys)["llm"]["left_out"] == "temperature"
    assert providers.instance_provider().abilities["response_format"] == "json_object"


def test_a_wrong_key_is_named_and_costs_nothing(fake_model, settings, capsys):
    by_the(fake_model, settings, key="sk-wrong-and-secret")
    fake_model.settings.api_key = "sk-right"

    with pytest.raises(CommandError, match="unauthorized"):
        call_command("doctor", "--llm")

    assert "sk-wrong" not in capsys.readouterr().out
    assert Hold.objects.get().state == Hold.State.RELEASED


def test_a_server_that_is_down_is_named(fake_model, settings):
    by_the(fake_model, settings)
    fake_model.settings.faults.add(Fault(status=500))

    with pytest.raises(CommandError, match="server_error"):
        call_command("doctor", "--llm")


def test_a_stopped_provider_that_answers_again_is_resumed(fake_model, settings):
    by_the(fake_model, settings)
    provider = providers.instance_provider()
    providers.stop(provider, "unauthorized", provider.created_at)

    call_command("doctor", "--llm")

    provider.refresh_from_db()
    assert provider.paused_at is None


def test_the_simulated_model_prints_its_address_and_keeps_a_bill(tmp_path):
    bill = tmp_path / "bill.jsonl"
    command = [sys.executable, "manage.py", "simulate_model", "--port", "0", "--bill", str(bill)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[0].removeprefix("LLM_BASE_URL=")
        said = httpx.post(f"{address}/chat/completions", json={"model": "m", "messages": []}).json()
        process.terminate()

    assert said["model"] == "simulated/m"
    assert json.loads(bill.read_text())["usage"] == said["usage"]


def test_a_bad_file_of_labels_is_named(tmp_path):
    with pytest.raises(CommandError, match="labels"):
        call_command("simulate_model", "--labels", str(tmp_path / "none.jsonl"))
