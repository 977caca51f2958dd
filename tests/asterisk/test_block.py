"""Our block goes into any text and out again."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ami_bridge.asterisk.block import BEGIN, END, BlockDamaged, has_block, with_block, without_block

LINES = st.lists(st.sampled_from(["[general](+)", "enabled = yes", "", '#include "ami-bridge/manager.conf"', "; a word"]), min_size=1)
PIECES = st.sampled_from(["\n", "\r\n", "[general]", "enabled = no", "; words", ";-- ", "--;", "\x0b", "\x85", " ", "ä", END[:5], BEGIN[:9]])
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join))


@given(TEXTS, LINES)
def test_in_and_out_is_as_before(text: str, lines: list[str]) -> None:
    assert without_block(with_block(text, lines)) == text


@given(TEXTS, LINES)
def test_twice_is_once(text: str, lines: list[str]) -> None:
    once = with_block(text, lines)
    assert with_block(once, lines) == once and once.count(END) == text.count(END) + 1


@given(TEXTS, LINES, LINES)
def test_another_block_takes_the_place_of_the_old_one(text: str, old: list[str], new: list[str]) -> None:
    assert with_block(with_block(text, old), new) == with_block(text, new)
    assert with_block(with_block(text, old), []) == text


@given(TEXTS, LINES, TEXTS, TEXTS)
def test_what_the_admin_wrote_meanwhile_stays(text: str, lines: list[str], above: str, below: str) -> None:
    assume(not above or above.endswith("\n"))
    assert without_block(above + with_block(text, lines)) == above + text
    out = without_block(with_block(text, lines) + below)
    assert out.startswith(text) and out.endswith(below) and out.removeprefix(text).removesuffix(below) in ("", "\n")


@given(TEXTS, LINES)
def test_bytes_that_are_no_text_survive(text: str, lines: list[str]) -> None:
    raw = text.encode("utf-16", "surrogatepass")
    read = raw.decode("utf-8", "surrogateescape")
    assert without_block(with_block(read, lines)).encode("utf-8", "surrogateescape") == raw


@pytest.mark.parametrize("text", [BEGIN, f"a\n{BEGIN}\nb\n", f"{END}\n", f"{BEGIN}\n{BEGIN}\n{END}\n", f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n"])
def test_a_damaged_block_is_not_guessed_at(text: str) -> None:
    assert has_block(text)
    with pytest.raises(BlockDamaged):
        without_block(text)
    with pytest.raises(BlockDamaged):
        with_block(text, ["x"])
