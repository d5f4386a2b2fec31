"""F17: a transaction that PostgreSQL sacrifices is repeated, and counted."""

import threading

import pytest
from django.db import connection, transaction

from profiles.models import Team
from scoring import transactions
from tests import factories

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def in_two_threads(verb, *orders) -> None:
    def run(order) -> None:
        verb(order)
        connection.close()

    threads = [threading.Thread(target=run, args=[order]) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_deadlock_is_retried_and_both_verbs_take_effect():
    one, two = factories.team(name=""), factories.team(name="")
    both_hold_one, tries = threading.Barrier(2), []

    @transactions.retried
    def rename(order) -> None:
        tries.append(order)
        with transaction.atomic():
            for team in order:
                row = Team.objects.select_for_update().get(pk=team.pk)
                if len(tries) <= 2 and team is order[0]:
                    both_hold_one.wait(timeout=30)
                Team.objects.filter(pk=team.pk).update(name=row.name + "x")

    before = sum(transactions.retries.values())
    in_two_threads(rename, (one, two), (two, one))

    assert [team.name for team in Team.objects.order_by("pk")] == ["xx", "xx"]
    assert sum(transactions.retries.values()) == before + 1


def test_a_serialization_failure_is_retried_and_no_update_is_lost():
    team = factories.team(name="")
    both_have_read, tries = threading.Barrier(2), []

    @transactions.retried
    def append(letter) -> None:
        tries.append(letter)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            name = Team.objects.get(pk=team.pk).name
            if len(tries) <= 2:
                both_have_read.wait(timeout=30)
            Team.objects.filter(pk=team.pk).update(name=name + letter)

    before = sum(transactions.retries.values())
    in_two_threads(append, "a", "b")

    assert sorted(Team.objects.get(pk=team.pk).name) == ["a", "b"]
    assert sum(transactions.retries.values()) == before + 1
