"""The spool: what is written is whole or absent, and one daemon holds it."""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_bridge.core.entries import account, ended_at
from ami_bridge.core.errors import SpoolError
from ami_bridge.core.notice import Policy, Reason
from ami_bridge.services.adopt import read_marker, ticket_of
from ami_bridge.spool import Spool
from tests.samples import FACTS, TICKET


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    spool.create()
    return spool


def test_a_ticket_and_its_facts_come_back(spool: Spool) -> None:
    spool.write_ticket(TICKET)
    spool.append_facts(TICKET.call, FACTS[:2])
    spool.append_facts(TICKET.call, FACTS[2:])
    assert spool.ticket(TICKET.call) == TICKET and spool.facts(TICKET.call) == FACTS
    assert list(spool.open_calls()) == [TICKET.call]


def test_nothing_is_readable_by_others(spool: Spool) -> None:
    spool.write_ticket(TICKET)
    spool.append_facts(TICKET.call, FACTS)
    for path in spool.root.rglob("*"):
        assert not path.stat().st_mode & stat.S_IRWXO, path.name


def test_a_spool_on_a_tmpfs_is_told_from_one_on_a_disk(tmp_path: Path) -> None:
    shared = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        for root, found in ((shared, True), (tmp_path, False)):
            spool = Spool(root)
            spool.create()
            assert spool.in_memory() is found
    finally:
        shutil.rmtree(shared)


def test_a_torn_journal_keeps_its_whole_lines(spool: Spool) -> None:
    spool.write_ticket(TICKET)
    spool.append_facts(TICKET.call, FACTS)
    journal = spool.tickets / f"{TICKET.call}.facts"
    whole = journal.read_bytes()
    for length in range(len(whole)):
        journal.write_bytes(whole[:length])
        found = spool.facts(TICKET.call)
        assert found == FACTS[:len(found)] and len(found) >= whole[:length].count(b"\n")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 99}', '{"format": 1}', "\x00"])
def test_a_damaged_ticket_is_a_spool_error_and_can_be_set_aside(spool: Spool, text: str) -> None:
    (spool.tickets / f"{TICKET.call}.json").write_text(text)
    with pytest.raises(SpoolError):
        spool.ticket(TICKET.call)
    spool.set_aside(TICKET.call)
    assert list(spool.open_calls()) == [] and len(list(spool.tickets.iterdir())) == 1


def test_foreign_files_are_passed_over(spool: Spool) -> None:
    for name in ("x.json", f".{UUID(int=1)}.json.7.tmp", "notes.txt"):
        (spool.tickets / name).touch()
    assert list(spool.open_calls()) == []


def test_a_second_daemon_is_told_what_to_do(spool: Spool) -> None:
    descriptor = spool.lock()
    with pytest.raises(SpoolError, match=r"another daemon .*systemctl stop"):
        Spool(spool.root).lock()
    os.close(descriptor)
    os.close(Spool(spool.root).lock())


def test_a_spool_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="file/spool"):
        Spool(tmp_path / "file" / "spool").create()


def test_a_symbolic_link_in_the_place_of_a_ticket_is_not_followed(spool: Spool, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (spool.tickets / f"{TICKET.call}.json").symlink_to(victim)
    spool.write_ticket(TICKET)
    assert victim.read_text() == "untouched" and spool.ticket(TICKET.call) == TICKET


def test_a_fact_that_comes_when_the_ticket_is_gone_leaves_no_journal(spool: Spool) -> None:
    spool.write_ticket(TICKET)
    spool.discard(TICKET.call, TICKET.recording)
    spool.append_facts(TICKET.call, FACTS)
    assert list(spool.tickets.iterdir()) == []


def test_a_full_or_suspended_spool_says_why_nothing_may_be_recorded(spool: Spool) -> None:
    assert spool.obstacle(0) is None
    assert spool.obstacle(spool.free() * 2) is Reason.NO_ROOM
    spool.suspend(True)
    assert spool.obstacle(0) is Reason.NO_KEY


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 3))
def test_a_ticket_changed_anywhere_is_either_damaged_or_whole(spool: Spool, place: int, put: bytes, remove: int) -> None:
    spool.write_ticket(TICKET)
    path = spool.tickets / f"{TICKET.call}.json"
    good = path.read_bytes()
    place %= len(good)
    path.write_bytes(good[:place] + put + good[place + remove:])
    with suppress(SpoolError, OverflowError):
        ticket = spool.ticket(TICKET.call)
        assert ticket.opened_at + timedelta(days=ticket.days) > datetime.min.replace(tzinfo=UTC)
        account(ticket, FACTS, (), ticket.opened_at, [])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.sampled_from([b"[" * 100_000, b"null", b"[]", b'{"format": 2}', b'{"format": 3}']))
def test_whatever_stands_in_the_place_of_a_ticket_is_damaged(spool: Spool, content: bytes) -> None:
    (spool.tickets / f"{TICKET.call}.json").write_bytes(content)
    with pytest.raises(SpoolError, match="a ticket"):
        spool.ticket(TICKET.call)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 3))
def test_a_journal_changed_anywhere_gives_only_facts_that_can_be_used(spool: Spool, place: int, put: bytes, remove: int) -> None:
    spool.write_ticket(TICKET)
    path = spool.tickets / f"{TICKET.call}.facts"
    path.unlink(missing_ok=True)
    spool.append_facts(TICKET.call, FACTS)
    good = path.read_bytes()
    place %= len(good)
    path.write_bytes(good[:place] + put + good[place + remove:])
    facts = spool.facts(TICKET.call)
    assert len(facts) >= len(FACTS) - 4
    account(TICKET, facts, (), ended_at([fact for fact in facts if fact.at < 1e10], TICKET.opened_at), [])


@given(st.binary(max_size=400) | st.text().map(str.encode))
def test_a_marker_of_any_content_is_understood_or_refused(content: bytes) -> None:
    policy = Policy(exchange="pbx", days=31, floor=0, routes=(), prompts=())
    with suppress(ValueError, KeyError, IndexError):
        ticket_of(read_marker(content.decode("utf-8")), "fb-1795534756-1", policy)
