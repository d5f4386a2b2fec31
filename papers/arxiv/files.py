"""Files of any of arXiv's formats, and JSON Lines, told apart by what is in them; gzip or not."""

import codecs
import gzip
import hashlib
import itertools
import logging
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from papers.arxiv import api, jsonl, listpage, markup, oai, reading, rss
from papers.arxiv.listing import ArxivMalformed, BadRecord, Listing, Page, Place

LARGEST_BYTES = 256 * 1024 * 1024  # of a page, unpacked; JSON Lines have no limit
_BATCH = 1000  # lines in one transaction: on SQLite nobody else writes meanwhile
_HEAD = 4096
_PIECE = 1024 * 1024
_WORTH_A_PROCESS = 4 * 1024 * 1024  # bytes, packed or not: half a second of reading
_BEGINNING = Place(0, 0, "")
_LONGEST_LINE = 8 * 1024 * 1024
_log = logging.getLogger(__name__)
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


def pages(path: Path, *, after: Place | None = None, largest_bytes: int = LARGEST_BYTES) -> Iterator[Page]:
    """The file's pages, JSON Lines in batches; only those `after` a place that `still_begins` holds for.

    Raises `ArxivError` or OSError; what came before stays good.
    """
    try:
        kind = format_of(path)
        if kind == "lines":
            yield from _lines(path, after or _BEGINNING)
            return
        with _opened(path) as stream:
            data = stream.read(largest_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArxivMalformed(f"the gzip file ends early or is damaged ({error})", "cut_off") from error
    if len(data) > largest_bytes:
        raise ArxivMalformed(f"larger than {largest_bytes:,} bytes unpacked", "too_large")
    place = Place(0, len(data), hashlib.blake2b(data).hexdigest())
    if place != after:
        parse = {"feed": rss.parse, "list": _list_page, "api": api.parse, "oai": oai.parse}[kind]
        yield replace(parse(_utf8(data)), place=place)


def still_begins(path: Path, place: Place) -> bool:
    """Whether the file begins with the very bytes that were read up to that place; more may have been added."""
    try:
        with _opened(path) as stream:
            return _digest(stream, place.size).hexdigest() == place.digest
    except (OSError, EOFError, zlib.error):
        return False  # reading it will say what is wrong


def _digest(stream: IO[bytes], size: int) -> "hashlib.blake2b":
    """Of the next `size` bytes, which are read."""
    digest = hashlib.blake2b()
    while size > 0 and (data := stream.read(min(size, _PIECE))):
        digest.update(data)
        size -= len(data)
    return digest


def _list_page(data: bytes) -> Page:
    try:
        return listpage.parse(data)
    except ArxivMalformed as error:
        message = "this is a web page (HTML), not a response of arXiv's interfaces"
        raise ArxivMalformed(message, "html") from error


def _lines(path: Path, after: Place) -> Iterator[Page]:
    """By a process of their own where that is worth its start, and by this one where it cannot be had, or died."""
    if path.stat().st_size >= _WORTH_A_PROCESS:
        try:
            for page in _read_ahead(map(reading.unpacked, reading.in_a_process(path, after))):
                yield page
                after = page.place or after
            return
        except (reading.ReaderDied, BlockingIOError):
            _log.warning("The process that read %s ended early; going on without one", path.name)
    yield from _read_ahead(batches(path, after))


def batches(path: Path, after: Place) -> Iterator[Page]:
    """Pages of JSON Lines, as they are read."""
    with _opened(path) as stream:
        lines = _Lines(stream, after)
        parsed = jsonl.parse(lines, after.lines + 1)
        while batch := list(itertools.islice(parsed, _BATCH)):
            yield Page(
                "jsonl",
                tuple(each for each in batch if isinstance(each, Listing)),
                tuple(each for each in batch if isinstance(each, BadRecord)),
                place=lines.place(),
            )


def _read_ahead(pages: Iterator[Page | None]) -> Iterator[Page]:
    """The same pages up to a None; the next one is read in a thread, while the database works on this one."""
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        following = reader.submit(next, pages, None)
        while (page := following.result()) is not None:
            following = reader.submit(next, pages, None)
            yield page


class _Lines:
    """The lines after a place, of bounded length (a file without line breaks must not fill the memory)."""

    def __init__(self, stream: IO[bytes], after: Place) -> None:
        self._stream, self._count, self._size = stream, after.lines, after.size
        self._digest = _digest(stream, after.size)
        self._given: list[
            bytes
        ] = []  # not in the digest yet: each update lets other threads run, which costs more

    def place(self) -> Place:
        """Behind the last line that was given out."""
        self._digest.update(b"".join(self._given))
        self._given.clear()
        return Place(self._count, self._size, self._digest.hexdigest())

    def __iter__(self) -> Iterator[bytes]:
        while line := self._stream.readline(_LONGEST_LINE):
            self._given.append(line)
            self._count, self._size = self._count + 1, self._size + len(line)
            if self._count == 1:
                if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise ArxivMalformed("JSON Lines must be UTF-8, this file is UTF-16", "bad_encoding")
                line = line.removeprefix(codecs.BOM_UTF8)
            yield line


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if is_packed else path.open("rb", _PIECE)


def _utf8(data: bytes) -> bytes:
    """UTF-16 with its mark (as some Windows tools save) as UTF-8; anything else as it is."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.removeprefix(codecs.BOM_UTF8)
    text = data[: len(data) // 2 * 2].decode("utf-16", errors="replace")
    return markup.without_declaration(text).encode()
