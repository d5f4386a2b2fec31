"""Profiles and days that nobody designed for: each has an outcome that makes sense, and that its reader is told."""

import datetime as dt

import numpy as np
import pytest
from django.urls import reverse

from papers.features.vectors import features
from papers.models import Announcement, Paper, PaperVersion
from profiles.models import Profile, Scope
from scoring import budget, editions, judging
from scoring.models import Candidate, Edition
from scoring.packed import Code, counts, unpack
from scoring.screening import basis
from scoring.screening.brief import Brief, Wish
from scoring.screening.cut import cut
from scoring.screening.expand import expand, is_contradicted
from scoring.screening.index import Index
from scoring.screening.learner import Learner, Lesson, chance_of
from scoring.screening.rank import SCALE, estimate
from tests import factories
from tests.scoring.reading import OTHER, TOPIC

NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
GEORGIAN = "გრაფული ნეირონული ქსელები"
AMHARIC = "የግራፍ ነርቭ መረቦች"
GRAPHS = [features(f"Graph neural networks, part {n}", TOPIC) for n in range(20)]
SALT = [features(f"Salt, part {n}", OTHER) for n in range(60)]
FORM = {
    "name": "Daily",
    "interest_name": ["Graph learning"],
    "interest_description": [""],
    "interest_weight": ["1"],
    "interest_terms": [""],
    "categories": ["cs.LG"],
    "reason_language": "en",
    "bar": "6",
    "target_recall": "90",
    "weighting_prompt": "",
    "exclusions": "",
}


@pytest.fixture
def reader(db, client):
    made = factories.user()
    client.force_login(made)
    return made


def share_chosen(combined) -> float:
    line = cut(list(combined), [f"2601.{at:05}" for at in range(len(combined))], 0.9, "seed")
    return line.rank / len(combined)


def page_of(client, profile: Profile) -> str:
    address = reverse("day", args=[factories.DAY])
    return client.get(address, {"profile": str(profile.public_id)}).text


# --- words ---------------------------------------------------------------------------------------------


def test_a_profile_of_one_word_puts_its_papers_first():
    got = estimate(Index([*GRAPHS, *SALT]), Brief((Wish("graphs"),)))

    assert min(got.combined[:20]) > max(got.combined[20:])
    assert not got.is_weak


def test_ten_thousand_words_are_refused_with_what_to_do_and_nothing_of_them_is_lost(client, reader):
    words = " ".join(f"word{number}" for number in range(10_000))

    response = client.post(reverse("profile_new"), {**FORM, "interest_description": [words]})

    assert response.status_code == 422
    assert f"{len(words)} characters; shorten it to 4000" in response.text
    assert words in response.text
    assert not Profile.objects.exists()


def test_as_many_words_as_are_allowed_are_ranked_by_the_weightiest():
    wish = Wish(
        "Graphs", ("graph neural networks, " + "we like them very much because they work, " * 95)[:4000]
    )

    got = estimate(Index([*GRAPHS, *SALT]), Brief((wish,)))

    assert len(wish.expansion().terms) <= 35
    assert min(got.combined[:20]) > max(got.combined[20:])


def test_words_that_are_asked_for_and_refused_are_told_and_decided_by_the_model(client, reader):
    form = {**FORM, "interest_description": ["graph neural networks"], "exclusions": "graph neural networks"}

    page = client.post(reverse("profile_new"), form).text
    wanted = client.post(reverse("profile_new"), {**form, "exclusions": "robots"}).text

    assert page.count("The same words stand under") == 1
    assert "The same words stand under" not in wanted
    # Held back, but not lost: they are no less likely than what nobody asked for, and the model sees both texts.
    brief = Brief((Wish("Graphs", "graph neural networks"),), ("graph neural networks",))
    got = estimate(Index([*GRAPHS, *SALT]), brief)
    assert np.mean(got.combined[:20]) >= np.mean(got.combined[20:])
    assert share_chosen(got.combined) > 0.8


def test_an_exclusion_with_an_exception_contradicts_nothing():
    wished = expand("Medical imaging", "medical imaging")

    assert is_contradicted(wished, "medical imaging")
    assert not is_contradicted(wished, "medical imaging, unless it is central")
    assert not is_contradicted(wished, "remote sensing")
    assert not is_contradicted(wished, "")


@pytest.mark.django_db
@pytest.mark.parametrize("words", [GEORGIAN, AMHARIC])
def test_a_language_that_the_ranker_has_never_seen_is_read_in_full_and_told(client, reader, words):
    profile = factories.profile(reader, interests=[words])
    factories.provider("http://127.0.0.1:9/v1", profile=profile)
    factories.announced_papers(40)
    edition = editions.open_edition(profile, factories.DAY)

    editions.screen(edition, NOW)

    edition.refresh_from_db()
    assert edition.screening["unknown"] == [0]
    assert edition.candidates.count() >= 0.85 * 40
    assert "knows too few words of this profile" in page_of(client, profile)
    typed = client.post(reverse("profile_new"), {**FORM, "interest_name": [words]}).text
    assert "No word of this field is known" in typed
    assert words in typed


