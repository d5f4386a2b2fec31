"""What learning saves and whether the stated recall is true: `python -m bench.learned [SEED]`, half of `make bench-ranking`.

Streams of days (`bench.days`) are read as the portal reads them (`bench.policy`): the synthetic ones always, the recorded
ones when the development data is present. A stable pick is one that the first reading and the next both make: real
second readings on the five lists that were read twice, the fair fake's elsewhere. Some constants
were chosen on five of the recorded streams: `docs/ranking.md` says which, and which are the test.
"""

import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench import recorded, svm, synthetic
from bench.days import PICKED_FROM, DayOf, Reading, Stream
from bench.policy import Outcome, Reader, Summary, Texts, holds, summary, true_of_late
from bench.ranking import as_typed, auc
from bench.tokens import SIDE_SCORE, cost_equivalent, read, total
from scoring.rubric import InterestText, PaperText, RevisionText
from scoring.screening import basis
from scoring.screening.brief import Brief
from scoring.screening.index import Index
from scoring.screening.learner import Learner, Lesson
from scoring.screening.recall import Stated
from scoring.simulated.brain import Labels, title_key

FIXTURE = Path(__file__).parent / "fixtures" / "expansion_of_the_reference.toml"
COLD_DAYS = 10
FEW_SCORES = 2_000
COSTED_PAPERS = 200


def streams(seed: int) -> Iterator[tuple[Stream, bool]]:
    """The streams, and whether each is recorded; what is stable is what two readings pick."""
    for one in synthetic.streams(seed):
        yield _with_stable_picks(one), False
    try:
        data = recorded.folder()
    except FileNotFoundError as error:
        print(f"Recorded days not measured: {error}\n")
        return
    for one in recorded.streams(data):
        yield _with_stable_picks(one), True


def _with_stable_picks(stream: Stream) -> Stream:
    return replace(stream, days=[replace(day, stable=_picked_twice(day)) for day in stream.days])


def _picked_twice(day: DayOf) -> list[bool]:
    second = day.again(0)
    return [
        first >= PICKED_FROM and then >= PICKED_FROM for first, then in zip(day.first, second, strict=True)
    ]


def expanded(brief: Brief) -> Brief:
    """The reference's fields with the committed expansion, which a model wrote from the profile alone."""
    fields = tomllib.loads(FIXTURE.read_text(encoding="utf-8"))["fields"]
    wishes = (
        replace(wish, terms=tuple(field["terms"])) for wish, field in zip(brief.wishes, fields, strict=True)
    )
    return replace(brief, wishes=tuple(wishes))


def cost_of_a_reading(stream: Stream, outcomes: Sequence[Outcome]) -> float:
    """Cost-equivalent tokens a paper read, as a server with a prefix cache bills them, over the newest that were read."""
    newest = [(one.day, i) for one in reversed(outcomes) for i in one.chosen][:COSTED_PAPERS]
    papers = [day.papers[i] for day, i in newest]
    names = [wish.name for wish in stream.brief.wishes]
    labels = Labels(
        {
            title_key(day.papers[i].title): {"scores": _told(names, day.first_by_interest[i], n)}
            for n, (day, i) in enumerate(newest)
        }
    )
    interests = tuple(InterestText(wish.name, wish.description) for wish in stream.brief.wishes)
    revision = RevisionText(interests, stream.brief.exclusions, "", "zh-Hans")
    usages, _ = read(revision, [PaperText(p.title, p.abstract) for p in papers], labels, 0)
    return cost_equivalent(total(usages)) / len(papers)


def _told(names: Sequence[str], reading: Reading, place: int) -> dict[str, int]:
    """What the model's row holds: its pick, and beside it a touch of one more field, as in `bench.tokens`."""
    scores = zip(names, reading.score_by_interest, strict=True)
    return {names[place % len(names)]: SIDE_SCORE, **{n: s for n, s in scores if s >= PICKED_FROM}}


def print_days(name: str, outcomes: Sequence[Outcome], cost: float) -> None:
    for words, part in ((name, outcomes[COLD_DAYS:]), (f"its first {COLD_DAYS} days", outcomes[:COLD_DAYS])):
        if told := summary(part, outcomes):
            print(f"| {words} | {_line(told)} | {cost:.0f} | {cost * told.share_read:.0f} |", flush=True)


