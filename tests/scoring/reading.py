"""What the tests of judging share: papers to read, a loop that reads them, and books that must be right."""

from scoring import budget, judging
from scoring.models import Candidate, Edition, Hold
from scoring.packed import Code, counts
from tests import factories

TOPIC = "We train graph neural networks by reinforcement learning and show that graph neural policies win."
OTHER = "We measure salt in sea water over many years and find more of it than before."


def papers(count, abstract=TOPIC):
    return factories.papers(
        [{"title": f"Graph neural networks, part {n}", "abstract": abstract} for n in range(count)]
    )


def read_all(now=None):
    """Claim and read until nothing is left that may be read now; how many calls."""
    calls = 0
    while judging.run_once(now):
        calls += 1
        assert calls < 200
    return calls


def states(edition):
    return sorted(Candidate.objects.filter(edition=edition).values_list("state", flat=True))


def assert_books_are_right(fake_model, assumed=False):
    """The model's own bill is ours, nothing is held any more, and every invariant stands."""
    assert list(budget.audit()) == []
    used = sum(Hold.objects.values_list("used_tokens", flat=True))
    if assumed:
        assert used >= fake_model.bill.total_tokens
    else:
        assert used == fake_model.bill.total_tokens
    for edition in Edition.objects.all():
        by_code = {code: count for code, count in counts(bytes(edition.packed)).items() if count}
        rows = Candidate.objects.filter(edition=edition)
        words = {"claimed": "IN_WORK"}
        stored = [Code[words.get(state, state.upper())] for state in rows.values_list("state", flat=True)]
        assert by_code == {code: stored.count(code) for code in set(stored)}
