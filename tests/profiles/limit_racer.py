"""One of several processes that fail to sign in at once: `python -m tests.profiles.limit_racer HOW ATTEMPTS`.

Says `ready`, waits for a line with a key, tries, and says how often it was admitted; until its input ends.
HOW is `ours`, or `naive`: the same without the lock, a get and then a set.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

import django


@contextlib.contextmanager
def no_lock(_key: str) -> Iterator[bool]:
    yield True


def main(how: str, attempts: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from allauth.core.internal import ratelimit
    from django.test import RequestFactory

    if how == "naive":
        ratelimit.cache_lock = no_lock
    print("ready", flush=True)
    for key in sys.stdin:
        admitted = 0
        for number in range(attempts):
            # Each from another address: only the limit of the account counts.
            request = RequestFactory().post("/", REMOTE_ADDR=f"10.{os.getpid() % 250}.0.{number}")
            usage = ratelimit.consume(request, app="allauth.account", action="login_failed", key=key.strip())
            admitted += bool(usage)
        print(admitted, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
