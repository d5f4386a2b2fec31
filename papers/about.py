"""What arXiv's fields say of a paper beside its text, in words and with addresses: licence, DOI. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import quote

_DOI = re.compile(r"10\.\d{4,9}/[^\s,;]+")
_CREATIVE_COMMONS = re.compile(
    r"https?://creativecommons\.org/licenses/(by(?:-nc)?(?:-nd|-sa)?)/(\d\.\d)/?", re.IGNORECASE
)
_OF_ARXIV = re.compile(
    r"https?://arxiv\.org/licenses/(?P<name>[a-z-]+)/(?P<version>\d\.\d)/?(?:license\.html)?"
)
_ASSUMED = re.compile(r"https?://arxiv\.org/licenses/assumed-1991-2003/?(?:license\.html)?")
_NO_RIGHTS = re.compile(r"https?://creativecommons\.org/(?:publicdomain/zero/1\.0|licenses/publicdomain)/?")


@dataclass(frozen=True)
class Licence:
    """`name` is a licence's proper name, the same in every language; `url` is empty for words without an address."""

    name: str
    url: str = ""


@dataclass(frozen=True)
class Doi:
    doi: str

    @property
    def url(self) -> str:
        return "https://doi.org/" + quote(self.doi, safe="/().:;-_")


def licence_of(stated: str) -> Licence | None:
    """The licence that arXiv names by its address; None where it names none. Another's address is no link."""
    stated = stated.strip()
    if not stated:
        return None
    secure = re.sub(r"^http:", "https:", stated)
    if found := _CREATIVE_COMMONS.fullmatch(stated):
        return Licence(f"CC {found[1].upper()} {found[2]}", secure)
    if _NO_RIGHTS.fullmatch(stated):
        return Licence("CC0 1.0" if "zero" in stated else "Public Domain", secure)
    if found := _OF_ARXIV.fullmatch(stated):
        is_usual = found["name"].startswith("nonexclusive")
        return Licence(
            f"arXiv.org perpetual non-exclusive license {found['version']}"
            if is_usual
            else f"arXiv.org {found['name']} {found['version']}",
            secure,
        )
    if _ASSUMED.fullmatch(stated):
        return Licence("arXiv.org perpetual non-exclusive license, assumed (1991-2003)", secure)
    return Licence(stated)


def dois_of(stated: str) -> list[Doi]:
    """arXiv's field holds one DOI, or several between blanks."""
    return [Doi(found.rstrip(".")) for found in _DOI.findall(stated)]