def _line(one: Summary) -> str:
    return (
        f"{one.share_read:.0%} ({one.share_audited:.1%}) | {one.recall:.3f} | {one.first_recall:.3f} | {one.stated:.3f} | "
        f"{one.covered:.0%} | {one.width:.3f} | {one.together:.3f} | {one.covered_together:.0%} | {one.width_together:.3f} | "
        f"{one.correlation:+.2f}"
    )


def print_statements(done: Sequence[tuple[str, Sequence[Outcome]]]) -> None:
    """How true the statements are over days and profiles; each day of a profile counts once."""
    for kind in ("synthetic", "reference"):
        said: list[tuple[Stated, float]] = []
        for name, outcomes in done:
            late = [one for one in outcomes[COLD_DAYS:] if one.stable and one.own and one.late]
            if name.startswith(kind):
                said += [(one.late, true_of_late(outcomes, one)) for one in late if one.late]
        if not said:
            continue
        stated, true = (
            np.array(column) for column in zip(*((one.recall, t) for one, t in said), strict=True)
        )
        print(
            f"\n{kind}, days together over {len(said)} days of all profiles: stated {stated.mean():.3f}, true {true.mean():.3f}, "
            f"holds on {np.mean([holds(one, t) for one, t in said]):.0%}, {np.mean([one.width for one, _ in said]):.3f} wide, "
            f"correlation {np.corrcoef(stated, true)[0, 1]:+.2f}"
        )


def print_agreement(done: Sequence[tuple[str, Sequence[Outcome]]]) -> None:
    """How many of another full reading's picks the day has recommended, beside what reading everything would have."""
    print("\n| stream | agreement on re-reading | ceiling | share of it |\n|---|---|---|---|")
    for name, outcomes in done:
        late = outcomes[COLD_DAYS:]
        again = max(1, sum(one.picked_again for one in late))
        agreeing, most = sum(one.agreeing for one in late), max(1, sum(one.most_agreeing for one in late))
        print(f"| {name} | {agreeing / again:.3f} | {most / again:.3f} | {agreeing / most:.3f} |")


def print_twice_read(outcomes: Sequence[Outcome]) -> None:
    """The only real second readings there are."""
    twice = [one for one in outcomes if one.day.is_recorded]
    if not twice:
        return
    told = ", ".join(
        f"{one.day.day} {one.found}/{one.stable} of {one.read}/{one.papers} read" for one in twice
    )
    found, stable = sum(one.found for one in twice), max(1, sum(one.stable for one in twice))
    again = sum(sum(one.day.stable) for one in twice) / max(1, sum(sum(one.day.picked) for one in twice))
    print(
        f"\nlists read twice: {told}; together {found / stable:.3f}. The judge finds {again:.2f} of his own picks again.\n"
    )


def print_aucs(texts: Texts) -> None:
    """Cold and learned, on the second half of the days; labels of the first half only are learned."""
    days = texts.stream.days
    half = next(
        n
        for n in range(len(days))
        if sum(len(d.papers) for d in days[:n]) > sum(len(d.papers) for d in days) * 0.55
    )
    known = basis.fit([one for day in texts.packed[:half] for one in day][-6_000:])
    assert known is not None
    labels = [
        (n, i, float(day.first[i] >= PICKED_FROM))
        for n, day in enumerate(days[:half])
        for i in range(len(day.papers))
    ]
    rows = [known.rows(one) for one in texts.packed]
    written = (
        Texts.of(texts.stream, expanded(texts.stream.brief), texts.packed)
        if texts.stream.name.startswith("reference, seven")
        else texts
    )
    told: list[tuple[str, list[np.ndarray]]] = [
        ("as typed, TF-IDF", _typed(texts, half, bm25=False)),
        ("as typed, BM25", _typed(texts, half, bm25=True)),
        ("cold, expanded locally", texts.priors[half:]),
        ("cold, expanded by a model", written.priors[half:]),
    ]
    for name, count in (
        (f"learner, {FEW_SCORES} scores", FEW_SCORES),
        (f"learner, {len(labels)} scores", len(labels)),
    ):
        pupil = Learner.fresh(known.width, len(known.hashes))
        started = time.process_time()
        for n, i, wanted in labels[-count:]:
            pupil.teach(rows[n], i, float(written.priors[n][i]), Lesson(wanted))
        print(f"{1000 * (time.process_time() - started) / count:.2f} ms CPU a lesson; ", end="")
        told.append((name, [pupil.logits(rows[n], written.priors[n]) for n in range(half, len(days))]))
    told.append((f"linear SVM over TF-IDF, {len(labels)} scores", svm.scores(rows, labels, half)))
    print("\n\n| ranker | AUC, mean of days | pooled | of constant picks, mean |\n|---|---|---|---|")
    for name, scores in told:
        print(
            f"| {name} | {_aucs(scores, [d.picked for d in days[half:]])} | {_aucs(scores, [d.stable for d in days[half:]]).split(' | ')[0]} |"
        )


