"""What must be there before the first page: tables, the cache's table, collected static files."""

from django.conf import settings
from django.core.management import call_command


def prepare() -> None:
    """Safe to repeat; a second time it finds little to do."""
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.REDIS_URL:
        call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
