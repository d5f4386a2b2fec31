"""`manage.py rehearse`: what a changed profile would have made of its days, without a call and without a write."""

import datetime as dt
import json
from dataclasses import replace
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from papers import filling
from papers.models import PaperVersion
from profiles import drafts, toml
from profiles.drafts import InterestDraft
from profiles.models import Revision
from scoring import editions, edits, price, rehearsal
from scoring.editions import learners
from scoring.models import Call, Candidate, Edition, Score
from scoring.screening import basis
from tests import factories
from tests.scoring.reading import read_all
from tests.scoring.test_learning import read_days as days_of_speech

pytestmark = pytest.mark.django_db
DAYS = [dt.date(2026, 1, 26), dt.date(2026, 1, 27)]
TEXTS = [
    "We train graph neural networks on molecules and show that message passing wins.",
    "Reinforcement learning: we learn by reinforcement, and reinforcement learning wins.",
    "Graph neural networks meet reinforcement learning: a policy over graphs.",
    "We measure salt in sea water over many years.",
    "A telescope finds a faint star beside a bright one.",
    "Attention over tokens in a language model of proteins.",
]


def a_day(profile, day, category="cs.LG"):
    for number in range(24):
        paper = factories.paper(
            title=f"Study {number} of {day}",
            abstract=f"{TEXTS[number % len(TEXTS)]} Part {number}.",
            categories=[category],
        )
        factories.announce(paper, day)
    edition = editions.open_edition(profile, day)
    editions.screen(edition)
    return edition


@pytest.fixture
def read_days(alice, judge, fake_model):
    """Two days, screened, read by the simulated model, and closed."""
    alice.bar = 35
    alice.save()
    for day in DAYS:
        a_day(alice, day)
        read_all()
        editions.close(Edition.objects.get(profile=alice, day=day), timezone.now())
    fake_model.bill.lines.clear()
    return list(Edition.objects.filter(profile=alice).order_by("day"))


def everything():
    """Each table of ours: its count, its newest key, and all its rows."""
    return {
        model._meta.label: list(model.objects.order_by("pk").values())
        for name in ("papers", "profiles", "scoring")
        for model in apps.get_app_config(name).get_models()
    }


def weighed(draft, *weights):
    interests = tuple(replace(each, weight=w) for each, w in zip(draft.interests, weights, strict=True))
    return replace(draft, interests=interests)


def reworded(draft):
    return replace(draft, interests=(InterestDraft("Stars", "telescope, star"), *draft.interests[1:]))


def rehearsed(profile, draft, tmp_path, *more):
    file = tmp_path / "profile.toml"
    file.write_text(toml.write(draft), encoding="utf-8")
    out = StringIO()
    call_command("rehearse", str(profile.public_id), str(file), "--days", "5", *more, stdout=out)
    return out.getvalue()


