"""What must be there before the first page: tables, the cache's table, collected static files."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def prepare() -> None:
    """Safe to repeat; a second time it finds little to do."""
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.REDIS_URL:
        call_command("createcachetable", verbosity=0)
    collect_static_files()


def collect_static_files() -> None:
    """Collect, name by content and compress what changed since; nothing where nothing did.

    Naming and compressing takes seconds, which a second start should not wait for.
    """
    sources = fingerprint()
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text() == sources:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(sources)


def fingerprint() -> str:
    """Which static files the apps have, of what size and age."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            digest.update(f"{path} {storage.size(path)} {storage.get_modified_time(path)}\n".encode())
    return digest.hexdigest()
