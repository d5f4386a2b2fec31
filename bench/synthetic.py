"""A small world with known truth: `streams(seed)` makes four profiles' days, the same for the same seed.

Abstracts are put together from sentences and the vocabulary of fields that the project ships (`related.tsv`);
fields share words, as real ones do. What a paper is worth to an interest is known, not judged: the field it is about,
fields it touches, an exclusion it falls under, its quality, and what no word tells. Readings are drawn from
that truth by the measured noise of a judge (`scoring.simulated.noise`). A paper picked by more than half of its
readings is a true positive. Nothing here is evidence about real papers: it shows that the machinery works.
"""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bench.days import DayOf, Paper, Reading, Stream
from scoring.screening.brief import Brief, Wish
from scoring.simulated.noise import MEASURED, Noise

DAYS = 40
FIRST_DAY = dt.date(2026, 3, 2)
PAPERS_A_DAY = (60, 120)
PAPERS_A_BLOCK = 20

# The fields that papers are about: a name of `related.tsv`, arXiv's category, how common it is.
FIELDS: tuple[tuple[str, str, float], ...] = (
    ("large language model", "cs.CL", 3.0),
    ("reinforcement learning", "cs.LG", 2.0),
    ("diffusion", "cs.CV", 2.0),
    ("vision-language model", "cs.CV", 2.0),
    ("medical imaging", "eess.IV", 2.0),
    ("robot learning", "cs.RO", 2.0),
    ("graph neural network", "cs.LG", 1.5),
    ("optimizer", "cs.LG", 1.0),
    ("mechanistic interpretability", "cs.LG", 1.0),
    ("explainability", "cs.AI", 1.0),
    ("quantization", "cs.LG", 1.0),
    ("speculative decoding", "cs.CL", 0.7),
    ("llm inference", "cs.DC", 1.0),
    ("gui agent", "cs.HC", 0.7),
    ("agent", "cs.AI", 2.0),
    ("jailbreak", "cs.CR", 1.0),
    ("alignment", "cs.CL", 1.0),
    ("unified multimodal", "cs.CV", 1.0),
    ("diffusion language model", "cs.CL", 0.6),
    ("learning theory", "stat.ML", 1.0),
    ("federated learning", "cs.DC", 1.5),
    ("recommender system", "cs.IR", 1.5),
    ("remote sensing", "cs.CV", 1.2),
    ("time series", "cs.LG", 1.5),
    ("speech recognition", "eess.AS", 1.0),
    ("point cloud", "cs.CV", 1.0),
    ("causal inference", "stat.ML", 1.0),
    ("software engineering", "cs.SE", 1.2),
)
CARE = (
    "ablation study over seeds",
    "negative result",
    "proof of optimality",
    "pre-registered evaluation",
    "open weights and code",
    "error analysis",
    "matched baseline",
    "failure case",
)
HASTE = (
    "competitive performance",
    "superior performance",
    "state-of-the-art score",
    "novel framework",
    "plug-and-play module",
    "promising improvement",
)
SENTENCES = (
    "Progress in {a} is often limited by {b}.",
    "We study {a} under realistic constraints on {b}.",
    "Our method combines {a} with {b} and needs no extra supervision.",
    "The key idea is to treat {a} as a form of {b}.",
    "Experiments on {n} benchmarks examine {a} and {b}.",
    "In contrast to prior methods for {a}, ours scales with {b}.",
    "An analysis of {a} explains when {b} fails.",
    "Compared with {a}, it reduces the cost of {b} by {n} percent.",
    "We further discuss limits of {a} in practice.",
    "Code and data for {a} are released.",
)
TITLES = (
    "{a} for {b}",
    "Rethinking {a} through {b}",
    "{b}-aware {a}",
    "When does {a} help {b}?",
    "Towards scalable {a} with {b}",
    "On {a} and {b}",
)


@dataclass(frozen=True)
class Topic:
    """What a paper is about: its field, what it touches, how carefully it was made (standard normal)."""

    main: str
    touches: tuple[str, ...]
    quality: float


@dataclass(frozen=True)
class Character:
    """A profile with its truth: for each interest what a field adds to relevance, and what else counts.

    `base` is the relevance of a paper of another field. `unseen_sd` is the part that no word tells.
    """

    name: str
    brief: Brief
    affinities: tuple[dict[str, float], ...]
    excluded: tuple[str, ...] = ()
    base: float = -1.0
    quality: float = 0.25
    unseen_sd: float = 0.45


