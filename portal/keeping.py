"""VERB. Keep everything in one file, and bring it back.

The file is a TAR of a manifest (which database, when, which migrations), the database in its own tool's form,
and, only where asked for, the secrets that VAR_DIR keeps. It is private (0600): it holds everybody's words.
"""

import datetime as dt
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Self

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from portal.auditing import audit_house
from portal.stores import StoreError, store
from profiles import letters
from scoring import digest, judging, slots
from scoring.budget import Violation

FORMAT = 1
MANIFEST, DATABASE, SECRETS = "manifest.json", "database", "secrets"
# What `settings.kept_secret` makes once and keeps.
SECRET_FILES = ("secret_key",)
PRIVATE = 0o600
# A worker leaves its trace every ten seconds: after three of them it has stopped.
SECONDS_OF_A_CLOCK = 30


class KeepingError(Exception):
    """The backup or restore was refused, or failed and changed nothing. The message says what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. `made_at` is before the first byte was read."""

    vendor: str
    made_at: dt.datetime
    migrations: list[tuple[str, str]]
    secrets: list[str] = field(default_factory=list)
    format: int = FORMAT

    @classmethod
    def read(cls, text: bytes) -> Self:
        try:
            given = json.loads(text)
            if given["format"] != FORMAT:
                raise KeepingError(f"The backup has format {given['format']}; this version reads {FORMAT}.")
            return cls(
                vendor=given["vendor"],
                made_at=dt.datetime.fromisoformat(given["made_at"]),
                migrations=[(app, name) for app, name in given["migrations"]],
                secrets=[name for name in given["secrets"] if name in SECRET_FILES],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise KeepingError("The file's manifest cannot be read: it is no backup of ours.") from error

    def written(self) -> bytes:
        return json.dumps(asdict(self), default=str, indent=1).encode()


@dataclass(frozen=True)
class Restored:
    """What a restore found: of when the backup was, the mails that are not sent again, what the audit says."""

    manifest: Manifest
    mails_held_back: int
    violations: list[Violation]


# --- out -------------------------------------------------------------------------------------------


def backup(
    target: Path, now: dt.datetime, *, with_secrets: bool = False, overwrite: bool = False
) -> Manifest:
    """Write a backup while everything runs. Raises KeepingError; then the target is as it was."""
    if target.exists() and not overwrite:
        raise KeepingError(f"{target} exists already. Choose another name, or say --force.")
    if not target.parent.is_dir():
        raise KeepingError(f"There is no folder {target.parent}.")
    secrets = _kept_secrets() if with_secrets else []
    if with_secrets and not secrets:
        raise KeepingError(
            "VAR_DIR keeps no secret: yours stand in the settings. Keep those apart, without --secrets."
        )
    manifest = Manifest(store().vendor, now, sorted(_applied()), [path.name for path in secrets])
    with _folder_in(target.parent) as folder, _told_as_ours():
        store().dump(folder / DATABASE)
        whole = folder / "whole"
        with os.fdopen(os.open(whole, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE), "wb") as file:
            _pack(file, manifest, folder / DATABASE, secrets)
        _put(whole, target, overwrite=overwrite)
    return manifest


def _kept_secrets() -> list[Path]:
    paths = [settings.VAR_DIR / name for name in SECRET_FILES]
    return [path for path in paths if path.exists()]


def _applied() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).applied_migrations())


def _pack(file: IO[bytes], manifest: Manifest, database: Path, secrets: list[Path]) -> None:
    with tarfile.open(fileobj=file, mode="w") as archive:
        _add(archive, MANIFEST, io.BytesIO(manifest.written()), len(manifest.written()))
        for path in secrets:
            _add(archive, f"{SECRETS}/{path.name}", io.BytesIO(path.read_bytes()), path.stat().st_size)
        with database.open("rb") as contents:
            _add(archive, DATABASE, contents, database.stat().st_size)
    file.flush()
    os.fsync(file.fileno())


