"""Rows are the queue: Redis may die, forget, or deliver twice, and beats may be two. F9, F12, F13."""

import pytest

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("processes"),
]
