"""The edition's packed list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.packed import (
    BadPacked,
    Code,
    Entry,
    counts,
    pack,
    pack_estimates,
    unpack,
    unpack_estimates,
    with_codes,
)

ENTRIES = st.lists(
    st.builds(
        Entry,
        paper_id=st.integers(0, 2**63 - 1),
        version=st.integers(1, 2**16 - 1),
        code=st.sampled_from(Code),
        estimate=st.integers(0, 10_000),
        interest=st.integers(0, 255),
    ),
    max_size=40,
)


@given(ENTRIES)
def test_what_is_packed_comes_back(entries):
    assert unpack(pack(entries)) == entries


def test_nothing_is_an_empty_list():
    assert unpack(b"") == unpack(pack([])) == []


def test_codes_are_counted_each():
    packed = pack([Entry(1, 1, Code.JUDGED), Entry(2, 1, Code.SEEN), Entry(3, 1, Code.SEEN)])

    assert counts(packed)[Code.SEEN] == 2
    assert counts(packed)[Code.WAITING] == 0


def test_codes_change_for_the_named_papers_only():
    packed = pack([Entry(1, 1, Code.WAITING, 500, 2), Entry(2, 3, Code.WAITING)])

    assert unpack(with_codes(packed, {1: Code.JUDGED})) == [
        Entry(1, 1, Code.JUDGED, 500, 2),
        Entry(2, 3, Code.WAITING),
    ]


def test_a_stranger_is_not_added_in_silence():
    with pytest.raises(KeyError):
        with_codes(pack([Entry(1, 1, Code.WAITING)]), {7: Code.JUDGED})


def test_damaged_bytes_are_refused():
    packed = pack([Entry(1, 1, Code.WAITING)])

    for broken in (packed[:-1], b"\x07" + packed[1:], packed[:11] + b"\xee" + packed[12:]):
        with pytest.raises(BadPacked):
            unpack(broken)


def test_a_number_out_of_range_is_refused():
    with pytest.raises(ValueError, match="out of range"):
        pack([Entry(1, 1, Code.WAITING, estimate=70_000)])


def test_the_words_of_the_account_are_pinned():
    words = "judged estimated screened waiting in_work failed withdrawn seen parked expired"
    assert " ".join(code.word for code in Code) == words
    assert [int(code) for code in Code] == list(range(1, 11))


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_estimates_of_the_interests_come_back(estimates):
    assert list(unpack_estimates(pack_estimates(estimates))) == estimates
