"""The sealed entry is the entry."""

import json
from dataclasses import replace

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
        entry_from_json(entry_to_json(call()).replace(b'"format": 2', b'"format": 3'))


def test_an_entry_that_was_sealed_before_queues_and_teams_were_kept_is_read_without_them() -> None:
    older = call()
    newer = replace(older, queue="tuki", participants=tuple(replace(party, team="Palvelu") for party in older.participants))
    fields = json.loads(entry_to_json(newer)) | {"format": 1}
    del fields["queue"]
    for party in fields["participants"]:
        del party["team"]
    assert entry_from_json(json.dumps(fields).encode()) == older
