"""Write docs/access.md from the tables of tests/portal that the suite holds against every address."""

from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
PAGE = REPO / "docs" / "access.md"
TABLES = REPO / "tests" / "portal"

INTRODUCTION = """# Who gets what

Every address of the portal, every method, every role: what the answer is. The columns are written by hand, in
`tests/portal/access_table.txt`, `admin_table.txt` and `admin_rights.txt`, never derived from the code; the suite asks
each of them of the running code (`tests/portal/test_access.py`, `test_admin_access.py`), and an address that is
missing fails it. This page is made of those tables by `python bin/access_page.py`; do not edit it.

How to read it: 200 is an answer, 201 a new row, 204 done without words; 302 leads elsewhere, of somebody who is not
signed in to the sign-in page; 400, 409 and 422 were let in and refused for what they sent (the suite sends empty
forms); 401 and 403 may not; 404 may not even know; 405 is a method that the address does not have. What somebody may
not know of answers with the body of a row that does not exist.
"""


def written() -> str:
    parts = [
        INTRODUCTION,
        "## Pages and API\n",
        *sections("access_table.txt", ["address", "object", "methods"]),
        "## The operator\u2019s pages\n",
        *sections("admin_table.txt", ["address", "methods"]),
        "## What the operator may do to rows\n",
        *sections("admin_rights.txt", ["model"]),
    ]
    return "\n".join(parts)


def sections(name: str, first: list[str]) -> list[str]:
    """The table's paragraphs: comments as text, rows as a table."""
    parts: list[str] = []
    columns: list[str] = []
    said: list[str] = []
    rows: list[list[str]] = []

    def close() -> None:
        if rows:
            head = [*first, *columns[len(first) :]]
            parts.append("\n".join(row_of(cells) for cells in (head, ["---"] * len(head), *rows)) + "\n")
            rows.clear()

    for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            close()
            words = line.lstrip("#").strip()
            if words.split()[:1] in (["name"], ["model"]):
                columns = words.split()
            else:
                said.append(line.lstrip("#").rstrip())
        elif line.strip():
            if said:
                parts.append(paragraph(said))
                said = []
            name_of, *cells = line.split()
            rows.append([f"`{name_of}`", *(cell.replace(",", ", ") for cell in cells)])
        else:
            close()
    close()
    return [part for part in parts if part]


def paragraph(lines: list[str]) -> str:
    """A comment as text; what is set out in columns stays so."""
    if any(line.startswith("   ") for line in lines):
        return "```\n" + "\n".join(lines).strip("\n") + "\n```\n"
    return " ".join(line.strip() for line in lines if line.strip()) + "\n"


def row_of(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
