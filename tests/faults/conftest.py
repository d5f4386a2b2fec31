import pytest

from tests.faults.processes import own_redis


@pytest.fixture
def broker(tmp_path, settings):
    """A Redis of this test's own, to which the doorbell of this process rings too."""
    with own_redis(tmp_path) as server:
        settings.CELERY_BROKER_URL = server.url
        yield server
