"""A signed head as a text: what is not exactly one is refused, and nothing else comes of it."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ami_bridge.core.audit import Head, canonical
from ami_bridge.core.audit_heads import head_text, parse

HEAD = Head(number=5, digest="0a" * 32, at=datetime(2026, 11, 23, 12, tzinfo=UTC))
FIELDS = json.loads(head_text(HEAD, b"\1" * 64))
ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5)


def test_a_head_comes_back_as_it_was_written() -> None:
    assert parse(head_text(HEAD, b"\1" * 64) + b"\n") == (HEAD, b"\1" * 64)


@pytest.mark.parametrize("wrong", [
    {"number": "5"}, {"number": True}, {"number": 0}, {"number": -1}, {"number": 5.0}, {"number": 1 << 63}, {"number": [5]},
    {"digest": 7}, {"digest": ""}, {"digest": "0A" * 32}, {"digest": "0" * 63}, {"digest": "\u0660" * 64},
    {"at": "0001-01-01T00:00:00.000000+14:00"}, {"at": "9999-12-31T23:59:59.999999-14:00"}, {"at": "0001-01-01T00:00:00.000000"},
    {"at": 5}, {"at": "2026-11-23T14:00:00.000000+02:00"}, {"signature": "x"}, {"signature": None}, {"format": 2}, {"kind": "audit-checkpoint"}])
def test_what_is_not_exactly_a_head_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(canonical(FIELDS | wrong))


@given(st.binary() | ANYTHING.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b"9" * 5_000)
@example(b"null")
def test_nothing_but_a_value_error_comes_of_any_bytes(content: bytes) -> None:
    with suppress(ValueError):
        parse(content)


@given(st.sampled_from(sorted(FIELDS)), ANYTHING)
def test_nothing_but_a_value_error_comes_of_any_field(name: str, value: Any) -> None:
    with suppress(ValueError):
        parse(json.dumps(FIELDS | {name: value}).encode())


@given(st.datetimes(), st.integers(-1439, 1439))
def test_nothing_but_a_value_error_comes_of_any_time(at: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-+"[minutes >= 0], divmod(abs(minutes), 60)
    said = f"{at.isoformat(timespec='microseconds')}{sign}{hours:02}:{rest:02}"
    with suppress(ValueError):
        assert parse(json.dumps(FIELDS | {"at": said}).encode())[0].at.utcoffset() == timedelta()
