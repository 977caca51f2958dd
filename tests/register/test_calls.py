"""Registering a call, and getting it back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import NotFound, RegisterError
from ami_bridge.core.notice import Reason
from ami_bridge.register import CallFilter, Register
from tests.register.samples import DAY, ENTRY_SHA256, MINUTE, NOON, call, entries, new_id, sealed

EVERYTHING = NOON - 400_000 * timedelta(hours=24)
"""A moment before which nothing expired."""


def add(register: Register, *given: Entry) -> list[bool]:
    with register.writing() as work:
        return [work.calls.add(entry, ENTRY_SHA256) for entry in given]


def found(register: Register, entry: Entry) -> Entry | None:
    with register.reading() as work:
        return work.calls.get(str(entry.id), EVERYTHING)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entry=entries())
def test_an_entry_comes_back_equal_to_itself(register: Register, entry: Entry) -> None:
    assert add(register, entry) == [True]
    assert found(register, entry) == entry


def test_times_come_back_in_utc(register: Register) -> None:
    entry = call()
    add(register, entry)
    kept = found(register, entry)
    assert kept is not None
    times = [kept.started_at, kept.ended_at, kept.expires_at, kept.participants[0].joined_at]
    assert {time.utcoffset() for time in times} == {timedelta(0)}


def test_a_call_is_registered_once(register: Register) -> None:
    entry = call()
    assert add(register, entry, entry) == [True, False]
    assert add(register, entry) == [False]
    assert found(register, entry) == entry


def test_a_call_is_registered_once_whatever_its_expiry_day(register: Register) -> None:
    entry = call()
    later = replace(call(ended_at=NOON + 3 * DAY), id=entry.id)
    assert later.expiry_day != entry.expiry_day
    assert add(register, entry) == [True]
    assert add(register, later) == [False]
    assert found(register, entry) == entry
    with register.reading() as work:
        assert work.calls.count(NOON) == 1


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.ANNOUNCED, Reason.NOTICE_NOT_REQUIRED}))
def test_a_call_not_to_be_recorded_has_no_recording(register: Register, reason: Reason) -> None:
    with pytest.raises(RegisterError, match="was not to be recorded"):
        add(register, call(reason=reason))
    assert add(register, call(reason=reason, recordings=())) == [True]


def test_audio_is_kept_only_with_proof_of_the_notice(register: Register) -> None:
    with pytest.raises(RegisterError, match="without proof"):
        add(register, call(notice=None))
    assert add(register, call(notice=None, reason=Reason.NOTICE_NOT_REQUIRED)) == [True]


def test_an_exception_undoes_the_whole_transaction(register: Register) -> None:
    first = call()
    with pytest.raises(KeyError), register.writing() as work:
        work.calls.add(first, ENTRY_SHA256)
        raise KeyError
    with pytest.raises(RegisterError, match="recordings"):
        add(register, first, call(recordings=(sealed(1), sealed(1))))
    with register.reading() as work:
        assert work.calls.count(NOON) == 0


def test_an_unexpired_call_is_found_by_the_beginning_of_its_id(register: Register) -> None:
    entry = call()
    add(register, entry)
    text = str(entry.id)
    with register.reading() as work:
        for asked in (text, text.upper(), text.replace("-", ""), text[:13], text[:1], f" {text[:20]}"):
            assert work.calls.get(asked, NOON) == entry
        for asked in ("", "-", "+358401234567", "zz", str(new_id()), text + "0", "%", text[:8] + "%"):
            assert work.calls.get(asked, NOON) is None


def test_a_beginning_of_several_ids_is_ambiguous(register: Register) -> None:
    one, other = call(), call()
    add(register, one, other)
    shared = str(one.id)[:8]
    with register.reading() as work, pytest.raises(NotFound, match="ambiguous") as refusal:
        work.calls.get(shared, NOON)
    assert shared not in str(refusal.value)


def test_an_expired_call_is_never_returned(register: Register) -> None:
    entry = call()
    add(register, entry)
    last = entry.expires_at - timedelta(microseconds=1)
    with register.reading() as work:
        assert (work.calls.get(str(entry.id), last), work.calls.count(last)) == (entry, 1)
        assert work.calls.find(CallFilter(now=last)) == [entry]
        for moment in (entry.expires_at, entry.expires_at + MINUTE, entry.expires_at + 9 * DAY):
            assert (work.calls.get(str(entry.id), moment), work.calls.count(moment)) == (None, 0)
            assert work.calls.find(CallFilter(now=moment)) == []


def test_two_exchanges_share_a_register(register: Register) -> None:
    here, there = call(exchange="helsinki"), call(exchange="turku", uniqueid="pbx-1764.1")
    add(register, here, there)
    assert (found(register, here), found(register, there)) == (here, there)


def test_nothing_can_be_written_while_reading(register: Register) -> None:
    with pytest.raises(RegisterError), register.reading() as work:
        work.calls.add(call(), ENTRY_SHA256)
    assert add(register, call()) == [True]
