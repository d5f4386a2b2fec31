"""A profile as a file, for sharing, backup and tests: `load(dump(profile))` gives the same words again."""

import json
import math
import sys
import tomllib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from . import drafts
from .drafts import BadDraft, Draft, InterestDraft, Problem
from .models import Profile, Team, User

MAX_BYTES = 500_000
_PROFILE_KEYS = {
    "name": str,
    "categories": list,
    "cross_lists": bool,
    "reason_language": str,
    "bar": int,
    "target_recall": float,
    "weighting_prompt": str,
    "interests": list,
    "exclusions": list,
}
_INTEREST_KEYS = {"name": str, "description": str, "weight": float, "terms": list}
_EXCLUSION_KEYS = {"description": str}


class BadFile(BadDraft):
    """The file is no profile. Each problem names its key or line; nothing was stored."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems)


def load(text: str, owner: User | None, team: Team) -> Profile:
    """Store the profile that the file describes. Raises BadDraft (BadFile for its form); then nothing is stored."""
    return drafts.create(parse(text), owner=owner, team=team)


def parse(text: str) -> Draft:
    """The draft in a file; types are checked here, meaning in `drafts.check`. Raises BadFile."""
    if len(text) > MAX_BYTES:
        raise BadFile(Problem("", _("The file is too long for a profile.")))
    try:
        table = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        message = _("The file is not valid TOML: %(problem)s.") % {"problem": error}
        raise BadFile(Problem("", message)) from error
    except RecursionError as error:
        raise BadFile(Problem("", _("The file is nested too deeply for a profile."))) from error
    except ValueError as error:  # Python reads no whole number of more than 4300 digits
        raise BadFile(Problem("", _("The file holds a number that is too large."))) from error
    if not table:
        raise BadFile(Problem("", _("The file is empty. Export a profile to see what one looks like.")))
    problems: list[Problem] = []
    fields = _typed(table, _PROFILE_KEYS, "", problems)
    interests = _tables(fields.pop("interests", []), _INTEREST_KEYS, "interests", problems)
    exclusions = _tables(fields.pop("exclusions", []), _EXCLUSION_KEYS, "exclusions", problems)
    categories = _texts(fields.pop("categories", []), "categories", problems)
    terms = [
        _texts(each.pop("terms", []), f"interests.{n}.terms", problems) for n, each in enumerate(interests)
    ]
    if problems:
        raise BadFile(*problems)
    draft = Draft(
        **{"name": "", **fields},
        categories=categories,
        interests=tuple(
            InterestDraft(**{"name": "", **each}, terms=own)
            for each, own in zip(interests, terms, strict=True)
        ),
        exclusions=tuple(each.get("description", "") for each in exclusions),
    )
    return drafts.tidied(draft)


def dump(profile: Profile) -> str:
    """The profile in the form of `parse`, UTF-8 and LF."""
    return write(drafts.draft_of(profile))


def write(draft: Draft) -> str:
    lines = [
        f"name = {_quoted(draft.name)}",
        f"categories = {_list(draft.categories)}",
        f"cross_lists = {str(draft.cross_lists).lower()}",
        f"reason_language = {_quoted(draft.reason_language)}",
        f"bar = {draft.bar}                      # 0-100",
        f"target_recall = {float(draft.target_recall)}           # 1.0 reads everything",
        f"weighting_prompt = {_quoted(draft.weighting_prompt)}",
    ]
    for interest in draft.interests:
        lines += [
            "",
            "[[interests]]",
            f"name = {_quoted(interest.name)}",
            f"description = {_quoted(interest.description)}",
            f"weight = {float(interest.weight)}                  # 0-1",
            f"terms = {_list(interest.terms)}",
        ]
    for text in draft.exclusions:
        lines += ["", "[[exclusions]]", f"description = {_quoted(text)}"]
    return "\n".join(lines) + "\n"


def _typed(
    table: Mapping[str, Any], keys: Mapping[str, type], where: str, problems: list[Problem]
) -> dict[str, Any]:
    """The known keys of a table whose values have their type; every other key is a problem."""
    good: dict[str, Any] = {}
    for key, value in table.items():
        path = f"{where}.{key}" if where else key
        wanted = keys.get(key)
        if wanted is None:
            known = ", ".join(keys)
            problems.append(
                Problem(
                    path,
                    _("Unknown key %(key)s. Known here: %(known)s.") % {"key": path[:60], "known": known},
                )
            )
        elif wanted is float and type(value) in {int, float}:
            # A whole number beyond every float is as much out of range as infinity.
            good[key] = float(value) if abs(value) < sys.maxsize else math.inf
        elif type(value) is not wanted:
            message = _("%(key)s must be %(wanted)s.") % {"key": path, "wanted": _kind(wanted)}
            problems.append(Problem(path, message))
        else:
            good[key] = value
    return good


def _tables(
    rows: list[Any], keys: Mapping[str, type], where: str, problems: list[Problem]
) -> list[dict[str, Any]]:
    good = []
    for number, row in enumerate(rows):
        if isinstance(row, dict):
            good.append(_typed(row, keys, f"{where}.{number}", problems))
        else:
            problems.append(Problem(where, _("Write each of the %(key)s as [[%(key)s]].") % {"key": where}))
    return good


def _texts(values: list[Any], where: str, problems: list[Problem]) -> tuple[str, ...]:
    if all(isinstance(value, str) for value in values):
        return tuple(values)
    problems.append(Problem(where, _("%(key)s must be a list of texts.") % {"key": where}))
    return ()


def _kind(wanted: type) -> str:
    names = {
        str: _("a text in quotes"),
        bool: _("true or false"),
        int: _("a whole number"),
        float: _("a number"),
        list: _("a list"),
    }
    return names[wanted]


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes, and DEL, which JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(_quoted(text) for text in texts) + "]"
