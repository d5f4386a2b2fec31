"""Rows by the thousand: what goes in comes out, whatever characters it has, on either database."""

import datetime as dt
import gc
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from papers import bulk
from papers.models import Announcement, Paper

pytestmark = pytest.mark.django_db

COLUMNS = ("arxiv_id", "title", "authors", "categories", "primary_category", "submitted_at", "is_withdrawn")
HARD = "tab\there, line\nbreak, back\\slash \\N \\. \\x41, quote ' \" and 図 \U0001f600"


def keep(*rows: tuple) -> None:
    bulk.upsert(Paper, COLUMNS, rows, unique=["arxiv_id"], update=COLUMNS[1:])


def row(number: int, title: str = HARD, submitted_at: dt.datetime | None = None) -> tuple:
    return (f"2602.{number:05}", title, [{"name": HARD}], ["cs.LG"], "cs.LG", submitted_at, number % 2 == 0)


def test_every_value_comes_back_as_it_went_in() -> None:
    instant = dt.datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=dt.UTC)

    keep(row(1, submitted_at=instant), row(2))

    first, second = Paper.objects.order_by("arxiv_id")
    assert (first.title, first.authors, first.submitted_at, first.is_withdrawn) == (
        HARD,
        [{"name": HARD}],
        instant,
        False,
    )
    assert (second.submitted_at, second.is_withdrawn) == (None, True)
    assert (second.comment, second.latest_version) == ("", 1)
    assert second.stored_at > instant
    assert Paper.objects.filter(submitted_at=instant).count() == 1


@pytest.mark.parametrize("instant", [
    dt.datetime(1991, 8, 14, 3, 0, 0, 1, dt.UTC),
    dt.datetime(2026, 3, 29, 3, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
])  # fmt: skip
def test_instants_and_days_of_any_year_and_zone_are_the_same(instant: dt.datetime) -> None:
    keep(row(1, submitted_at=instant))
    key = Paper.objects.get().pk
    columns = ("paper_id", "category", "day", "kind", "source")
    bulk.insert(Announcement, columns, [(key, "cs.LG", instant.date(), "new", "rss")])

    assert Paper.objects.filter(submitted_at=instant).exists()
    assert Paper.objects.get().submitted_at == instant
    assert Announcement.objects.get().day == instant.date()


def test_a_row_that_stands_is_brought_up_to_date_and_keeps_its_key() -> None:
    keep(row(1), row(2))
    before = dict(Paper.objects.values_list("arxiv_id", "pk"))

    keep(row(2, "Another"), row(3))

    after = dict(Paper.objects.values_list("arxiv_id", "pk"))
    assert before.items() <= after.items()
    assert dict(Paper.objects.values_list("arxiv_id", "title"))["2602.00002"] == "Another"


def test_no_rows_are_no_statement(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        keep()


def test_a_reference_and_a_day_are_columns_as_others() -> None:
    keep(row(1))
    key = Paper.objects.get().pk

    bulk.upsert(
        Announcement,
        ("paper_id", "category", "day", "kind", "source"),
        [(key, "cs.LG", dt.date(2026, 2, 3), "new", "rss")],
        unique=["paper_id", "category", "day"],
        update=["kind"],
    )

    assert Announcement.objects.get(day=dt.date(2026, 2, 3)).paper_id == key


def test_many_keys_are_one_parameter() -> None:
    keep(row(1), row(2), row(3))
    keys = frozenset(Paper.objects.values_list("pk", flat=True)[:2]) | frozenset(range(10**7, 10**7 + 2000))
    names = {"2602.00001", 'with "quotes", a comma and }', "none"}

    assert Paper.objects.filter(pk__among=keys).count() == 2
    assert Paper.objects.filter(arxiv_id__among=names).count() == 1
    assert Paper.objects.filter(pk__among=frozenset()).count() == 0
    assert Announcement.objects.filter(paper_id__among=keys).count() == 0


def test_the_keys_come_back_and_which_of_them_are_new() -> None:
    keep(row(1))
    standing = Paper.objects.get().pk

    keys, new = bulk.upsert_keys(
        Paper, COLUMNS, [row(1, "Other"), row(2)], unique="arxiv_id", update=COLUMNS[1:]
    )

    assert keys == dict(Paper.objects.values_list("arxiv_id", "pk"))
    assert new == set(keys.values()) - {standing}
    assert Paper.objects.get(pk=standing).title == "Other"


def test_what_is_known_to_stand_is_updated_beside_what_goes_in_as_new() -> None:
    keep(row(1))
    standing = Paper.objects.get().pk

    keys, new = bulk.upsert_keys(
        Paper,
        COLUMNS,
        [row(1, "Other"), row(2), row(3)],
        unique="arxiv_id",
        update=COLUMNS[1:],
        standing={"2602.00001"},
    )

    assert keys == dict(Paper.objects.values_list("arxiv_id", "pk"))
    assert new == set(keys.values()) - {standing}
    assert Paper.objects.get(pk=standing).title == "Other"


def test_the_collector_rests_only_meanwhile() -> None:
    with bulk.many_objects():
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.postgres
def test_a_commit_need_not_wait_and_the_next_one_does() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        with transaction.atomic():
            bulk.commit_without_waiting()
            assert _setting(cursor) == "off"
            transaction.set_rollback(True)
        assert _setting(cursor) == "on"


@pytest.mark.postgres
def test_what_goes_wrong_in_a_copy_is_an_error_of_djangos() -> None:
    with pytest.raises(DataError), transaction.atomic():
        bulk.insert(Paper, COLUMNS, [("2602.00001" * 9, *row(1)[1:])])
    assert not Paper.objects.exists()


def _setting(cursor: Any) -> str:
    cursor.execute("SHOW synchronous_commit")
    return cursor.fetchone()[0]


def test_rows_that_cannot_collide_are_only_inserted() -> None:
    bulk.insert(Paper, COLUMNS, [row(1), row(2)])

    assert list(Paper.objects.order_by("arxiv_id").values_list("title", flat=True)) == [HARD, HARD]
