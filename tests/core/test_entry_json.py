"""The sealed entry is the entry."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.entries import Entry
from ami_bridge.core.entry_json import entry_from_json, entry_to_json
from ami_bridge.core.errors import AudioError
from tests.register.samples import call, entries


@given(entries())
def test_what_is_written_is_read(entry: Entry) -> None:
    assert entry_from_json(entry_to_json(entry)) == entry


@given(st.binary(max_size=60) | st.text().map(str.encode))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(AudioError):
        entry_from_json(garbage)


@pytest.mark.parametrize("field", ["format", "id", "caller", "notice", "recordings", "expires_at"])
def test_a_missing_field_is_refused(field: str) -> None:
    fields = json.loads(entry_to_json(call()))
    del fields[field]
    with pytest.raises(AudioError, match="damaged"):
        entry_from_json(json.dumps(fields).encode())


def test_an_entry_of_tomorrow_is_refused() -> None:
    with pytest.raises(AudioError, match="Upgrade"):
        entry_from_json(entry_to_json(call()).replace(b'"format": 1', b'"format": 2'))