def _add(archive: tarfile.TarFile, name: str, contents: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, PRIVATE
    archive.addfile(entry, contents)


def _put(whole: Path, target: Path, *, overwrite: bool) -> None:
    """Into place, whole or not at all; a file that appeared meanwhile is not overwritten either."""
    if overwrite:
        whole.replace(target)
        return
    try:
        os.link(whole, target)
    except FileExistsError as error:
        raise KeepingError(f"{target} exists already. Choose another name, or say --force.") from error


# --- in --------------------------------------------------------------------------------------------


def restore(source: Path, now: dt.datetime, *, with_secrets: bool = False, force: bool = False) -> Restored:
    """Replace everything by the backup, then mend what the lost time has torn: leases, mails, migrations.

    Raises KeepingError; then nothing was changed. Without `force` it refuses while anybody else works with
    the database, or would lose another secret.
    """
    with _opened(source) as archive, _folder_in(settings.VAR_DIR) as folder, _told_as_ours():
        manifest = Manifest.read(_member(archive, MANIFEST).read())
        _require_fitting(manifest)
        secrets = {name: _member(archive, f"{SECRETS}/{name}").read() for name in manifest.secrets}
        if with_secrets:
            _require_free(secrets, force=force)
        with (folder / DATABASE).open("wb") as copy:
            shutil.copyfileobj(_member(archive, DATABASE), copy)
        if not force and (company := _clock(now) or store().company()):
            raise KeepingError(
                f"The database is in use: {company}. Stop web and workers first, or say --force."
            )
        store().load(folder / DATABASE, alone=not force)
    if with_secrets:
        _write(secrets)
    if known_migrations() - _applied():
        call_command("migrate", interactive=False, verbosity=0)
    held_back = digest.assume_sent(manifest.made_at, now) + letters.assume_sent(manifest.made_at, now)
    judging.reap(now)
    return Restored(manifest, held_back, audit_house())


def _clock(now: dt.datetime) -> str:
    """Whether a worker has just been at work: between two ticks it may have no connection."""
    try:
        beat = slots.last_beat()
    except DatabaseError:
        return ""  # no tables yet, or none that can be read: nobody works with them
    if beat is None or (now - beat).total_seconds() > SECONDS_OF_A_CLOCK:
        return ""
    return f"a worker was busy at {beat:%H:%M:%S} UTC, less than {SECONDS_OF_A_CLOCK} seconds ago"


def _require_fitting(manifest: Manifest) -> None:
    if manifest.vendor != store().vendor:
        raise KeepingError(f"The backup is of {manifest.vendor}, and DATABASE_URL names {store().vendor}.")
    if unknown := sorted(set(manifest.migrations) - known_migrations()):
        app, name = unknown[0]
        raise KeepingError(
            f"The backup is of another version, with {app}.{name}. Install that or a newer one."
        )


def known_migrations() -> set[tuple[str, str]]:
    """Those of this version of the code."""
    return set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _require_free(secrets: dict[str, bytes], *, force: bool) -> None:
    if not secrets:
        raise KeepingError("The backup holds no secrets. Restore it without --secrets.")
    for name, secret in secrets.items():
        path = settings.VAR_DIR / name
        if path.exists() and path.read_bytes() != secret and not force:
            raise KeepingError(f"{path} holds another secret. Move it away, or say --force.")


def _write(secrets: dict[str, bytes]) -> None:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    for name, secret in secrets.items():
        path = settings.VAR_DIR / name
        with tempfile.NamedTemporaryFile(dir=settings.VAR_DIR, delete=False) as made:
            made.write(secret)
        Path(made.name).replace(path)


# --- the file --------------------------------------------------------------------------------------


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        archive = tarfile.open(source, "r:")  # noqa: SIM115 (closed below)
    except (OSError, tarfile.TarError) as error:
        raise KeepingError(f"{source} is no backup that can be read ({error}).") from error
    with archive:
        yield archive


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        found = archive.extractfile(name)
    except (KeyError, tarfile.TarError):
        found = None
    if found is None:
        raise KeepingError(f"The file is no whole backup of ours: {name} is missing.")
    return found


@contextmanager
def _folder_in(place: Path) -> Iterator[Path]:
    """A private folder on that disk, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".broadsheet-", dir=place) as name:
        yield Path(name)


@contextmanager
def _told_as_ours() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise KeepingError(str(error)) from error
    except (OSError, tarfile.TarError) as error:
        raise KeepingError(f"The file could not be written or read: {error}.") from error