def streams(seed: int = 0, days: int = DAYS, noise: Noise = MEASURED) -> list[Stream]:
    """Every character's days over the same papers."""
    dice = random.Random(f"{seed}/world")
    world = [
        (day, [_paper(day, at, dice) for at in range(dice.randint(*PAPERS_A_DAY))]) for day in _days(days)
    ]
    return [_stream(character, world, noise, seed) for character in characters()]


def _days(count: int) -> list[dt.date]:
    weekdays = (FIRST_DAY + dt.timedelta(at) for at in range(2 * count + 7))
    return [day for day in weekdays if day.weekday() < 5][:count]


# --- truth ---------------------------------------------------------------------------------------------


def _stream(
    character: Character, world: Sequence[tuple[dt.date, list[tuple[Paper, Topic]]]], noise: Noise, seed: int
) -> Stream:
    made = []
    for day, told in world:
        papers = [paper for paper, _ in told]
        latents = [latents_of(character, paper, topic, seed) for paper, topic in told]
        key = f"{seed}/{character.name}/{day}"
        first = [Reading(row) for row in read(noise, papers, latents, f"{key}/first")]
        by_interest = [tuple(map(noise.chance, of_paper)) for of_paper in latents]
        chance = [max(chances) for chances in by_interest]
        made.append(
            DayOf(
                day=day,
                papers=papers,
                first=[reading.value for reading in first],
                again=_again(noise, papers, latents, key),
                stable=[share > 0.5 for share in chance],
                chance=chance,
                first_by_interest=first,
                chance_by_interest=by_interest,
            )
        )
    return Stream(f"synthetic: {character.name}", character.brief, made)


def latents_of(character: Character, paper: Paper, topic: Topic, seed: int) -> tuple[float, ...]:
    """The true relevance of a paper for each interest, in the units of the judge's noise."""
    unseen = random.Random(f"{seed}/{character.name}/{paper.id}").gauss(0, character.unseen_sd)
    common = character.base + character.quality * topic.quality + unseen
    if topic.main in character.excluded:
        common -= 1.5
    elif any(field in character.excluded for field in topic.touches):
        common -= 0.8
    return tuple(
        common
        + affinity.get(topic.main, 0.0)
        + 0.4 * max([affinity.get(t, 0.0) for t in topic.touches] or [0])
        for affinity in character.affinities
    )


def _again(
    noise: Noise, papers: Sequence[Paper], latents: Sequence[tuple[float, ...]], key: str
) -> Callable[[int], list[int]]:
    def again(k: int) -> list[int]:
        return [max(row) for row in read(noise, papers, latents, f"{key}/again {k}")]

    return again


