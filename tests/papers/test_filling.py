"""Feature vectors after storing: by the clock, or by whoever needs one sooner."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from papers import filling
from papers.arxiv.listing import Listing
from papers.features import vectors
from papers.models import PaperVersion
from papers.storing import Scope, store

WORKERS = 4


def keep(*numbers: int, **changes: object) -> None:
    facts: dict[str, object] = {
        "abstract": "Graphs attend to graphs.",
        "authors": (),
        "categories": ("cs.LG",),
    }
    store(
        [Listing(f"2602.{number:05}", f"Paper {number}", **facts | changes) for number in numbers],
        "",
        Scope(),
    )


def unfilled() -> list[str]:
    return list(PaperVersion.objects.filter(features=b"").order_by("pk").values_list("title", flat=True))


@pytest.mark.django_db
def test_the_newest_texts_are_filled_first_and_the_rest_at_the_next_tick() -> None:
    keep(1, 2, 3)
    assert unfilled() == ["Paper 1", "Paper 2", "Paper 3"]

    assert filling.fill_due(limit=2) == 2
    assert unfilled() == ["Paper 1"]
    assert filling.fill_due(limit=2) == 1
    assert filling.fill_due() == 0

    text = PaperVersion.objects.get(title="Paper 2")
    assert bytes(text.features) == vectors.features("Paper 2", "Graphs attend to graphs.")


@pytest.mark.django_db
def test_a_sample_that_gives_way_takes_its_vector_with_it() -> None:
    keep(1, is_sample=True)
    filling.fill_due()

    keep(1, abstract="Robots grasp.")

    assert unfilled() == ["Paper 1"]
    filling.fill_due()
    assert bytes(PaperVersion.objects.get().features) == vectors.features("Paper 1", "Robots grasp.")


@pytest.mark.django_db
def test_what_is_missing_is_found_by_an_index_of_its_own() -> None:
    waiting = PaperVersion.objects.without_features().order_by("-pk").values_list("pk")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

    assert "text_without_features" in waiting.explain()


@pytest.mark.django_db(transaction=True)
def test_many_fill_at_once_and_every_text_has_its_vector() -> None:
    keep(*range(1, 41))
    together = threading.Barrier(WORKERS, timeout=30)

    def fill() -> int:
        try:
            together.wait()
            return filling.fill_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        filled = sum(done.result() for done in [pool.submit(fill) for _ in range(WORKERS)])

    assert filled == 40
    assert unfilled() == []
