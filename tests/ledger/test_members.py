from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.pipeline.ledger import members
from teravox.pipeline.ledger.members import Unreadable, pack, unpack

LINES = st.lists(st.binary(max_size=200).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")))
THREE = [b'{"n":%d,"text":"%s"}' % (n, bytes(range(65, 91)) * n) for n in range(1, 4)]


@given(st.lists(LINES, max_size=6))
def test_members_give_their_lines_back(groups: list[list[bytes]]) -> None:
    data = b"".join(map(pack, groups))
    assert list(unpack(data)) == [line for lines in groups for line in lines]


@given(st.lists(LINES, min_size=1, max_size=6))
def test_any_gunzip_reads_them(groups: list[list[bytes]]) -> None:
    assert gzip.decompress(b"".join(map(pack, groups))) == b"".join(line + b"\n" for lines in groups for line in lines)


def test_the_same_lines_give_the_same_bytes() -> None:
    assert pack(THREE) == pack(THREE)


def test_members_larger_than_the_window_are_read_whole() -> None:
    lines = [f"{n} {n**40}".encode() for n in range(3000)]
    data = pack(lines, level=0) + pack([b"last"])
    assert len(data) > 10 * members.WINDOW
    assert list(unpack(data)) == [*lines, b"last"]


def test_an_end_cut_anywhere_hides_no_line_before_it() -> None:
    first, last = pack([THREE[0]]) + pack([THREE[1]]), pack([THREE[2]])
    for cut in range(len(last)):
        assert list(unpack(first + last[:cut])) == THREE[:2], cut


def test_an_end_of_zeros_hides_no_line_before_it() -> None:
    first, last = pack(THREE[:2]), pack(THREE[2:])
    for cut in range(len(last)):
        lines = list(unpack(first + last[:cut] + bytes(100)))
        assert lines == (THREE if last[cut:].strip(b"\0") == b"" else THREE[:2]), cut  # a member may end in zeros


def test_damage_before_other_members_is_told() -> None:
    first, middle, last = (pack([line]) for line in THREE)
    with pytest.raises(Unreadable, match=f"at byte {len(first)}"):
        list(unpack(first + b"?" * len(middle) + last))
    with pytest.raises(Unreadable, match=f"at byte {len(first)}"):
        list(unpack(first + middle[: len(middle) // 2] + last))


def test_a_member_that_inflates_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "LARGEST", 100_000)
    assert list(unpack(pack([bytes(99_999).replace(b"\0", b"a")])))
    with pytest.raises(Unreadable, match="more than 100,000 bytes"):
        list(unpack(pack([b"a" * 10_000_000])))
