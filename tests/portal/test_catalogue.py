"""Every text that a person may see stands in the Chinese catalogue, translated, with its placeholders."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils import translation
from django.utils.translation.template import templatize

REPO = Path(__file__).resolve().parents[2]
CATALOGUE = REPO / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
ROOMS = ("papers", "profiles", "scoring", "portal")
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
}


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="zh_Hans")


def sources() -> Iterator[tuple[Path, str]]:
    for room in ROOMS:
        for path in sorted((REPO / room).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")
    for path in sorted((REPO / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            yield path, templatize(path.read_text(encoding="utf-8"), origin=str(path))


def texts_of_the_code() -> Iterator[tuple[str, Path]]:
    for path, text in sources():
        for _, message, _, _ in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
            first = message if isinstance(message, str) else message[0]
            if first:
                yield first, path


def entries(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def first_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def strings_of(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_every_text_of_the_code_is_in_the_catalogue(catalogue):
    known = {first_of(message) for message in entries(catalogue)}

    missing = {(text, path.name) for text, path in texts_of_the_code() if text not in known}

    assert not missing, "run `make messages` and translate what is new"


def test_nothing_of_the_catalogue_is_left_over(catalogue):
    used = {text for text, _ in texts_of_the_code()}

    assert not [first_of(message) for message in entries(catalogue) if first_of(message) not in used]


def test_nothing_is_untranslated_or_fuzzy(catalogue):
    assert not [first_of(m) for m in entries(catalogue) if m.fuzzy or not all(strings_of(m))]


def test_every_translation_has_the_placeholders_of_its_text(catalogue):
    def placeholders(text: str) -> list[str]:
        return sorted(re.findall(r"%\(\w+\)[sd]|%%", text))

    for message in entries(catalogue):
        text = message.id if isinstance(message.id, str) else message.id[-1]
        for string in strings_of(message):
            assert placeholders(string) == placeholders(text), text


def test_the_pages_words_are_the_glossarys():
    with translation.override("zh-hans"):
        assert translation.gettext("Research fields") == "研究方向"
        assert translation.gettext("Profiles") == "订阅"
