r"""Where a paper's code, data, model and pages are, as its own abstract and comment say. Pure.

Only what stands there as an address: `https://…`, `\url{…}`, `\href{…}{…}`, or a known host without a scheme. Nothing
is fetched. An address comes out as https on a plain host, or not at all: no `javascript:`, no user, no port.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Kind = Literal["code", "data", "model", "project"]

MOST_LINKS = 4
_LONGEST_TEXT = 20_000
_LONGEST_ADDRESS = 300
_SHOWN = 48

_CODE = {
    "github.com", "gist.github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "sr.ht", "git.sr.ht", "gitee.com",
    "anonymous.4open.science", "colab.research.google.com", "codeocean.com",
    "sourceforge.net",
}  # fmt: skip
_DATA = {
    "zenodo.org", "figshare.com", "osf.io", "data.mendeley.com", "datadryad.org", "physionet.org", "openneuro.org",
    "ieee-dataport.org",
}  # fmt: skip
_MODELS = {"huggingface.co", "hf.co", "modelscope.cn"}
_PAGES = (".github.io", ".gitlab.io", ".netlify.app", ".vercel.app", ".pages.dev")
_KNOWN = _CODE | _DATA | _MODELS | {"kaggle.com", "sites.google.com"}
# Addresses of papers, people and licences, which every abstract may name.
_NOT_OURS = {
    "arxiv.org",
    "doi.org",
    "dx.doi.org",
    "orcid.org",
    "creativecommons.org",
    "youtube.com",
    "youtu.be",
}

_TEX_ADDRESS = re.compile(r"\\(?:url|href|path|nolinkurl)\s*\{\s*([^{}\s]{4,300})\s*\}(?:\s*\{[^{}]*\})?")
_TEX_CHARACTER = re.compile(r"\\([_%#&~$])|\\(?:textasciitilde|sim)(?:\{\})?")
_HOSTS = "|".join(re.escape(host) for host in sorted(_KNOWN))
_ADDRESS = re.compile(
    rf"(?:https?://|(?<![\w@./:-])(?=(?:www\.)?(?:{_HOSTS}|[a-z0-9-]+\.git(?:hub|lab)\.io)(?:/|\b)))"
    r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}")
_BROKEN_OFF = re.compile(r"\s+([A-Za-z0-9][\w-]*(?:[./][\w-]+)*/?)(?=[.,;:)\]]*(?:\s*$|[.,;:)\]]))")
_TOLD_BEFORE: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("model", re.compile(r"\b(?:models?|weights|checkpoints?)\b", re.IGNORECASE)),
    ("data", re.compile(r"\b(?:data|datasets?|benchmarks?|corpus|corpora)\b", re.IGNORECASE)),
    ("code", re.compile(r"\b(?:codes?|codebase|implementations?|software|repository|package|library|toolkit)\b", re.IGNORECASE)),
    ("project", re.compile(r"\b(?:project|web\s?-?(?:page|site)|home\s?page|demos?|page|supplement\w*|visit)\b", re.IGNORECASE)),
)  # fmt: skip
_BEFORE = 60  # characters in which the words that tell the kind stand


@dataclass(frozen=True, slots=True)
class Link:
    """An https address, what is said to be there, and the address as it is shown."""

    url: str
    kind: Kind

    @property
    def shown(self) -> str:
        text = self.url.removeprefix("https://").rstrip("/")
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def links_in(*texts: str) -> tuple[Link, ...]:
    """The links of these texts in their order, each once, at most MOST_LINKS."""
    found: dict[tuple[str, str], Link] = {}
    for text in texts:
        for link in _links(text[:_LONGEST_TEXT]):
            found.setdefault(_key(link), link)
            if len(found) == MOST_LINKS:
                return tuple(found.values())
    return tuple(found.values())


def _links(text: str) -> Iterator[Link]:
    if "." not in text or ("/" not in text and ".io" not in text):
        return
    text = _TEX_ADDRESS.sub(lambda found: f" {found[1]} ", text) if "\\" in text else text
    text = _TEX_CHARACTER.sub(lambda found: found[1] or "~", text) if "\\" in text else text
    for match in _ADDRESS.finditer(text):
        parts = _parts(_whole(match, text))
        if parts is not None and (
            kind := _kind(parts, text[max(0, match.start() - _BEFORE) : match.start()])
        ):
            yield Link(parts.geturl(), kind)


def _whole(match: re.Match[str], text: str) -> str:
    """The address without the sentence's own marks; a code host's that a line's end broke is put together."""
    address = _without_marks(match[0])
    rest = address.partition("://")[2] or address
    host, _, path = rest.partition("/")
    if address.endswith("/") and host.lower().removeprefix("www.") in _CODE | _MODELS and path.count("/") < 2:
        following = _BROKEN_OFF.match(text, match.start() + len(address))
        if following and (path or "/" in following[1]):
            return address + following[1].rstrip("/")
    return address


def _without_marks(address: str) -> str:
    while address:
        last = address[-1]
        if last in ".,;:!?'*$&=+#@(~" or (last == ")" and address.count(")") > address.count("(")):
            address = address[:-1]
        else:
            break
    return address


def _parts(address: str) -> SplitResult | None:
    """The address as https on a plain host name; None for any other."""
    if len(address) > _LONGEST_ADDRESS:
        return None
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").removeprefix("www.")
    if "@" in parts.netloc or port not in {None, 80, 443} or not _HOST.fullmatch(host):
        return None
    return parts._replace(scheme="https", netloc=(parts.hostname or ""), path=parts.path.removesuffix(".git"))


def _kind(parts: SplitResult, before: str) -> Kind | None:
    host, path = parts.netloc.removeprefix("www."), [part for part in parts.path.split("/") if part]
    if host in _CODE or host.startswith(("gitlab.", "git.")):
        return (
            ("code" if len(path) > 1 or host not in {"github.com", "gitlab.com"} else "project")
            if path
            else None
        )
    if host in _DATA or host.startswith("dataverse."):
        return "data" if path else None
    if host == "doi.org" and "zenodo" in parts.path:
        return "data"
    if host in _MODELS:
        return _on_a_model_host(path)
    if host == "kaggle.com":
        return ("data" if path[0] in {"datasets", "competitions", "c"} else "code") if path else None
    if host.endswith(_PAGES) or host == "sites.google.com":
        return "project"
    if host in _NOT_OURS or host.endswith(".arxiv.org"):
        return None
    return _told(before)


def _on_a_model_host(path: list[str]) -> Kind | None:
    if not path or path[0] == "papers":
        return None
    if path[0] in {"datasets", "spaces"}:
        return "data" if path[0] == "datasets" else "project"
    return "model" if len(path) > 1 else "project"


def _told(before: str) -> Kind | None:
    """What the words just before say; the nearest of them."""
    places = [(match.end(), kind) for kind, words in _TOLD_BEFORE for match in words.finditer(before)]
    return max(places)[1] if places else None


def _key(link: Link) -> tuple[str, str]:
    parts = urlsplit(link.url)
    return parts.netloc.removeprefix("www."), parts.path.rstrip("/").lower()
