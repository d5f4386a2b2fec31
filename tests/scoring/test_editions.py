"""A profile's day: opened, screened, closed, reopened; and no paper of it lost."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from papers.features import vectors
from papers.models import Announcement, ArxivCount, Paper, PaperVersion
from scoring import editions, packed, providers
from scoring.models import Candidate, Edition, FirstSeen
from scoring.packed import Code
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
NEXT_DAY = dt.date(2026, 2, 2)
State = Candidate.State


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


def read_by_a_model(profile):
    """Let a model judge the profile, so that screening has something to save."""
    return factories.provider("http://127.0.0.1:9/v1", team=profile.team)


def mixed_day(about: int = 10, other: int = 90, day: dt.date = DAY) -> list[Paper]:
    """Some papers about graphs, many about anything else."""
    texts = [
        ("Graph neural networks", "Message passing in graph neural networks for node classification.")
    ] * about
    texts += [(f"Remarks {n}", f"Some remarks on topic{n} and on thing{n * 7}.") for n in range(other)]
    papers = [factories.paper(title=title, abstract=abstract) for title, abstract in texts]
    for paper in papers:
        factories.announce(paper, day)
    return papers


def codes(edition: Edition) -> dict[int, Code]:
    edition.refresh_from_db()
    return {entry.paper_id: entry.code for entry in packed.unpack(edition.packed)}


def finish(edition: Edition, state: State = State.FAILED) -> None:
    """End whatever waits, as judging would."""
    waiting = list(Candidate.objects.filter(edition=edition).waiting().values_list("paper_id", flat=True))
    Candidate.objects.filter(edition=edition).waiting().update(state=state)
    editions.move(edition, dict.fromkeys(waiting, Code[state.upper()]))


# --- opening ---------------------------------------------------------------------------------------


def test_an_edition_lists_every_paper_announced_to_it(alice):
    profile = factories.profile(alice, categories=["cs.LG", "cs.CV"])
    papers = factories.announced_papers(3) + factories.announced_papers(2, category="cs.CV")
    factories.announced_papers(4, category="math.CO")

    edition = editions.open_edition(profile, DAY)

    assert codes(edition) == {paper.pk: Code.WAITING for paper in papers}
    assert editions.account(edition).announced == 5
    assert editions.account(edition).is_true


def test_a_paper_of_two_categories_is_listed_once(alice):
    profile = factories.profile(alice, categories=["cs.LG", "cs.CV"], cross_lists=True)
    paper = factories.paper()
    factories.announce(paper)
    factories.announce(paper, category="cs.CV", kind=Announcement.Kind.CROSS)

    edition = editions.open_edition(profile, DAY)

    assert list(codes(edition)) == [paper.pk]
    assert editions.account(edition).announced == 1


def test_cross_lists_come_only_where_they_are_wanted(alice):
    cross = factories.paper(categories=["cs.CV", "cs.LG"])
    factories.announce(cross, category="cs.LG", kind=Announcement.Kind.CROSS)
    without = factories.profile(alice)
    wanting = factories.profile(alice, cross_lists=True)

    assert codes(editions.open_edition(without, DAY)) == {}
    assert codes(editions.open_edition(wanting, DAY)) == {cross.pk: Code.WAITING}


def test_replacements_are_counted_beside_the_account(alice):
    profile = factories.profile(alice)
    factories.announced_papers(2)
    replaced = factories.paper(version=2)
    factories.announce(replaced, kind=Announcement.Kind.REPLACEMENT)

    account = editions.account(editions.open_edition(profile, DAY))

    assert (account.announced, account.replacements) == (2, 1)


def test_opening_again_changes_nothing(alice):
    profile = factories.profile(alice)
    factories.announced_papers(3)

    first = editions.open_edition(profile, DAY)
    second = editions.open_edition(profile, DAY)

    assert first == second
    assert FirstSeen.objects.filter(profile=profile).count() == 3


def test_a_later_announcement_of_a_paper_is_seen_before(alice):
    profile = factories.profile(alice, categories=["cs.LG", "cs.CV"], cross_lists=True)
    paper = factories.announced_papers(1)[0]
    factories.announce(paper, NEXT_DAY, category="cs.CV", kind=Announcement.Kind.CROSS)

    editions.open_edition(profile, DAY)
    later = editions.open_edition(profile, NEXT_DAY)

    assert codes(later) == {paper.pk: Code.SEEN}
    assert FirstSeen.objects.get(profile=profile, paper=paper).day == DAY


def test_a_withdrawn_paper_is_listed_and_not_read(alice):
    profile = factories.profile(alice)
    paper = factories.paper(is_withdrawn=True)
    factories.announce(paper)

    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)

    assert codes(edition) == {paper.pk: Code.WITHDRAWN}
    assert not edition.candidates.exists()


def test_a_day_of_which_nothing_is_stored_is_not_opened(alice):
    with pytest.raises(editions.NothingAnnounced):
        editions.open_edition(factories.profile(alice), dt.date(2026, 1, 31))


def test_a_quiet_day_of_a_category_is_an_empty_edition(alice):
    profile = factories.profile(alice, categories=["math.GR"])
    factories.announced_papers(1)

    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)

    assert editions.close(edition, NOW)
    assert editions.account(edition).announced == 0


def test_a_new_profile_does_not_wait_for_tomorrow(alice):
    profile = factories.profile(alice)
    factories.announced_papers(3)
    factories.announced_papers(1, dt.date(2026, 1, 29))

    edition = editions.open_newest(profile, NOW)

    assert edition.day == DAY
    assert edition.state == Edition.State.SCREENED
    assert editions.open_newest(profile, NOW) == edition


def test_without_papers_in_its_categories_there_is_no_newest_day(alice):
    factories.announced_papers(1)

    assert editions.open_newest(factories.profile(alice, categories=["math.GR"]), NOW) is None


def test_later_categories_do_not_change_an_earlier_account(alice):
    profile = factories.profile(alice)
    factories.announced_papers(3)
    factories.announced_papers(2, category="cs.CV")
    edition = editions.open_edition(profile, DAY)

    profile.categories = ["cs.CV"]
    profile.save(update_fields=["categories"])

    assert editions.account(edition).announced == 3
    assert editions.account(edition).is_true


def test_a_day_of_replacements_only_is_not_a_newest_day(alice):
    profile = factories.profile(alice)
    factories.announced_papers(2)
    factories.announce(factories.paper(version=2), NEXT_DAY, kind=Announcement.Kind.REPLACEMENT)

    edition = editions.open_newest(profile, NOW + dt.timedelta(days=10))

    assert edition is not None
    assert edition.day == DAY


# --- screening -------------------------------------------------------------------------------------


def test_screening_reads_from_the_top_and_samples_the_rest(alice):
    profile = factories.profile(alice, interests=["graph neural networks"])
    read_by_a_model(profile)
    papers = mixed_day()
    edition = editions.open_edition(profile, DAY)

    assert editions.screen(edition, NOW)

    best = list(edition.candidates.order_by("rank").values_list("paper_id", flat=True)[:10])
    account = editions.account(edition)
    assert set(best) == {paper.pk for paper in papers[:10]}
    assert account.screened == 100 - account.waiting > 0
    assert account.is_true
    audited = edition.candidates.filter(is_audit=True)
    assert audited.count() in {1, 2}
    assert all(candidate.audit_chance for candidate in audited)
    assert edition.expected_recall >= 0.9
    assert edition.candidates.filter(is_audit=False).count() == edition.cut_rank


def test_every_estimate_is_kept_for_why_not(alice):
    profile = factories.profile(alice, interests=["graph neural networks", "robots"])
    read_by_a_model(profile)
    mixed_day()
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)

    entries = {entry.paper_id: entry for entry in packed.unpack(edition.packed)}
    assert all(entry.estimate for entry in entries.values())
    for candidate in edition.candidates.all():
        assert candidate.estimate == entries[candidate.paper_id].estimate
        assert len(packed.unpack_estimates(candidate.interest_estimates)) == 2


def test_screening_again_changes_nothing(alice):
    profile = factories.profile(alice)
    factories.announced_papers(5)
    edition = editions.open_edition(profile, DAY)

    assert editions.screen(edition, NOW)
    before = Edition.objects.filter(pk=edition.pk).values().get()
    assert not editions.screen(edition, NOW + dt.timedelta(hours=1))

    assert Edition.objects.filter(pk=edition.pk).values().get() == before
    assert edition.candidates.count() == 5


def test_the_local_judge_is_given_everything(alice):
    profile = factories.profile(alice, interests=["graph neural networks"])
    mixed_day()
    edition = editions.open_edition(profile, DAY)

    editions.screen(edition, NOW)

    assert providers.provider_of(profile).is_local
    assert edition.candidates.count() == 100
    assert editions.account(edition).screened == 0


def test_a_target_of_one_reads_everything(alice):
    profile = factories.profile(alice, target_recall=1.0)
    read_by_a_model(profile)
    mixed_day()
    edition = editions.open_edition(profile, DAY)

    editions.screen(edition, NOW)

    assert edition.candidates.waiting().count() == 100


def test_words_that_carry_nothing_are_told_and_read_more(alice):
    profile = factories.profile(alice, interests=["有意思的东西"])
    read_by_a_model(profile)
    mixed_day()
    edition = editions.open_edition(profile, DAY)

    editions.screen(edition, NOW)

    assert edition.screening["weak"]
    assert edition.screening["unknown"] == [0]
    assert edition.cut_rank == 91


def test_missing_features_are_computed_and_kept(alice):
    profile = factories.profile(alice)
    paper = factories.announced_papers(1)[0]
    PaperVersion.objects.update(features=b"\x00old")

    editions.screen(editions.open_edition(profile, DAY), NOW)

    text = PaperVersion.objects.get(paper=paper)
    assert bytes(text.features) == vectors.features(text.title, text.abstract)


def test_a_paper_without_a_text_is_known_by_its_title(alice):
    profile = factories.profile(alice, interests=["graph neural networks"])
    papers = mixed_day()
    PaperVersion.objects.filter(paper=papers[0]).delete()
    edition = editions.open_edition(profile, DAY)

    editions.screen(edition, NOW)

    assert edition.candidates.get(paper=papers[0]).rank <= 10


# --- moving and closing ----------------------------------------------------------------------------


def test_a_day_closes_when_nothing_waits(alice):
    profile = factories.profile(alice)
    factories.announced_papers(3)
    edition = editions.open_edition(profile, DAY)
    assert not editions.close(edition, NOW)
    editions.screen(edition, NOW)
    assert not editions.close(edition, NOW)
    finish(edition)

    assert editions.close(edition, NOW)
    assert not editions.close(edition, NOW + dt.timedelta(hours=1))

    assert edition.state == Edition.State.CLOSED
    assert edition.closed_at == NOW
    assert edition.account["announced"] == edition.account["failed"] == 3


def test_a_move_of_a_stranger_changes_nothing(alice):
    profile = factories.profile(alice)
    paper = factories.announced_papers(1)[0]
    edition = editions.open_edition(profile, DAY)

    with pytest.raises(KeyError):
        editions.move(edition, {paper.pk: Code.JUDGED, paper.pk + 1: Code.JUDGED})

    assert codes(edition) == {paper.pk: Code.WAITING}


def test_waiting_says_for_what(alice):
    profile = factories.profile(alice)
    factories.announced_papers(6)
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    keys = list(edition.candidates.values_list("pk", flat=True))
    Candidate.objects.filter(pk__in=keys[:2]).update(waits_for=Candidate.Waits.BUDGET)
    Candidate.objects.filter(pk=keys[2]).update(waits_for=Candidate.Waits.PROVIDER)

    account = editions.account(edition)

    assert (account.waiting_turn, account.waiting_budget, account.waiting_provider) == (3, 2, 1)
    assert account.is_true


def test_what_waits_too_long_expires_and_stays_listed(alice):
    profile = factories.profile(alice)
    factories.announced_papers(3)
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)

    opened, two_weeks = edition.opened_at, dt.timedelta(days=14)
    assert editions.expire_waiting(opened + two_weeks) == 0
    assert editions.expire_waiting(opened + two_weeks + dt.timedelta(seconds=1)) == 3
    assert editions.expire_waiting(opened + two_weeks + dt.timedelta(seconds=1)) == 0

    assert set(codes(edition).values()) == {Code.EXPIRED}
    assert editions.account(edition).expired == 3
    assert editions.close(edition, NOW)
    assert editions.audit() == []


# --- what arXiv counted ----------------------------------------------------------------------------


def test_arxivs_own_count_stands_beside_ours(alice):
    profile = factories.profile(alice, categories=["cs.LG", "cs.CV"])
    factories.announced_papers(3)
    edition = editions.open_edition(profile, DAY)
    assert editions.account(edition).arxiv_counted is None

    for category, source, count in (
        ("cs.LG", "rss", 2),
        ("cs.LG", "listing", 3),
        ("cs.CV", "rss", 1),
    ):
        ArxivCount.objects.create(
            category=category, day=DAY, kind="new", source=source, count=count, counted_at=timezone.now()
        )

    assert editions.account(edition).arxiv_counted == 4


def test_the_account_takes_few_queries(alice, django_assert_max_num_queries):
    profile = factories.profile(alice)
    factories.announced_papers(5)
    edition = editions.open_edition(profile, DAY)

    with django_assert_max_num_queries(6):
        editions.account(edition)


def test_opening_and_screening_take_as_many_queries_for_few_as_for_many(alice):
    providers.instance_provider()
    asked = []
    for papers in (2, 40):
        profile = factories.profile(alice, name=f"{papers} papers")
        factories.announced_papers(papers)
        with CaptureQueriesContext(connection) as queries:
            editions.screen(editions.open_edition(profile, DAY), NOW)
        asked.append(len(queries))

    assert asked[0] == asked[1] <= 56