CHANGES = {
    "weights": lambda draft: weighed(draft, 0.2, 1.0),
    "bar": lambda draft: replace(draft, bar=10),
    "target": lambda draft: replace(draft, target_recall=0.5),
    "words": reworded,
    "prompt": lambda draft: replace(draft, weighting_prompt="Prefer theory."),
    "exclusions": lambda draft: replace(draft, exclusions=("robots",)),
    "terms": lambda draft: replace(
        draft, interests=(replace(draft.interests[0], terms=("salt",)), *draft.interests[1:])
    ),
    "categories": lambda draft: replace(draft, categories=("cs.LG", "stat.ML")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_row_changes_and_no_model_is_called(alice, read_days, fake_model, tmp_path, change):
    for day in DAYS:
        factories.announce(factories.paper(categories=["stat.ML"], abstract=TEXTS[0]), day)
    PaperVersion.objects.filter(paper__primary_category="cs.LG").update(features=b"")  # as of an older format
    before = everything()

    with CaptureQueriesContext(
        connection,
    ) as asked:
        rehearsed(alice, CHANGES[change](drafts.draft_of(alice)), tmp_path)

    assert everything() == before
    words = [query["sql"].lstrip().upper() for query in asked]
    assert words and not [sql for sql in words if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert not [sql for sql in words if "FOR UPDATE" in sql]
    assert fake_model.bill.lines == []


def test_the_same_profile_changes_nothing_and_costs_nothing(alice, read_days, tmp_path):
    told = json.loads(rehearsed(alice, drafts.draft_of(alice), tmp_path, "--json"))

    assert told["by"] == "scores" and told["largest"] == [] and told["tokens"] == 0
    assert [day["day"] for day in told["days"]] == [day.isoformat() for day in DAYS]
    assert {day[name] for day in told["days"] for name in ("up", "down", "new", "gone", "to_read")} == {0}


def test_weights_and_bar_rank_anew_just_as_saving_them_does(alice, read_days):
    draft = replace(weighed(drafts.draft_of(alice), 0.6, 1.0), bar=25)

    told = rehearsal.rehearse(alice, draft, 5)

    from_rehearsal = [
        [move.paper_id for move in sorted(day.moves, key=lambda move: move.after or 0) if move.after]
        for day in told.days
    ]
    edits.reweigh(drafts.store(draft, alice))
    saved = [
        list(
            Candidate.objects.filter(edition=edition, value__gte=25)
            .best_first()
            .values_list("paper_id", flat=True)
        )
        for edition in read_days
    ]
    assert from_rehearsal == saved
    assert sum(day.tokens for day in told.days) == 0
    assert any(day.up or day.down or day.new or day.gone for day in told.days)


def test_a_higher_bar_lets_papers_go_and_names_them(alice, read_days, tmp_path):
    draft = replace(drafts.draft_of(alice), bar=100)
    shown = [Candidate.objects.filter(edition=each, value__gte=35).count() for each in read_days]

    told = json.loads(rehearsed(alice, draft, tmp_path, "--json"))

    kept = [Candidate.objects.filter(edition=each, value__gte=100).count() for each in read_days]
    assert [day["gone"] for day in told["days"]] == [a - b for a, b in zip(shown, kept, strict=True)]
    assert sum(day["gone"] for day in told["days"]) > 0
    assert (told["largest"][0]["before"], told["largest"][0]["after"]) == (1, None)
    assert len(told["largest"]) == min(10, sum(day["gone"] for day in told["days"]))


def test_new_words_are_estimated_anew_just_as_screening_would(alice, read_days, judge, tmp_path):
    told = json.loads(rehearsed(alice, reworded(drafts.draft_of(alice)), tmp_path, "--json"))

    assert told["by"] == "estimates"
    other = factories.profile(alice.owner, team=alice.team, name="Other")
    drafts.store(reworded(drafts.draft_of(alice)), other)
    other.refresh_from_db()
    for edition, day in zip(read_days, told["days"], strict=True):
        was = set(edition.candidates.filter(is_audit=False).values_list("paper", flat=True))
        anew = editions.open_edition(other, edition.day)
        editions.screen(anew)
        now = set(anew.candidates.filter(is_audit=False).values_list("paper", flat=True))
        assert (day["new"], day["gone"]) == (len(now - was), len(was - now))


def test_what_is_read_again_costs_what_it_took(alice, read_days, judge, tmp_path):
    judge.price_input_microusd, judge.price_output_microusd = 1_000_000, 4_000_000
    judge.save()
    draft = replace(drafts.draft_of(alice), weighting_prompt="Prefer theory.", target_recall=1.0)

    told = json.loads(rehearsed(alice, draft, tmp_path, "--json"))

    assert [day["to_read"] for day in told["days"]] == [24, 24]
    for edition, day in zip(read_days, told["days"], strict=True):
        calls = Call.objects.filter(edition=edition, kind=Call.Kind.JUDGE)
        took = sum(call.input_tokens + call.output_tokens for call in calls)
        unread = 24 - Score.objects.filter(day=edition.day, purpose="first").count()
        mean = price.tokens_a_paper(draft, alice, judge)
        assert abs(day["tokens"] - took - unread * mean) <= 1
        assert day["cost_microusd"] > 0


def test_an_edit_that_is_taken_back_costs_nothing(alice, read_days, tmp_path):
    before = drafts.draft_of(alice)
    drafts.store(replace(before, weighting_prompt="Prefer theory."), alice)
    alice.refresh_from_db()

    told = json.loads(rehearsed(alice, before, tmp_path, "--json"))

    assert Revision.objects.filter(profile=alice).count() == 1
    assert told["by"] == "estimates" and all(each.candidates.count() for each in read_days)
    assert [day["to_read"] for day in told["days"]] == [0, 0] and told["tokens"] == 0


def test_other_categories_bring_papers_that_are_not_read_yet(alice, read_days, tmp_path):
    for day in DAYS:
        factories.announce(factories.paper(categories=["stat.ML"], abstract=TEXTS[0]), day)
    draft = replace(drafts.draft_of(alice), categories=("cs.LG", "stat.ML"), target_recall=1.0)
    alone = replace(draft, categories=("stat.ML",))

    both = json.loads(rehearsed(alice, draft, tmp_path, "--json"))
    only = json.loads(rehearsed(alice, alone, tmp_path, "--json"))

    unread = [24 - each.candidates.count() for each in read_days]
    assert [day["to_read"] for day in both["days"]] == [count + 1 for count in unread]
    assert [day["leaving"] for day in only["days"]] == [each.candidates.count() for each in read_days]
    assert [day["to_read"] for day in only["days"]] == [1, 1] and only["tokens"] > 0


def test_what_was_learned_goes_into_the_new_estimates(monkeypatch):
    monkeypatch.setattr(basis, "FEWEST_PAPERS", 100)
    learners._basis.cache_clear()
    profile = factories.profile(factories.user(), interests=["what I like"])
    factories.provider("http://127.0.0.1:9/v1", team=profile.team)
    days_of_speech(profile, 5)
    draft = replace(drafts.draft_of(profile), weighting_prompt="Prefer theory.", target_recall=0.7)

    told = rehearsal.rehearse(profile, draft, 5)

    first, *_, last = told.days
    assert last.to_read < first.to_read  # it knows by then what its reader wants


def test_the_table_in_words(alice, read_days, tmp_path):
    text = rehearsed(alice, replace(drafts.draft_of(alice), bar=100), tmp_path)

    assert "Places among the recommended papers, by the stored scores." in text
    assert DAYS[0].isoformat() in text and "To read again: 0 tokens" in text
    assert "-> –" in text


def test_a_model_that_nothing_has_used_yet_is_said_not_stored(alice, tmp_path):
    factories.edition(alice)
    before = everything()

    with pytest.raises(CommandError, match="nothing has used yet"):
        rehearsed(alice, drafts.draft_of(alice), tmp_path)

    assert everything() == before


def test_a_write_is_refused(alice):
    with connection.execute_wrapper(rehearsal._reads_only), pytest.raises(rehearsal.Wrote):
        alice.save()


def test_without_an_edition_and_with_a_bad_file(alice, tmp_path):
    assert "no edition yet" in rehearsed(alice, drafts.draft_of(alice), tmp_path)
    (tmp_path / "bad.toml").write_text("name = 1", encoding="utf-8")

    for file in ("bad.toml", "missing.toml"):
        with pytest.raises(CommandError) as refused:
            call_command("rehearse", str(alice.public_id), str(tmp_path / file))
        assert refused.value.returncode == 2


def test_a_vector_that_is_not_to_be_stored_is_the_same():
    paper = factories.paper()
    key = PaperVersion.objects.get(paper=paper).pk

    with filling.without_storing():
        computed = filling.vectors_of([key])

    assert not bytes(PaperVersion.objects.get(pk=key).features)
    assert computed == filling.vectors_of([key])
