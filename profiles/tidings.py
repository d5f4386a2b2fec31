"""FACTS. What can be told to somebody: a code with parameters, and the function that makes words of them.

A row keeps ids, codes and figures, never a text; names are looked up when it is read, in the reader's
language and time zone. `settings.TIDINGS` names the function of each code, so that a lower app can tell what
only a higher one can say. To add one: a line there, and a function like

    def words(rows: Sequence[Params]) -> list[Words | None]:

which makes the words of many rows at once (so that a list of notices costs no query a row), in the language
and zone that are active, and None for a row whose subject is gone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """One thing said. All texts are plain; whoever shows them escapes them and folds their lines.

    `path` is the place in the portal that it is about, with `action` as the words on it: a button in a mail,
    a link in a notice. `items` stand as a list under the paragraphs. `why` tells at a mail's foot why the
    reader got it. What `is_urgent` also stands as a banner over the day until it was seen.
    """

    title: str
    paragraphs: Sequence[str] = ()
    items: Sequence[str] = ()
    path: str = ""
    action: str = ""
    why: str = ""
    is_urgent: bool = field(default=False, kw_only=True)


def words_of(code: str, rows: Sequence[Params]) -> list[Words | None]:
    """The words of rows of one code, in their order; None where there is nothing to say any more.

    A code that this version does not know says nothing: another version wrote it.
    """
    path = settings.TIDINGS.get(code)
    return [None] * len(rows) if path is None else _resolved(path)(rows)


@cache
def _resolved(path: str) -> Callable[[Sequence[Params]], list[Words | None]]:
    return import_string(path)
