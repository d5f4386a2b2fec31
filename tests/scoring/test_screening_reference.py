"""The ranker's floors, on a sixth of the recorded judgements; skips where they are not beside the project.

`python -m bench.ranking` prints the same over all of them.
"""

import pytest

from bench import ranking, recorded
from scoring.screening.index import Index

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def days(shared_data):
    return [(day, Index(day.packed, day.background)) for day in recorded.days(shared_data, every=6)]


def test_the_reference_fields_are_seven(shared_data):
    brief = recorded.reference_brief(shared_data)

    assert len(brief.wishes) == 7
    assert brief.exclusions == ("医疗健康", "遥感领域")
    assert all(wish.expansion().is_known for wish in recorded.without_latin(brief).wishes)


def test_the_local_ranker_reaches_its_floors(shared_data, days):
    written = recorded.reference_brief(shared_data)

    as_written = ranking.measure(days, ranking.ours(written))
    stripped = ranking.measure(days, ranking.ours(recorded.without_latin(written)))
    typed = ranking.measure(days, ranking.as_typed(written, bm25=True))

    assert min(as_written.mean_auc, as_written.pooled_auc) >= 0.72
    assert min(stripped.mean_auc, stripped.pooled_auc) >= 0.70
    assert as_written.pooled_auc > typed.pooled_auc + 0.05


def test_the_stated_recall_is_near_the_one_reached(shared_data, days):
    brief = recorded.reference_brief(shared_data)

    for target in ranking.TARGETS:
        read, reached, stated = ranking.stopping(days, brief, target)
        assert reached == pytest.approx(stated, abs=0.04)
        assert read < target
