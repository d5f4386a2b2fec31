"""A reader of the reference's report, written from its two reports alone: it knows nothing of our writer."""

import re
from dataclasses import dataclass


@dataclass
class ReadEntry:
    section: str
    score: float
    title: str
    authors: str
    published: str
    link: str
    reason: str


@dataclass
class ReadReport:
    day: str
    quoted: list[str]
    entries: list[ReadEntry]


ENTRY = re.compile(
    r"### \[Score: (\d+\.\d)/10\] (.+)\n"
    r"- \*\*Authors:\*\* (.*)\n"
    r"- \*\*Published:\*\* (\d{4}-\d\d-\d\d)\n"
    r"- \*\*Link:\*\* \[(\S+)\]\(\5\)\n"
    r"- \*\*Reason:\*\* ((?:.+\n?)+)"
)


def unescaped(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def read(text: str) -> ReadReport:
    head, *sections = re.split(r"^## ", text, flags=re.M)
    entries = []
    for section in sections:
        name, _, body = section.partition("\n")
        for block in re.split(r"^(?=### )", body, flags=re.M)[1:]:
            found = ENTRY.fullmatch(block.rstrip("\n") + "\n")
            assert found, block
            score, title, authors, published, link, reason = found.groups()
            entries.append(
                ReadEntry(
                    name,
                    float(score),
                    unescaped(title),
                    unescaped(authors),
                    published,
                    link,
                    unescaped(reason.rstrip()),
                )
            )
    day = re.match(r"# .+ - (\d{4}-\d\d-\d\d)\n", head)
    assert day, head
    return ReadReport(day[1], re.findall(r"^> (.+)$", head, flags=re.M), entries)
