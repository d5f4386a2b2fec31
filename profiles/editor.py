"""The profile page's form: what was typed, kept as typed, with what is wrong beside it.

Research fields are rows of repeated inputs, so that rows can be added, moved and taken away without any script.
What a profile may be is `profiles.drafts` alone; here texts become numbers and lists.
"""

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field
from typing import Self

from django.http import QueryDict
from django.utils.translation import gettext as _

from papers import taxonomy

from . import drafts
from .drafts import BadDraft, Draft, InterestDraft, Problem
from .models import Profile, User

_SEPARATORS = re.compile(r"[,;，；、\n]+")
_REASONS_FOR = {"zh-hans": "zh-Hans", "en": "en"}


@dataclass
class Row:
    """One research field as typed; `terms` is one text.

    `found` and `is_unknown` are what screening makes of the words, and `told` says where the terms come from; filled in by
    the page that shows the row.
    """

    name: str = ""
    description: str = ""
    weight: str = "1"
    terms: str = ""
    problems: dict[str, list[str]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    is_unknown: bool = False
    is_contradicted: bool = False
    told: object = None

    def own_terms(self) -> tuple[str, ...]:
        return tuple(term.strip() for term in _SEPARATORS.split(self.terms) if term.strip())

    @property
    def is_empty(self) -> bool:
        return not (self.name.strip() or self.description.strip() or self.terms.strip())


@dataclass
class Editor:
    """`bar` is typed as readers see values, 0.0 to 10.0; `target_recall` in percent."""

    name: str = ""
    rows: list[Row] = field(default_factory=lambda: [Row()])
    categories: list[str] = field(default_factory=list)
    cross_lists: bool = False
    reason_language: str = "en"
    bar: str = "6"
    target_recall: str = "90"
    weighting_prompt: str = ""
    exclusions: str = ""
    problems: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def blank(cls, user: User) -> Self:
        return cls(reason_language=_REASONS_FOR.get(user.language, "en"))

    @classmethod
    def of(cls, profile: Profile) -> Self:
        return cls.showing(drafts.draft_of(profile))

    @classmethod
    def showing(cls, draft: Draft) -> Self:
        return cls(
            name=draft.name,
            rows=[
                Row(each.name, each.description, _number(each.weight), ", ".join(each.terms))
                for each in draft.interests
            ],
            categories=list(draft.categories),
            cross_lists=draft.cross_lists,
            reason_language=draft.reason_language,
            bar=_number(draft.bar / 10),
            target_recall=_number(draft.target_recall * 100),
            weighting_prompt=draft.weighting_prompt,
            exclusions="\n".join(draft.exclusions),
        )

    @classmethod
    def typed(cls, post: QueryDict) -> Self:
        """From a submitted form, whatever it holds: too few inputs of one kind are taken as empty."""
        names = post.getlist("interest_name")[: drafts.MAX_INTERESTS + 1]

        def of_row(key: str, number: int, default: str = "") -> str:
            values = post.getlist(key)
            return values[number] if number < len(values) else default

        rows = [
            Row(
                name,
                of_row("interest_description", number),
                of_row("interest_weight", number, "1"),
                of_row("interest_terms", number),
            )
            for number, name in enumerate(names)
        ]
        return cls(
            name=post.get("name", ""),
            rows=rows,
            categories=post.getlist("categories"),
            cross_lists="cross_lists" in post,
            reason_language=post.get("reason_language", "en"),
            bar=post.get("bar", ""),
            target_recall=post.get("target_recall", ""),
            weighting_prompt=post.get("weighting_prompt", ""),
            exclusions=post.get("exclusions", ""),
        )

    def rearrange(self, command: str) -> None:
        """Do what a row's button says: `add`, `remove-2`, `up-2`. Anything else changes nothing."""
        deed, _dash, number = command.partition("-")
        place = int(number) if number.isdecimal() else -1
        if deed == "add" and len(self.rows) < drafts.MAX_INTERESTS:
            self.rows.append(Row())
        elif deed == "remove" and 0 <= place < len(self.rows):
            del self.rows[place]
            self.rows = self.rows or [Row()]
        elif deed == "up" and 0 < place < len(self.rows):
            self.rows[place - 1], self.rows[place] = self.rows[place], self.rows[place - 1]

    def draft(self) -> Draft | None:
        """The checked draft, or None with `problems` (here and on the rows) saying what to mend."""
        self.rows = [row for row in self.rows if not row.is_empty] or [Row()]
        found: list[Problem] = []
        draft = drafts.tidied(
            Draft(
                name=self.name,
                interests=tuple(self._interest(number, row, found) for number, row in enumerate(self.rows)),
                categories=tuple(self.categories),
                cross_lists=self.cross_lists,
                reason_language=self.reason_language,
                bar=round(_float("bar", self.bar, found) * 10),
                target_recall=_float("target_recall", self.target_recall, found) / 100,
                weighting_prompt=self.weighting_prompt,
                exclusions=tuple(self.exclusions.splitlines()),
            )
        )
        try:
            drafts.check(draft)
        except BadDraft as error:
            named = {problem.where for problem in found}
            found += [problem for problem in error.problems if problem.where not in named]
        self._pin(found)
        return None if found else draft

    def _interest(self, number: int, row: Row, found: list[Problem]) -> InterestDraft:
        weight = _float(f"interests.{number}.weight", row.weight, found)
        return InterestDraft(row.name, row.description, weight, row.own_terms())

    def _pin(self, found: list[Problem]) -> None:
        """Put each problem beside the input that it is about."""
        for problem in found:
            head, _dot, rest = problem.where.partition(".")
            number, _dot, key = rest.partition(".")
            if head == "interests" and number.isdecimal():
                self.rows[int(number)].problems.setdefault(key, []).append(problem.message)
            else:
                self.problems.setdefault(head, []).append(problem.message)

    def archives(self) -> list[dict[str, object]]:
        """arXiv's categories by archive, those chosen marked; archives of one category stand together."""
        groups = [(each.name, each.categories) for each in taxonomy.ARCHIVES if len(each.categories) > 1]
        single = [each.categories for each in taxonomy.ARCHIVES if len(each.categories) == 1]
        groups.append(
            (
                _("Gravity, particles, nuclei, quanta"),
                {code: name for each in single for code, name in each.items()},
            )
        )
        chosen = set(self.categories)
        return [
            {
                "name": name,
                "chosen": len(chosen & set(categories)),
                "choices": [(code, title, code in chosen) for code, title in categories.items()],
            }
            for name, categories in groups
        ]

    def has_problems(self) -> bool:
        return bool(self.problems) or any(row.problems for row in self.rows)


def digest_of(draft: Draft) -> str:
    """Names a draft, so that what is saved is what the price was shown for."""
    return hashlib.sha256(json.dumps(asdict(draft), sort_keys=True).encode()).hexdigest()[:32]


def _float(where: str, text: str, found: list[Problem]) -> float:
    """The number typed, with a comma or a point; a problem and 0 where there is none."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        found.append(Problem(where, _("Type a number here.")))
        return 0.0
    if not math.isfinite(value) or abs(value) > 1000:
        found.append(Problem(where, _("Type a number here.")))
        return 0.0
    return value


def _number(value: float) -> str:
    return f"{round(value, 2):g}"