def read(
    noise: Noise, papers: Sequence[Paper], latents: Sequence[tuple[float, ...]], key: str
) -> list[tuple[int, ...]]:
    """One reading of a list, in shuffled blocks; a paper's interests are heard with the same noise."""
    order = list(range(len(papers)))
    random.Random(f"{key}/order").shuffle(order)
    block_of = {at: place // PAPERS_A_BLOCK for place, at in enumerate(order)}
    return [
        noise.reading(latents[at], f"{key}/{paper.id}", f"{key}/{block_of[at]}")
        for at, paper in enumerate(papers)
    ]


# --- texts ---------------------------------------------------------------------------------------------


def _paper(day: dt.date, at: int, dice: random.Random) -> tuple[Paper, Topic]:
    names, weights = [name for name, _, _ in FIELDS], [weight for *_, weight in FIELDS]
    main = dice.choices(names, weights)[0]
    touches = tuple(t for t in dice.choices(names, weights, k=dice.choice((0, 1, 1, 2))) if t != main)
    topic = Topic(main, touches, dice.gauss(0, 1))
    categories = {name: category for name, category, _ in FIELDS}
    number = f"{day:%y%m}.{day.day:02}{at:03}"
    listed = tuple(dict.fromkeys(categories[name] for name in (main, *touches)))
    return Paper(number, f"{_name(number)}: {_title(topic, dice)}", _abstract(topic, dice), listed), topic


def _name(number: str) -> str:
    """A name that says nothing, as methods have: titles are to differ, for a model knows papers by them."""
    dice = random.Random(f"name/{number}")
    return "".join(dice.choice("bdfgklmnprstvz") + dice.choice("aeiou") for _ in range(4)).capitalize()


def _title(topic: Topic, dice: random.Random) -> str:
    title = dice.choice(TITLES).format(a=_word(topic, dice), b=_word(topic, dice))
    return title[0].upper() + title[1:]


def _abstract(topic: Topic, dice: random.Random) -> str:
    spoken = [
        sentence.format(a=_word(topic, dice), b=_word(topic, dice), n=dice.randint(3, 40))
        for sentence in dice.sample(SENTENCES, dice.randint(5, 8))
    ]
    made = CARE if topic.quality + dice.gauss(0, 0.7) > 0 else HASTE
    spoken.insert(dice.randrange(1, len(spoken)), f"We report {dice.choice(made)} and {dice.choice(made)}.")
    return " ".join(spoken)


def _word(topic: Topic, dice: random.Random) -> str:
    """A term of its own field mostly, of one it touches, or of any field: vocabularies overlap."""
    luck = dice.random()
    if luck < 0.25:
        field = dice.choice(FIELDS)[0]
    elif luck < 0.45 and topic.touches:
        field = dice.choice(topic.touches)
    else:
        field = topic.main
    return dice.choice((field, *vocabulary()[field]))


@cache
def vocabulary() -> dict[str, tuple[str, ...]]:
    """The words that usually go with each field."""
    lines = (files("scoring.screening") / "related.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = dict(line.split("\t") for line in lines)
    return {name: tuple(word.strip() for word in rows[name].split(";")) for name, _, _ in FIELDS}


# --- profiles ------------------------------------------------------------------------------------------


def characters() -> list[Character]:
    return [_broad(), _narrow(), _careful(), _negating()]


def _broad() -> Character:
    """Seven fields in Chinese: about a quarter of the papers."""
    wishes = (
        ("深度学习理论", "优化器、损失景观、泛化、神经网络的表达能力"),
        ("深度学习可解释性", "机制可解释性、归因、沙普利值"),
        ("原生多模态大模型", "统一的图像理解与生成、视觉语言模型"),
        ("高效大模型训练与推理", "量化、推测解码、推理系统"),
        ("多模态智能体", "图形界面智能体、界面定位与导航"),
        ("大模型安全与对齐", "对齐、越狱攻击、红队测试"),
        ("大模型新技术", "扩散语言模型"),
    )
    return Character(
        "broad, seven fields in Chinese",
        Brief(tuple(Wish(*wish) for wish in wishes), ("医疗健康", "遥感")),
        (
            {"optimizer": 2.0, "learning theory": 1.9},
            {"mechanistic interpretability": 2.0, "explainability": 1.6},
            {"unified multimodal": 2.1, "vision-language model": 1.5},
            {"quantization": 1.8, "speculative decoding": 2.0, "llm inference": 1.8},
            {"gui agent": 2.2, "agent": 1.0},
            {"alignment": 1.8, "jailbreak": 2.0},
            {"diffusion language model": 2.2, "large language model": 1.0},
        ),
        excluded=("medical imaging", "remote sensing"),
        base=-0.8,
    )


def _narrow() -> Character:
    return Character(
        "narrow, one field in English",
        Brief(
            (Wish("Efficient LLM inference", "speculative decoding, KV cache, serving of language models"),)
        ),
        (
            {
                "speculative decoding": 2.6,
                "llm inference": 2.3,
                "quantization": 1.1,
                "large language model": 0.5,
            },
        ),
        base=-1.3,
    )


def _careful() -> Character:
    """Words that name no field: what counts is how carefully a paper was made."""
    return Character(
        "careful work of any field, words carry nothing",
        Brief((Wish("Whatever makes me think again", "good and honest work, whatever it is about"),)),
        ({},),
        base=-0.3,
        quality=0.75,
        unseen_sd=0.7,
    )


def _negating() -> Character:
    return Character(
        "agents and reasoning, with negations",
        Brief(
            (
                Wish("LLM agents", "tool use, planning and memory; not GUI agents, not robots"),
                Wish("Reinforcement learning of language models", "reward models, policy gradient; no games"),
            ),
            ("medical applications", "recommender systems", "federated learning", "robots"),
        ),
        (
            {"agent": 2.2, "large language model": 1.0, "software engineering": 0.6},
            {"reinforcement learning": 1.6, "alignment": 1.6, "large language model": 0.8},
        ),
        excluded=(
            "medical imaging",
            "recommender system",
            "federated learning",
            "robot learning",
            "gui agent",
        ),
        base=-1.1,
    )
