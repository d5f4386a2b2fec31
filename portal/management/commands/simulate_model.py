"""`manage.py simulate_model`: a loopback model, so that the real path can be walked without a key."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scoring.simulated.brain import Labels
from scoring.simulated.faults import FaultPlan
from scoring.simulated.noise import MEASURED
from scoring.simulated.personalities import BROKEN, PERSONALITIES
from scoring.simulated.server import Settings, SimulatedModel


class Command(BaseCommand):
    help = (
        "Serve a simulated model (OpenAI-compatible chat completions) on 127.0.0.1. It is no language model: "
        "it scores by shared words, or from a file of labels, and keeps a bill of its own. As it stands it gives the "
        "same answer to the same question; --noise lets readings differ as a real model's do."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8900, help="0 takes a free one (default: 8900)")
        parser.add_argument("--personality", choices=sorted(PERSONALITIES), default="honest")
        parser.add_argument(
            "--noise", choices=("none", "measured"), default="none", help="measured: asked again, it differs"
        )
        parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="the median")
        parser.add_argument(
            "--latency-spread", type=float, default=0.0, metavar="SD", help="of its logarithm; 0.5 is lively"
        )
        parser.add_argument("--requests-per-minute", type=int, default=0, help="more get a 429; 0: no limit")
        parser.add_argument("--at-once", type=int, default=0, metavar="N", help="more at a time get a 429")
        parser.add_argument("--tokens-per-minute", type=int, default=0, help="likewise, in and out together")
        parser.add_argument(
            "--cache-minutes",
            type=float,
            default=0.0,
            help="how long a prefix stays cached unasked; 0: for ever",
        )
        parser.add_argument(
            "--reasoning", type=int, default=0, metavar="TOKENS", help="thinking billed a paper"
        )
        parser.add_argument(
            "--context", type=int, default=0, metavar="TOKENS", help="longer prompts get a 400"
        )
        parser.add_argument("--refuse", action="append", default=[], metavar="NAME", help="e.g. json_schema")
        parser.add_argument(
            "--fail", action="append", default=[], metavar="STATUS=SHARE", help="e.g. 500=0.02"
        )
        parser.add_argument(
            "--break",
            action="append",
            default=[],
            dest="broken",
            metavar="KIND=SHARE",
            help=f"of {', '.join(BROKEN)}, e.g. truncated=0.01",
        )
        parser.add_argument(
            "--labels", type=Path, help="JSON Lines: title, scores (or chances) by interest name, reason"
        )
        parser.add_argument("--bill", type=Path, help="append one JSON line a request to this file")
        parser.add_argument("--api-key", default="", help="refuse other keys with a 401")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        settings = _settings(options)
        try:
            model = SimulatedModel(settings, port=options["port"], bill=options["bill"])
        except OSError as error:
            raise CommandError(f"port {options['port']} is taken; try --port 0") from error
        model.keeps_requests = False
        self.stdout.write(f"LLM_BASE_URL={model.base_url} LLM_MODEL=simulated")
        self.stdout.flush()
        try:
            model.serve_forever()
        except KeyboardInterrupt:
            model.stopping.set()


def _settings(options: dict[str, Any]) -> Settings:
    return Settings(
        personality=options["personality"],
        latency_seconds=options["latency"],
        latency_spread=options["latency_spread"],
        requests_per_minute=options["requests_per_minute"],
        calls_at_once=options["at_once"],
        tokens_per_minute=options["tokens_per_minute"],
        cache_seconds=60 * options["cache_minutes"],
        reasoning_per_paper=options["reasoning"],
        refuses=tuple(options["refuse"]),
        api_key=options["api_key"],
        context_tokens=options["context"],
        labels=_labels(options["labels"]),
        seed=options["seed"],
        noise=MEASURED if options["noise"] == "measured" else None,
        broken=_broken(options["broken"]),
        faults=FaultPlan(rates=_fail(options["fail"]), seed=options["seed"]),
    )


def _labels(path: Path | None) -> Labels | None:
    if path is None:
        return None
    try:
        return Labels.from_lines(path.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(f"--labels: {path} is not a file of labels ({error})") from error


def _fail(given: list[str]) -> dict[int, float]:
    try:
        return {int(status): share for status, share in _shares("--fail", "500=0.02", given).items()}
    except ValueError as error:
        raise CommandError("--fail must read like 500=0.02") from error


def _broken(given: list[str]) -> dict[str, float]:
    shares = _shares("--break", "truncated=0.01", given)
    for kind in shares.keys() - BROKEN.keys():
        raise CommandError(f"--break: {kind} is none of {', '.join(BROKEN)}")
    return shares


def _shares(option: str, example: str, given: list[str]) -> dict[str, float]:
    """Names with shares from 0 to 1 that leave room for each other; CommandError for anything else."""
    try:
        shares = {name: float(share) for name, _, share in (text.partition("=") for text in given)}
    except ValueError as error:
        raise CommandError(f"{option} must read like {example}") from error
    if any(not 0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1:
        raise CommandError(f"{option}: shares lie between 0 and 1, and do not add up to more than 1")
    return shares
