"""Files of any of arXiv's formats, and JSON Lines, told apart by what is in them; gzip or not."""

import codecs
import gzip
import itertools
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, cast

from papers.arxiv import api, jsonl, listpage, markup, oai, rss
from papers.arxiv.listing import ArxivMalformed, BadRecord, Listing, Page

LARGEST_BYTES = 256 * 1024 * 1024  # of a page, unpacked; JSON Lines have no limit
_BATCH = 1000  # lines in one transaction: on SQLite nobody else writes meanwhile
_HEAD = 4096
_LONGEST_LINE = 8 * 1024 * 1024
_RANK = {"feed": 0, "list": 1, "lines": 2, "api": 3, "oai": 4}


def format_of(path: Path) -> str:
    """`feed`, `list`, `lines`, `api` or `oai`. Raises `ArxivMalformed` with what it is instead, or OSError."""
    with _opened(path) as stream:
        head = _utf8(stream.read(_HEAD)).lstrip()
    if not head:
        raise ArxivMalformed("the file is empty", "empty")
    if head.startswith(b"{"):
        return "lines"
    if markup.looks_like_html(head):
        return "list"
    if not head.startswith(b"<"):
        raise ArxivMalformed("neither XML nor JSON Lines", "not_xml")
    if b"<OAI-PMH" in head:
        return "oai"
    if b"<feed" in head and (b"a9.com/-/spec/opensearch" in head or b"arxiv.org/api/" in head):
        return "api"
    return "feed"


def rank(path: Path) -> int:
    """The order in which files are read: what states a day before what it must be derived from."""
    try:
        return _RANK[format_of(path)]
    except (ArxivMalformed, OSError, EOFError, zlib.error):
        return len(_RANK)  # its turn will say what is wrong with it


def pages(path: Path, *, largest_bytes: int = LARGEST_BYTES) -> Iterator[Page]:
    """The file's pages, JSON Lines in batches. Raises `ArxivError` or OSError; what came before stays good."""
    try:
        kind = format_of(path)
        if kind == "lines":
            yield from _read_ahead(_batches(path))
            return
        with _opened(path) as stream:
            data = stream.read(largest_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArxivMalformed(f"the gzip file ends early or is damaged ({error})", "cut_off") from error
    if len(data) > largest_bytes:
        raise ArxivMalformed(f"larger than {largest_bytes:,} bytes unpacked", "too_large")
    yield {"feed": rss.parse, "list": _list_page, "api": api.parse, "oai": oai.parse}[kind](_utf8(data))


def _list_page(data: bytes) -> Page:
    try:
        return listpage.parse(data)
    except ArxivMalformed as error:
        message = "this is a web page (HTML), not a response of arXiv's interfaces"
        raise ArxivMalformed(message, "html") from error


def _batches(path: Path) -> Iterator[Page]:
    with _opened(path) as stream:
        parsed = jsonl.parse(_lines(stream))
        while batch := list(itertools.islice(parsed, _BATCH)):
            yield Page(
                "jsonl",
                tuple(each for each in batch if isinstance(each, Listing)),
                tuple(each for each in batch if isinstance(each, BadRecord)),
            )


def _read_ahead[T](pages: Iterator[T]) -> Iterator[T]:
    """The same pages; the next one is read in a thread, while the database works on this one."""
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        following = reader.submit(next, pages, None)
        while (page := following.result()) is not None:
            following = reader.submit(next, pages, None)
            yield page


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of bounded length: a file without line breaks must not fill the memory."""
    first = stream.readline(_LONGEST_LINE)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ArxivMalformed("JSON Lines must be UTF-8, this file is UTF-16", "bad_encoding")
    yield first.removeprefix(codecs.BOM_UTF8)
    while line := stream.readline(_LONGEST_LINE):
        yield line


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if is_packed else path.open("rb")


def _utf8(data: bytes) -> bytes:
    """UTF-16 with its mark (as some Windows tools save) as UTF-8; anything else as it is."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.removeprefix(codecs.BOM_UTF8)
    text = data[: len(data) // 2 * 2].decode("utf-16", errors="replace")
    return markup.without_declaration(text).encode()
