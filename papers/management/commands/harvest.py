"""`manage.py harvest`: bring announcements in, from arXiv or from files, and say what is known."""

import datetime as dt
import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from papers import calendar, harvest_words, overview, quarantine, taxonomy
from papers.arxiv.listing import ArxivUnavailable
from papers.harvest import (
    HarvestReport,
    NotYetAnnounced,
    harvest_day,
    harvested_categories,
    import_files,
    open_transport,
)
from papers.models import Quarantine
from papers.owed import alarms
from papers.reconciling import reconcile
from papers.status import DayStatus, day_status

NEWEST_DAYS = 5
NAMED_RECORDS = 20  # of those that could not be read; all stand in the quarantine
USAGE = 2  # the exit code of a wrong argument, as argparse has it
STOPPED = 75  # of a failure that is not the command's: "try again later" in sysexits.h

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Bring announced papers in, from arXiv or from files of its formats."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--day", help="the date of arXiv's list, YYYY-MM-DD; the newest feed's if left out"
        )
        parser.add_argument("--category", action="append", metavar="C", nargs="+", help="such as cs.AI")
        parser.add_argument(
            "--from",
            dest="files",
            action="append",
            nargs="+",
            metavar="FILE",
            help="OAI pages, RSS, Atom, API Atom, list pages or JSON Lines, gzip or not; arXiv is not asked",
        )
        parser.add_argument(
            "--status", action="store_true", help="what is stored, against arXiv's own counts"
        )
        parser.add_argument(
            "--quarantine", action="store_true", help="the records that could not be read; see --retry"
        )
        parser.add_argument(
            "--retry", action="store_true", help="with --quarantine: read them again, with today's code"
        )
        parser.add_argument("--reason", metavar="CODE", help="with --quarantine: only those set aside for it")
        parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        categories = _categories(_flat(options["category"]))
        day = _day(options["day"])
        paths = [Path(name) for name in _flat(options["files"])]
        if options["status"]:
            self._print_status(day, categories, as_json=options["json"])
            return
        if options["quarantine"]:
            self._quarantine(options["reason"], retries=options["retry"], as_json=options["json"])
            return
        started = time.monotonic()
        try:
            if paths:
                report = import_files(paths, categories=categories or None, day=day, on_page=self._progress())
            else:
                report = self._ask_arxiv(categories, day)
        except (OperationalError, InterfaceError) as error:
            raise self._stopped_by(error) from error
        finally:
            self._end_progress()
        self._print_report(report, time.monotonic() - started, as_json=options["json"])

    def _ask_arxiv(self, categories: list[str], day: dt.date | None) -> HarvestReport:
        categories = categories or [code for code in harvested_categories() if taxonomy.is_category(code)]
        if not categories:
            raise CommandError(
                _("No category is followed yet. Name one: manage.py harvest --category cs.AI"),
                returncode=USAGE,
            )
        now = timezone.now()
        day = day or calendar.newest_feed_day(now)
        whole = HarvestReport()
        try:
            with open_transport() as transport:
                for category in categories:
                    whole.add(harvest_day(category, day, transport, now=now, on_page=self._progress()))
                whole.add(reconcile([(day, category) for category in categories], transport, now=now))
        except ArxivUnavailable as error:
            raise CommandError(str(error)) from error
        except NotYetAnnounced as error:
            newest = calendar.newest_day(now)
            message = _("The list of %(day)s is not out yet. The newest is %(newest)s.")
            raise CommandError(message % {"day": error, "newest": newest}, returncode=USAGE) from error
        return whole

    def _stopped_by(self, error: Exception) -> CommandError:
        """The disk is full, or the database is gone. The page in work is lost; what was committed stands."""
        reason = " ".join(str(error).split())
        log.error("harvest_stopped", problem=reason)
        message = _(
            "The database stopped the harvest: %(reason)s. What was read before is stored; when the database is "
            "well again, the same command goes on from there."
        )
        return CommandError(message % {"reason": reason.rstrip(".")}, returncode=STOPPED)

    # --- what it says ------------------------------------------------------------------------------

    def _progress(self) -> Any:
        if not self.stderr.isatty():
            return None

        def show(report: HarvestReport, place: str) -> None:
            text = _("%(place)s: %(count)d records") % {"place": place, "count": report.announced}
            self.stderr.write(f"\r\x1b[K{text}", ending="")

        return show

    def _end_progress(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")

    def _print_report(self, report: HarvestReport, seconds: float, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(
                json.dumps({**report.as_dict(), "seconds": round(seconds, 2)}, ensure_ascii=False)
            )
        else:
            for sentence in _resumed(report):
                self.stdout.write(sentence)
            self.stdout.write(_sentence(report))
            days = sorted(report.kinds().items(), reverse=True)
            for day, kinds in days[:NEWEST_DAYS]:
                self.stdout.write(_day_sentence(day, kinds))
            if earlier := len(days[NEWEST_DAYS:]):
                sentence = ngettext("and %(count)d earlier day", "and %(count)d earlier days", earlier)
                self.stdout.write(sentence % {"count": earlier})
        for problem in [*report.unreadable[:NAMED_RECORDS], *report.problems]:
            self.stderr.write(f"{problem.place}: {problem.message} [{problem.code}]")
        if not report.is_success:
            count = len(report.problems)
            message = ngettext(
                "%(count)d problem. What could be read is stored; the same command can be run again.",
                "%(count)d problems. What could be read is stored; the same command can be run again.",
                count,
            )
            raise CommandError(message % {"count": count})

    def _print_status(self, day: dt.date | None, categories: list[str], *, as_json: bool) -> None:
        rows, now = day_status(day, categories), timezone.now()
        followed = categories or harvested_categories()
        if as_json:
            self.stdout.write(json.dumps(overview.as_dict(rows, followed, now), ensure_ascii=False))
            return
        if not rows:
            self.stdout.write(_("Nothing is stored yet. Begin with: manage.py harvest --category cs.AI"))
            return
        heads = [_("day"), _("category"), _("new"), _("cross"), _("replaced"), _("arXiv counted")]
        heads += [_("missing"), _("late"), _("unreadable"), _("last asked"), _("state")]
        self.stdout.write(_table([tuple(heads), *(_cells(row, now) for row in rows)]))
        for row in rows:
            for each in row.shortfalls:
                self.stdout.write(f"{row.day} {row.category}: {harvest_words.shortfall(**vars(each))}")
        for late in overview.days_kept_back(rows):
            told = harvest_words.kept_back(late.reason, late.until, "%Y-%m-%d %H:%M %Z")
            self.stdout.write(f"{late.day} {', '.join(late.categories)}: {told}")
        for alarm in alarms(followed, now):
            self.stdout.write(_("Alarm: %(key)s") % {"key": alarm.key})
        self._print_backfills(followed)
        if count := overview.aside().open:
            sentence = ngettext(
                "%(count)d record in quarantine: manage.py harvest --quarantine",
                "%(count)d records in quarantine: manage.py harvest --quarantine",
                count,
            )
            self.stdout.write(sentence % {"count": count})

    def _print_backfills(self, categories: list[str]) -> None:
        for one in overview.backfills(categories):
            sentence = _(
                "The month before of %(category)s: %(done)d of %(all)d days, %(pages)d pages (%(state)s)"
            )
            told = {"category": one.category, "done": one.days_done, "all": one.days_in_all}
            self.stdout.write(
                sentence % {**told, "pages": one.pages, "state": harvest_words.backfill(one.state)}
            )

    # --- the quarantine ----------------------------------------------------------------------------

    def _quarantine(self, reason: str | None, *, retries: bool, as_json: bool) -> None:
        rows = Quarantine.objects.open().select_related("harvest").order_by("stored_at", "pk")
        rows = rows.filter(reason=reason) if reason else rows
        retried = quarantine.retry(rows, timezone.now()) if retries else None
        left = list(rows.defer("raw"))
        if as_json:
            told = {"records": [_record(row) for row in left], "retried": retried and vars(retried)}
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        if retried is not None:
            sentence = _(
                "%(resolved)d read and stored, %(failed)d still unreadable, %(left)d left for another time."
            )
            self.stdout.write(sentence % vars(retried))
        if not left:
            self.stdout.write(_("Nothing is in quarantine."))
        for row in left[:NAMED_RECORDS]:
            self.stdout.write(f"{row.stored_at:%Y-%m-%d} {row.place} [{row.reason}] {row.problem}".rstrip())
        if more := len(left[NAMED_RECORDS:]):
            sentence = ngettext("and %(count)d more record", "and %(count)d more records", more)
            self.stdout.write(sentence % {"count": more})


def _flat(groups: list[list[str]] | None) -> list[str]:
    return [name for group in groups or [] for name in group]


def _categories(codes: list[str]) -> list[str]:
    for code in codes:
        if taxonomy.is_category(code):
            continue
        message = _("%(code)s is no category of arXiv.") % {"code": code}
        if meant := taxonomy.suggestion(code):
            message += " " + _("Did you mean %(code)s?") % {"code": meant}
        else:
            message += " " + _("They are listed at https://arxiv.org/category_taxonomy.")
        raise CommandError(message, returncode=USAGE)
    return list(dict.fromkeys(codes))


def _day(written: str | None) -> dt.date | None:
    if written is None:
        return None
    try:
        return dt.date.fromisoformat(written)
    except ValueError as error:
        message = _("%(day)s is no date. Write it as YYYY-MM-DD, such as 2026-01-30.") % {"day": written}
        raise CommandError(message, returncode=USAGE) from error


def _sentence(report: HarvestReport) -> str:
    sentence = _(
        "Announced %(announced)d records = stored %(stored)d + without text %(without_text)d + skipped %(skipped)d;"
        " quarantined %(quarantined)d."
    )
    return sentence % report.counts()


def _resumed(report: HarvestReport) -> Iterator[str]:
    for place, records in report.resumed.items():
        sentence = _("%(place)s: gone on behind record %(count)d, where an earlier run had ended.")
        yield sentence % {"place": place, "count": records}
    for place in report.changed:
        yield _("%(place)s has changed since an earlier run; it was read from its start.") % {"place": place}


def _day_sentence(day: dt.date, kinds: dict[str, int]) -> str:
    sentence = _("%(day)s: %(new)d new, %(cross)d cross-lists, %(replacement)d replacements.")
    return sentence % {"day": day, "new": 0, "cross": 0, "replacement": 0, **kinds}


def _record(row: Quarantine) -> dict[str, Any]:
    return {
        "id": str(row.public_id),
        "place": row.place,
        "reason": row.reason,
        "stored_at": row.stored_at.isoformat(),
        "retried_at": row.retried_at.isoformat() if row.retried_at else None,
        "problem": row.problem,
    }


def _cells(row: DayStatus, now: dt.datetime) -> tuple[str, ...]:
    counted = "-" if row.counted is None else str(sum(row.counted.values()))
    stored = [str(row.stored.get(kind, 0)) for kind in ("new", "cross", "replacement")]
    missing = str(max(row.missing, len(row.missing_papers)))
    more = [missing, str(row.late), str(row.quarantined), _age(row.last_at, now)]
    return (row.day.isoformat(), row.category, *stored, counted, *more, harvest_words.state(row.verdict))


def _age(at: dt.datetime | None, now: dt.datetime) -> str:
    """Short, for a column: 12 min, 5 h, 3 d."""
    if at is None:
        return "-"
    minutes = int((now - at).total_seconds()) // 60
    for size, unit in ((24 * 60, _("d")), (60, _("h"))):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return _("%(count)d min") % {"count": minutes}


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
