"""Backup and restore: everything comes back, what was in work is done again, and nobody is mailed twice (F43).

The same tests run on both databases; on PostgreSQL they need its client programs.
"""

import datetime as dt
import io
import shutil
import sqlite3
import stat
import tarfile

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from portal import keeping, stores
from profiles.models import User
from scoring import budget, digest, judging, slots
from scoring.models import Candidate, Hold, OutboxMail, Score
from tests import factories
from tests.factories import DAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("processes")]
HOUR = dt.timedelta(hours=1)
MORNING = dt.datetime(2026, 1, 30, 8, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def var_dir(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    (settings.VAR_DIR / "secret_key").write_text("what nobody may read")
    return settings.VAR_DIR


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept.backup"


def backup(file, *options):
    call_command("backup", str(file), *options)


def restore(file, *options):
    call_command("restore", str(file), *options)


def a_reader_with_a_paper_in_work(fake_model, now):
    alice = factories.profile(factories.user("alice@example.org"))
    factories.provider(fake_model.base_url, profile=alice)
    factories.edition_to_read(alice, factories.announced_papers(3))
    assert judging.claim(now) is not None


def test_what_was_kept_comes_back_and_what_came_after_is_gone(file, capsys):
    factories.user("alice@example.org")
    backup(file)
    factories.user("bob@example.org")
    User.objects.filter(email="alice@example.org").delete()

    restore(file)

    assert [user.email for user in User.objects.all()] == ["alice@example.org"]
    assert "Audit: nothing is wrong." in capsys.readouterr().out


def test_a_second_backup_of_a_restored_database_restores_too(file, tmp_path):
    factories.user("alice@example.org")
    backup(file)
    restore(file)
    backup(tmp_path / "second")

    restore(tmp_path / "second")

    assert User.objects.get().email == "alice@example.org"


def test_a_block_in_work_is_given_back_and_read_once(file, fake_model):
    now = timezone.now()
    a_reader_with_a_paper_in_work(fake_model, now)
    backup(file)
    restore(file)
    assert set(Candidate.objects.values_list("state", flat=True)) == {"claimed"}

    judging.reap(now + HOUR)
    while judging.run_once():
        pass

    assert set(Candidate.objects.values_list("state", flat=True)) == {"judged"}
    assert Score.objects.count() == 3
    assert Hold.objects.filter(state="released").count() == 1
    assert Hold.objects.filter(state="settled").count() == len(fake_model.bill.lines)
    assert budget.audit() == []


def test_a_lease_that_ran_out_meanwhile_is_reaped_by_the_restore(file, fake_model, capsys):
    a_reader_with_a_paper_in_work(fake_model, timezone.now() - HOUR)
    backup(file)

    restore(file)

    assert set(Candidate.objects.values_list("state", flat=True)) == {"waiting"}
    assert "Audit: nothing is wrong." in capsys.readouterr().out


def test_a_digest_that_was_sent_in_the_lost_hour_is_not_sent_again(file, capsys):
    alice = factories.user("alice@example.org", wants_digest=True)
    edition = factories.edition(factories.profile(alice))
    factories.judged(edition, factories.paper(), [90, 0])
    keeping.backup(file, MORNING - HOUR)
    assert digest.send_due(MORNING) == 1

    found = keeping.restore(file, MORNING + HOUR)

    assert digest.send_due(MORNING + HOUR) == 0
    assert len(mail.outbox) == 1
    assert OutboxMail.objects.get(day=DAY).state == "unknown"
    assert found.mails_held_back > 0


def test_a_digest_whose_morning_is_still_to_come_is_sent_after_a_restore(file):
    alice = factories.user("alice@example.org", wants_digest=True)
    edition = factories.edition(factories.profile(alice))
    factories.judged(edition, factories.paper(), [90, 0])
    keeping.backup(file, MORNING - 3 * HOUR)
    keeping.restore(file, MORNING - 2 * HOUR)

    assert digest.send_due(MORNING) == 1


def test_a_restore_that_finds_something_wrong_says_so_and_fails(file, capsys):
    alice = factories.profile(factories.user())
    factories.call(alice, factories.provider())
    backup(file)

    with pytest.raises(SystemExit):
        restore(file)

    assert "a call has no hold" in capsys.readouterr().out


# --- the file --------------------------------------------------------------------------------------


def test_a_backup_is_private_and_overwrites_nothing_unasked(file):
    backup(file)
    kept = file.read_bytes()

    with pytest.raises(CommandError, match="exists already"):
        backup(file)

    assert file.read_bytes() == kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {path.name for path in file.parent.iterdir()} == {"var", file.name}
    backup(file, "--force")


def test_secrets_are_in_it_only_when_asked_for(file, tmp_path, var_dir):
    backup(file)
    backup(tmp_path / "whole", "--secrets")

    assert b"what nobody may read" not in file.read_bytes()
    (var_dir / "secret_key").write_text("another")
    restore(tmp_path / "whole")
    assert (var_dir / "secret_key").read_text() == "another"
    with pytest.raises(CommandError, match="another secret"):
        restore(tmp_path / "whole", "--secrets")
    restore(tmp_path / "whole", "--secrets", "--force")
    assert (var_dir / "secret_key").read_text() == "what nobody may read"
    assert stat.S_IMODE((var_dir / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("contents", [b"", b"no archive", b"\0" * 20_000])
def test_what_is_no_backup_is_refused_and_changes_nothing(file, contents):
    file.write_bytes(contents)
    factories.user("alice@example.org")

    with pytest.raises(CommandError, match="backup"):
        restore(file)

    assert User.objects.count() == 1


def test_a_backup_cut_short_is_refused_and_changes_nothing(file):
    backup(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    factories.user("alice@example.org")

    with pytest.raises(CommandError):
        restore(file, "--force")

    assert User.objects.count() == 1


def test_a_backup_of_a_newer_version_is_refused(file):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("scoring", "9999_tomorrow")
    backup(file)
    recorder.record_unapplied("scoring", "9999_tomorrow")

    with pytest.raises(CommandError, match=r"scoring\.9999_tomorrow"):
        restore(file)


def test_a_backup_of_another_database_is_refused(file):
    manifest = keeping.Manifest("oracle", timezone.now(), []).written()
    with tarfile.open(file, "w") as archive:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))

    with pytest.raises(CommandError, match="is of oracle"):
        restore(file)


# --- who else is there -----------------------------------------------------------------------------


def another_connection():
    if connection.vendor == "sqlite":
        return sqlite3.connect(connection.settings_dict["NAME"])
    return stores.PostgresStore()._connect(autocommit=False)


def test_a_restore_is_refused_while_another_connection_is_open(file):
    backup(file)
    other = another_connection()
    other.execute("SELECT count(*) FROM profiles_user").fetchone()
    factories.user("alice@example.org")

    with pytest.raises(CommandError, match="in use"):
        restore(file)

    assert User.objects.count() == 1
    restore(file, "--force")
    assert User.objects.count() == 0
    other.close()


def test_a_restore_is_refused_while_a_worker_ticks(file):
    backup(file)
    slots.beat(timezone.now())

    with pytest.raises(CommandError, match="a worker was busy"):
        restore(file)

    restore(file, "--force")


def test_a_backup_sees_one_instant_while_somebody_writes(file):
    factories.user("alice@example.org")
    writer = another_connection()
    writer.execute("UPDATE profiles_user SET name = 'half written'")

    backup(file)

    writer.rollback()
    writer.close()
    restore(file)
    assert User.objects.get().name == ""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder with PostgreSQL's client programs, the only one that is looked through."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        (folder / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.postgres
@pytest.mark.parametrize("missing", ["pg_dump", "pg_restore", "psql"])
def test_a_missing_program_is_named_and_nothing_is_changed(file, programs, missing):
    backup(file)
    factories.user("alice@example.org")
    (programs / missing).unlink()

    with pytest.raises(CommandError, match=f"{missing} is not installed"):
        backup(file, "--force") if missing == "pg_dump" else restore(file)

    assert User.objects.count() == 1


@pytest.mark.postgres
def test_a_restore_that_fails_in_its_middle_changes_nothing(file, programs):
    backup(file)
    factories.user("alice@example.org")
    spoiling = programs / "pg_restore"
    real = spoiling.readlink()
    spoiling.unlink()
    spoiling.write_text(
        f'#!/bin/sh\n"{real}" "$@" && for each; do case $each in --file=*) '
        'echo "SELECT nonsense;" >>"${each#--file=}";; esac; done\n'
    )
    spoiling.chmod(0o755)

    with pytest.raises(CommandError, match="psql failed"):
        restore(file)

    assert User.objects.get().email == "alice@example.org"