def _typed(texts: Texts, half: int, *, bm25: bool) -> list[np.ndarray]:
    rank = as_typed(texts.stream.brief, bm25=bm25)
    return [np.asarray(rank(Index(one, [])), dtype=float) for one in texts.packed[half:]]


def _aucs(scores: Sequence[np.ndarray], wanted: Sequence[Sequence[bool]]) -> str:
    means = [auc(s, w) for s, w in zip(scores, wanted, strict=True) if 0 < sum(w) < len(w)]
    pooled = auc(np.concatenate(scores), np.concatenate([np.asarray(w) for w in wanted]))
    return f"{np.mean(means):.3f} | {pooled:.3f}"


def print_planted(texts: Texts) -> None:
    """A learner that is wrong on purpose: what it is unsure of it calls hopeless, from the twelfth day on."""
    reader = Reader(texts)
    outcomes = []
    for number in range(min(24, len(texts.stream.days))):
        if number == 12:
            reader.planted = lambda raw: np.where(raw < 0.5, -raw.clip(-5.5, 0.5) * 0.1 - 5.0, raw)
        outcomes.append(reader.read_day(number))
    caught = next((n - 11 for n in range(12, len(outcomes)) if outcomes[n].is_doubted), None)
    early = any(one.is_doubted for one in outcomes[2:12])
    print(f"\na planted error is doubted after {caught} days; doubted before it was planted: {early}")


def print_speed(texts: Texts) -> None:
    """A day of 1,500 papers for 1,000 profiles, on one core."""
    from papers.features.vectors import features

    papers = [paper for day in texts.stream.days for paper in day.papers][:1_500]
    started = time.process_time()
    packed = [features(paper.title, paper.abstract) for paper in papers]
    vectors = time.process_time() - started
    known = basis.fit(packed)
    assert known is not None
    started = time.process_time()
    rows, index = known.rows(packed), Index(packed, [])
    shared = time.process_time() - started
    from scoring.screening.cut import cut
    from scoring.screening.rank import SCALE, estimate

    pupil = Learner.fresh(known.width, len(known.hashes))
    pupil.seen = 500
    ids = [paper.id for paper in papers]
    started = time.process_time()
    for _ in range(50):
        prior = np.array(estimate(index, texts.stream.brief).combined) / SCALE
        logits = pupil.logits(rows, prior)
        cut(np.rint(SCALE / (1 + np.exp(-logits))).astype(int).tolist(), ids, 0.9, "seed")
    a_profile = (time.process_time() - started) / 50
    whole = vectors + shared + 1_000 * a_profile
    print(
        f"\n{len(papers)} papers for 1,000 profiles of {len(texts.stream.brief.wishes)} fields, one core: features {vectors:.1f} s, index and "
        f"rows {shared:.1f} s, {1000 * a_profile:.1f} ms a profile: {whole:.1f} s"
    )


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    print(f"seed {seed}; target recall 0.90")
    head = (
        "stream | read (audit) | recall | of first picks | stated | holds | width | days together: stated | holds | width | "
        "corr. | eq. a reading | eq. a paper"
    )
    whole: dict[str, Texts] = {}
    packed: list[list[bytes]] | None = None
    print(f"\n| {head} |\n|{'---|' * (head.count('|') + 1)}")
    done: list[tuple[str, list[Outcome]]] = []
    for stream, is_recorded in streams(seed):
        # The recorded streams are of the same papers; some begin later.
        texts = Texts.of(stream, packed=packed[-len(stream.days) :] if packed and is_recorded else None)
        if is_recorded:
            packed = packed or texts.packed
        outcomes = Reader(texts).read_all()
        print_days(stream.name, outcomes, cost_of_a_reading(stream, outcomes))
        done.append((stream.name, outcomes))
        whole.setdefault("recorded" if is_recorded else "synthetic", texts)
    print_statements(done)
    print_agreement(done)
    for _, outcomes in done:
        print_twice_read(outcomes)
    for kind, texts in whole.items():
        print(f"\n{kind}: {texts.stream.name}")
        print_aucs(texts)
        print_planted(texts)
    print_speed(list(whole.values())[-1])


if __name__ == "__main__":
    main()