# --- labels --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def directions():
    known = basis.fit([*(GRAPHS * 3), *(SALT * 6)], width=4)
    assert known is not None
    return known


def taught(known, labels) -> Learner:
    pupil = Learner.fresh(known.width, len(known.hashes))
    rows = known.rows([*GRAPHS, *SALT])
    for at, wanted in enumerate(labels):
        pupil.teach(rows, at % 80, 0.3, Lesson(wanted))
    return pupil


def chances(pupil, known) -> np.ndarray:
    return chance_of(pupil.logits(known.rows([*GRAPHS, *SALT]), np.full(80, 0.3)))


def test_without_any_score_the_words_stand_as_they_are(directions):
    assert chances(taught(directions, []), directions) == pytest.approx(np.full(80, 0.3), abs=1e-6)


@pytest.mark.parametrize(("label", "low", "high"), [(0.0, 0.0, 0.1), (1.0, 0.9, 1.0)])
def test_labels_that_are_all_alike_are_believed_and_stay_probabilities(directions, label, low, high):
    got = chances(taught(directions, [label] * 400), directions)

    assert np.isfinite(got).all()
    assert low < got.min() <= got.max() < high
    # Flat estimates tell nothing apart, so that hardly a paper may be left unread.
    assert share_chosen(np.rint(got * SCALE).astype(int).tolist()) > 0.75


def test_a_judge_who_changes_his_mind_is_followed(directions):
    rows = directions.rows([*GRAPHS, *SALT])
    pupil = Learner.fresh(directions.width, len(directions.hashes))
    told = []
    for wanted in (1.0, 0.0, 1.0):
        for _ in range(4):
            for at in range(20):
                pupil.teach(rows, at, 0.3, Lesson(wanted))
        told.append(float(chances(pupil, directions)[:20].mean()))

    up, down, again = told
    assert down < 0.5 < min(up, again)


# --- days ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_day_of_three_papers_is_read_whole_or_nearly(fake_model, client, reader):
    profile = factories.profile(reader)
    factories.provider(fake_model.base_url, profile=profile)
    factories.announced_papers(3)
    edition = editions.open_edition(profile, factories.DAY)

    editions.screen(edition, NOW)
    judging.drain()

    edition.refresh_from_db()
    found = counts(bytes(edition.packed))
    assert found[Code.JUDGED] >= 2
    assert found[Code.JUDGED] + found[Code.SCREENED] == 3
    assert editions.close(edition, NOW)
    assert editions.audit() == []
    assert page_of(client, profile)


@pytest.mark.django_db(transaction=True)
def test_a_day_of_five_thousand_papers_is_screened_and_waits_for_its_budget(fake_model, client, reader):
    profile = factories.profile(reader)
    factories.provider(fake_model.base_url, profile=profile)
    membership = profile.team.memberships.get()
    factories.quota(Scope.MEMBER, 12_000, membership=membership, team=profile.team)
    _announced_in_bulk(5_000)
    edition = editions.open_edition(profile, factories.DAY)

    editions.screen(edition, NOW)
    judging.drain(patience_seconds=0)

    edition.refresh_from_db()
    account = editions.account(edition)
    assert len(unpack(edition.packed)) == account.announced == 5_000
    assert account.is_true
    assert 0 < account.judged < 100
    assert account.waiting > 1_000
    assert edition.blocked_by
    assert Candidate.objects.filter(edition=edition).waiting().count() == account.waiting
    assert list(budget.audit()) == []
    assert editions.audit() == []
    assert Edition.objects.get().state == Edition.State.SCREENED
    assert "5,000" in page_of(client, profile) or "5000" in page_of(client, profile)


def _announced_in_bulk(number: int) -> None:
    made = Paper.objects.bulk_create(
        Paper(
            arxiv_id=f"2601.{at:05}",
            title=f"{'Graphs' if at % 3 == 0 else 'Salt'}, part {at}",
            authors=[],
            categories=["cs.LG"],
            primary_category="cs.LG",
            latest_version=1,
        )
        for at in range(number)
    )
    texts = (TOPIC, OTHER, f"{OTHER} It is a robot.")
    PaperVersion.objects.bulk_create(
        PaperVersion(
            paper=paper,
            number=1,
            title=paper.title,
            abstract=texts[at % 3],
            features=features(paper.title, texts[at % 3]),
        )
        for at, paper in enumerate(made)
    )
    Announcement.objects.bulk_create(
        Announcement(
            paper=paper,
            category="cs.LG",
            day=factories.DAY,
            kind=Announcement.Kind.NEW,
            source=Announcement.Source.RSS,
            version=1,
        )
        for paper in made
    )


def test_an_interest_of_one_sign_is_no_error():
    for words in ("?", "…", "a", "的", "🜁"):
        got = estimate(Index([*GRAPHS, *SALT]), Brief((Wish(words),)))
        assert len(got.combined) == 80
        assert share_chosen(got.combined) > 0.85
