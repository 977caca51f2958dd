"""Our block goes into any text and out again, and what Asterisk would read is read."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ami_bridge.asterisk.configuration import (
    BEGIN,
    END,
    BlockDamaged,
    has_block,
    has_section,
    included,
    section_line,
    values,
    with_block,
    without_block,
)

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


SAMPLE = """\
; a comment with [general] in it
[options](!)
systemname = template
[general]
Enabled = yes ; on
port=5038
secret = a\\;b
;-- [hidden]
all = of
this --; bindaddr => 127.0.0.1
;--- no comment of several lines
enabled = no
#include "manager.d/*.conf"
[other](tmpl,+)
enabled = 1
"""


def test_sections_and_values_are_read_as_asterisk_reads_them() -> None:
    assert values(SAMPLE, "general") == {"enabled": "no", "port": "5038", "secret": "a;b", "bindaddr": "127.0.0.1"}
    assert values(SAMPLE, "options") == {} and values(SAMPLE, "hidden") == {}
    assert has_section(SAMPLE, "general") and not has_section(SAMPLE, "options") and not has_section(SAMPLE, "hidden")
    assert section_line(SAMPLE, "general") == "[general](+)" and section_line(SAMPLE, "mappings") == "[mappings]"


@pytest.mark.parametrize(("line", "path"), [
    ('#include "manager.d/*.conf" ', "manager.d/*.conf"), ("#include x.conf", "x.conf"), ("#tryinclude <y.conf>", "y.conf"),
    ("  #INCLUDE /etc/z.conf", "/etc/z.conf"), ("#exec /bin/x", None), ("include => demo", None), ("; #include x", None)])
def test_includes(line: str, path: str | None) -> None:
    assert included(line) == path
