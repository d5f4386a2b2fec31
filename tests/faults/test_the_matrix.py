"""`docs/faults.md` names what brings each fault about: every test named there exists, and no due fault is missing."""

import ast
import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
TABLE = REPO / "docs" / "faults.md"
NODE = r"`(tests/[a-z0-9_/]+\.py::[a-z0-9_]+)`"
# By hand: what the matrix owes at this time.
DUE = {
    1,
    2,
    3,
    4,
    9,
    11,
    12,
    14,
    15,
    16,
    17,
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    27,
    28,
    29,
    30,
    31,
    32,
    33,
    38,
    39,
    40,
    41,
}


def rows() -> dict[int, list[str]]:
    """By the fault's number, the tests that its row names."""
    found = {}
    for line in TABLE.read_text().splitlines():
        number = re.match(r"\| F([0-9]+) \|", line)
        if number is not None:
            assert int(number[1]) not in found, line
            found[int(number[1])] = re.findall(NODE, line)
    return found


def names_in(path: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse((REPO / path).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_fault_that_is_due_names_what_brings_it_about():
    named = rows()

    assert set(named) >= DUE
    assert [number for number, tests in named.items() if not tests] == []


def test_each_test_that_the_table_names_exists():
    named = sorted(set(re.findall(NODE, TABLE.read_text())))

    missing = [test for test in named if test.split("::")[1] not in names_in(test.split("::")[0])]

    assert missing == []
