"""What the bench's table says of a stretch of days."""

from dataclasses import replace
from typing import cast

import numpy as np

from bench.days import DayOf
from bench.policy import Outcome, summary
from scoring.screening.recall import Stated

DAY = Outcome(
    papers=10,
    read=5,
    audited=1,
    stable=4,
    found=4,
    first_recall=1.0,
    own=Stated(1.0, 0.9, 1.0),
    late=Stated(0.5, 0.45, 0.55, editions=2),
    scores=np.zeros(0),
    day=cast(DayOf, None),
)


def test_a_statement_of_several_days_is_held_against_all_of_them():
    days = [replace(DAY, found=0), DAY]

    alone, with_the_day_before = summary(days[1:]), summary(days[1:], days)

    assert alone is not None
    assert with_the_day_before is not None
    assert (alone.recall, with_the_day_before.recall) == (1.0, 1.0)
    assert alone.covered_together == 0.0
    assert with_the_day_before.covered_together == 1.0
    assert with_the_day_before.covered == 1.0
