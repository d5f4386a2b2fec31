"""`manage.py doctor`: is everything that the portal needs there, and what can the model's server do?"""

import argparse
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from scoring import providers
from scoring.judging.checkup import Checkup, Forecast, check_up, forecast
from scoring.models import Provider

ARXIV_SECONDS = 3.0
CLOCK_SECONDS = 5.0
OK = "ok"
Findings = Iterator[tuple[str, str]]


class Command(BaseCommand):
    help = "Check settings, database, clock and arXiv; with --llm make one small call to the model's server."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--llm", action="store_true", help="one small call, a few hundred tokens")
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        report: dict[str, Any] = {"checks": dict(_findings())}
        if _has_tables(report["checks"]):
            report["checks"]["keys"] = _keys()
        provider = _provider(report["checks"])
        if provider is not None:
            report["judge"] = _judge(provider)
        if options["llm"] and provider is not None and not provider.is_local:
            report["llm"] = _llm(check_up(provider), forecast(provider))
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self._print(report)
        problems = [f"{name}: {found}" for name, found in report["checks"].items() if not _is_fine(found)]
        if report.get("llm", {}).get("problem"):
            problems.append(f"model: {report['llm']['problem']}")
        if problems:
            raise CommandError("; ".join(problems))

    def _print(self, report: dict[str, Any]) -> None:
        for part in ("checks", "judge", "llm"):
            for name, found in report.get(part, {}).items():
                self.stdout.write(f"{name.replace('_', ' '):<22} {found}")
        if report.get("judge", {}).get("kind") == Provider.Kind.LOCAL:
            self.stdout.write(
                "The local judge estimates at 0 tokens. For a model set LLM_BASE_URL, LLM_API_KEY and LLM_MODEL."
            )


def _is_fine(found: str) -> bool:
    return found.startswith((OK, "skipped"))


def _findings() -> Findings:
    yield "database", _database()
    yield "migrations", _migrations()
    yield "clock", _clock()
    yield "var_dir", _folder(settings.VAR_DIR)
    yield "arxiv", _arxiv()


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"does not answer ({error.__class__.__name__}); check DATABASE_URL"
    return f"{OK} ({connection.vendor})"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "cannot be read"
    return OK if not missing else f"{len(missing)} missing; run manage.py migrate"


def _clock() -> str:
    """The database's clock beside ours: leases and windows are told by the worker's."""
    if connection.vendor != "postgresql":
        return OK
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            apart = abs((cursor.fetchone()[0] - timezone.now()).total_seconds())
    except DatabaseError:
        return "cannot be read"
    return OK if apart < CLOCK_SECONDS else f"{apart:.0f} s apart from the database's; set the clocks"


def _folder(path: Path) -> str:
    try:
        probe = path / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError:
        return f"cannot be written: {path}"
    return OK


def _arxiv() -> str:
    if settings.OFFLINE:
        return "skipped (OFFLINE)"
    parts = urlsplit(settings.ARXIV_OAI_URL)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        socket.create_connection(address, timeout=ARXIV_SECONDS).close()
    except OSError:
        return f"skipped: {address[0]} cannot be reached from here now"
    return OK


def _provider(checks: dict[str, str]) -> Provider | None:
    """The instance's judge, where there is a database to ask."""
    return providers.instance_provider() if _has_tables(checks) else None


def _has_tables(checks: dict[str, str]) -> bool:
    return _is_fine(checks["database"]) and _is_fine(checks["migrations"])


def _keys() -> str:
    """Whether every provider's key can be read with the FIELD_KEYS as they are."""
    lost = providers.with_unreadable_keys()
    if not lost:
        return OK
    names = ", ".join(f"{each.name} ({each.team.slug if each.team else 'operator'})" for each in lost)
    return f"cannot be read: {names}; put the old FIELD_KEY back, or type them again"


def _judge(provider: Provider) -> dict[str, Any]:
    found: dict[str, Any] = {"judge": provider.model, "kind": provider.kind}
    if not provider.is_local:
        found["server"] = provider.base_url
        found["key"] = f"…{provider.api_key_last_four}" if provider.api_key_encrypted else "none"
    if provider.paused_at is not None:
        found["stopped"] = f"{provider.paused_reason} since {provider.paused_at:%Y-%m-%d %H:%M} UTC"
    return found


def _llm(found: Checkup, day: Forecast) -> dict[str, Any]:
    report: dict[str, Any] = {"problem": found.problem}
    if found.problem:
        report["detail"] = found.detail
    if found.answer is not None:
        answer, used = found.answer, found.answer.usage
        report |= {
            "served_by": answer.served_by,
            "response_format": answer.abilities.response_format,
            "cap": answer.abilities.cap_name,
            "left_out": ", ".join(answer.abilities.refused_params) or "nothing",
            "latency_ms": answer.latency_ms,
            "usage": "not usable: every hold will be booked in full" if used is None else "reported",
        }
        if used is not None:
            report |= {
                "input_tokens": used.input_tokens,
                "cached_tokens": used.cached_tokens,
                "output_tokens": used.output_tokens,
                "reasoning_tokens": used.reasoning_tokens,
            }
    report["a_usual_day"] = f"{day.papers} papers x {day.tokens_a_paper} tokens = {day.tokens} tokens"
    if day.cost_microusd:
        report["a_usual_day"] += f", ${day.cost_microusd / 1e6:.2f}"
    return report
