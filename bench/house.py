"""A portal of its own for a bench: SQLite in a scratch folder, and no setting of the caller's."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_house() -> Iterator[Path]:
    """The folder of a migrated portal, gone afterwards. Once a process, before any model is imported."""
    for name in ("DATABASE_URL", "REDIS_URL", "LLM_BASE_URL", "LLM_MODEL", "LLM_API_KEY"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(VAR_DIR=scratch, DJANGO_SETTINGS_MODULE="portal.settings", OFFLINE="1")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        yield Path(scratch)
