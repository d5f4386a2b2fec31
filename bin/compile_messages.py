"""Compile every locale/*/LC_MESSAGES/*.po whose .mo is missing or older; needs Babel, not GNU gettext.

Django reads .mo files, which are made and not committed. A repeat does nothing.
"""

import os
from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def stale(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime


def compile_one(po: Path) -> None:
    """Write the .mo beside its .po, whole or not at all: a server may be reading it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with po.open("rb") as source:
        catalogue = read_po(source, locale=po.parent.parent.name)
    unfinished = po.with_suffix(f".mo.{os.getpid()}")
    with unfinished.open("wb") as target:
        write_mo(target, catalogue)
    unfinished.replace(po.with_suffix(".mo"))


def main() -> None:
    for po in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        if stale(po):
            compile_one(po)


if __name__ == "__main__":
    main()
