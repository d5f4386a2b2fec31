"""The local judge: from the screening estimate to a verdict, without network and without cost. Pure.

It is no language model and says so. Its score is the estimate on the judge's scale; its reason names the
words that paper and interest share, in the profile's language. Its scores never teach the learner.
"""

from collections.abc import Sequence

from scoring.rubric import PaperText
from scoring.screening import query
from scoring.screening.brief import Brief
from scoring.verdicts import Verdict

MODEL = "local"
# A paper with this chance (of 10000) to be wanted for an interest scores the usual bar, 60 of 100.
_BAR_ESTIMATE = 2_000
_BAR_SCORE = 60
_MOST_WORDS = 5

_REASONS = {
    "zh-Hans": ("本地估计，未用语言模型：与“{interest}”共有的词：{words}。", "、"),
    "en": ("Local estimate, no language model: words shared with “{interest}”: {words}.", ", "),
}
_NO_WORDS = {
    "zh-Hans": "本地估计，未用语言模型：没有与研究方向共有的词。",
    "en": "Local estimate, no language model: no words shared with your research fields.",
}


def score_of(estimate: int) -> int:
    """A probability (0 to 10000) as a score from 0 to 100: 2000 is 60, and nothing reaches 100."""
    half = _BAR_ESTIMATE * (100 - _BAR_SCORE) // _BAR_SCORE
    return (200 * estimate + estimate + half) // (2 * (estimate + half)) if estimate else 0


def judge(label: str, paper: PaperText, estimates: Sequence[int], brief: Brief, language: str) -> Verdict:
    """The verdict about one paper. `estimates` are 0 to 10000, one for each of the brief's wishes.

    The reason is in `language` if it is one of ours, else in English.
    """
    return Verdict(
        label=label,
        scores=tuple(map(score_of, estimates)),
        reason=_reason(paper, estimates, brief, language),
    )


def _reason(paper: PaperText, estimates: Sequence[int], brief: Brief, language: str) -> str:
    """The words shared with the interest that wants the paper most, by weight: whole terms if there are any."""
    language = language if language in _REASONS else "en"
    held = query.held_by(paper.title, paper.abstract)
    wanted = [e * wish.weight for e, wish in zip(estimates, brief.wishes, strict=True)]
    if not wanted:
        return _NO_WORDS[language]
    wish = brief.wishes[wanted.index(max(wanted))]
    terms = wish.expansion().terms
    words = [term.text for term in query.occurring(terms, held)] or query.words_occurring(terms, held)
    if not words:
        return _NO_WORDS[language]
    template, comma = _REASONS[language]
    return template.format(interest=wish.name, words=comma.join(words[:_MOST_WORDS]))
