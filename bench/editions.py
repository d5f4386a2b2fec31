"""How long a day takes from files to a screened edition: `python -m bench.editions` prints the table.

One profile with the reference's seven fields in five categories (516 new papers on 2026-01-30), on SQLite in a
scratch folder. Needs the development data.
"""

import datetime as dt
import resource
import time
from collections.abc import Callable
from typing import Any

from bench.house import scratch_house
from bench.recorded import folder, reference_brief
from scoring.screening.brief import Brief

DAY = dt.date(2026, 1, 30)
NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
CATEGORIES = ["cs.AI", "cs.CL", "cs.CV", "cs.LG", "cs.RO"]


def main() -> None:
    try:
        data = folder()
    except FileNotFoundError as error:
        print(f"Not measured: {error}")
        return
    brief = reference_brief(data)
    with scratch_house():
        from papers.harvest import import_files
        from papers.models import PaperVersion
        from scoring import editions

        print("| step | seconds | seconds of CPU | result |\n|---|---|---|---|")
        feeds = [data / "wire" / f"{DAY}_rss_{category}.xml" for category in CATEGORIES]
        _timed("harvest from RSS files", lambda: import_files(feeds), lambda found: f"{found.papers} papers")
        profile, other = _profile(brief, "first"), _profile(brief, "second")
        edition = _timed(
            "open",
            lambda: editions.open_edition(profile, DAY),
            lambda found: f"{_announced(found)} announced",
        )
        _timed("screen for a model", lambda: editions.screen(edition, NOW), lambda _: _decided(edition))
        PaperVersion.objects.update(features=b"")
        late = editions.open_edition(other, DAY)
        _timed("screen, all features missing", lambda: editions.screen(late, NOW), lambda _: _decided(late))
        _timed("account", lambda: editions.account(edition), lambda found: f"{found.lost} lost")
        _timed("audit of both", editions.audit, lambda found: f"{len(found)} violations")
    print(f"\npacked list: {len(edition.packed)} bytes; peak memory: {_megabytes()} MB")


def _timed(step: str, work: Callable[[], Any], said: Callable[[Any], str]) -> Any:
    started, cpu = time.perf_counter(), time.process_time()
    found = work()
    seconds, busy = time.perf_counter() - started, time.process_time() - cpu
    print(f"| {step} | {seconds:.2f} | {busy:.2f} | {said(found)} |")
    return found


def _profile(brief: Brief, name: str) -> Any:
    """A profile with these fields, in a team of its own whose provider is a model."""
    from profiles.models import Interest, Profile, Team, User
    from scoring.models import Provider

    owner = User.objects.create_user(f"{name}@example.org")
    team = Team.objects.create(name=name)
    Provider.objects.create(
        team=team, name=name, kind=Provider.Kind.OPENAI, model="none", base_url="http://127.0.0.1:9"
    )
    profile = Profile.objects.create(
        name=name, owner=owner, team=team, categories=CATEGORIES, exclusions=list(brief.exclusions)
    )
    Interest.objects.bulk_create(
        Interest(profile=profile, position=place, name=wish.name, description=wish.description)
        for place, wish in enumerate(brief.wishes)
    )
    return profile


def _announced(edition: Any) -> int:
    return edition.account["announced"]


def _decided(edition: Any) -> str:
    account = edition.account
    waiting = sum(number for term, number in account.items() if term.startswith("waiting"))
    return f"{waiting} to read, {account['screened']} screened out, expected recall {edition.expected_recall:.2f}"


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
