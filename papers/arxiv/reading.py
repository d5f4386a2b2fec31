"""JSON Lines read by a process of their own, so that parsing and storing each have a core.

    python -m papers.arxiv.reading FILE

writes pickled pages to its output, which is a pipe and holds it up when nobody reads. It knows no Django and no
database, ends when its reader is gone, and may die at any time: whoever reads goes on alone behind the last page.
"""

import gc
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from papers.arxiv.listing import Page, Place

_ROOT = Path(__file__).resolve().parents[2]
_LENGTH = 8  # bytes before each pickle that say how long it is


class ReaderDied(Exception):
    """The process ended without having said that it is done."""


def in_a_process(path: Path, after: Place) -> Iterator[bytes]:
    """The pages as `unpacked` takes them. Raises `ReaderDied`, or OSError where no process can be started."""
    command = [sys.executable, "-m", "papers.arxiv.reading", str(path.resolve())]
    command += map(str, asdict(after).values())
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        try:
            while size := int.from_bytes(child.stdout.read(_LENGTH)):
                data = child.stdout.read(size)
                if len(data) < size:
                    break
                yield data
        finally:
            child.kill()
    raise ReaderDied


def unpacked(data: bytes) -> Page | None:
    """The page, or None at the end of the file. Raises what ended the reading."""
    # Of our own process: nobody else writes into its output.
    told: Any = pickle.loads(data)
    if isinstance(told, Exception):
        raise told
    return told


def _told(pages: Iterator[Page], out: IO[bytes]) -> None:
    try:
        for page in pages:
            _tell(page, out)
    except Exception as error:  # noqa: BLE001 (raised again by whoever reads)
        _tell(error, out)
    else:
        _tell(None, out)


def _tell(what: object, out: IO[bytes]) -> None:
    data = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
    out.write(len(data).to_bytes(_LENGTH))
    out.write(data)
    out.flush()


def main() -> None:
    from papers.arxiv import files

    path, lines, size, digest = sys.argv[1:]
    gc.disable()  # what is made here holds no rings, and is given up with each page
    try:
        _told(files.batches(Path(path), Place(int(lines), int(size), digest)), sys.stdout.buffer)
    except BrokenPipeError:
        # Nobody reads any more; without this, closing the output would complain.
        sys.stdout = None


if __name__ == "__main__":
    main()
