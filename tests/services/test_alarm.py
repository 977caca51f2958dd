"""Alarms: when each begins and ends, and how a human hears of it. With a real program and a real mail server."""

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import TimeoutExpired

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.config.model import Alarm as Settings
from ami_bridge.core.alarms import (
    REGISTERS,
    Alarm,
    Backlog,
    Kept,
    Name,
    Patience,
    Seen,
    judge,
    must_suspend,
    tidings,
    unjudged,
)
from ami_bridge.core.findings import Kind
from ami_bridge.services.alarm import Telling, run_program
from tests.asterisk.exchange import until
from tests.ports import free_port

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE = Patience(26 * HOUR, 24 * HOUR)
KEPT = Kept(last_success=NOW - HOUR, failures=0, oldest_expiry=NOW + HOUR, reminders=0)
WELL = Seen(installed=NOW - 1000 * HOUR, kept=KEPT, key_days=15, backlog=Backlog(), suspended=False)
ALARM = Alarm(Name.KEYS_FEW, "The keys suffice for 3 days only", "Run 'ami-bridge keys make'.")


def names(seen: Seen) -> set[str]:
    return {str(alarm.name) for alarm in judge(seen, PATIENCE, NOW)}


def kept(**changed) -> Seen:
    return replace(WELL, kept=replace(KEPT, **changed))


def test_all_is_well() -> None:
    assert names(WELL) == set()


def test_a_fresh_installation_does_not_alarm_until_a_run_is_overdue() -> None:
    fresh = replace(kept(last_success=None, oldest_expiry=None), installed=NOW - 26 * HOUR)
    assert names(fresh) == set()
    assert names(replace(fresh, installed=NOW - 26 * HOUR - timedelta(seconds=1))) == {"purge-overdue"}


@pytest.mark.parametrize(("seen", "expected"), [
    (kept(last_success=NOW - 26 * HOUR), set()),
    (kept(last_success=NOW - 27 * HOUR), {"purge-overdue"}),
    (kept(last_success=NOW + HOUR), {"clock-behind"}),
    (kept(oldest_expiry=NOW - 26 * HOUR), set()),
    (kept(oldest_expiry=NOW - 27 * HOUR), {"past-its-time"}),
    (kept(failures=1), {"purge-failed"}),
    (kept(reminders=2), {"hold-reminder"}),
    (kept(requests=1), {"requests-due"}),
    (kept(unclosed=1), {"requests-due"}),
    (kept(locked=1), {"account-locked"}),
    (kept(requests=1, unclosed=1), {"requests-due"}),
    (kept(found={Kind.AUDIO_MISSING: 1, Kind.AUDIO_LOST: 2}), {"calls-lost"}),
    (kept(found={Kind.AUDIO_CUT: 1}), {"found-amiss"}),
    (kept(found={Kind.ENTRY_WITHOUT_FILE: 1, Kind.ROGUE_RECORDING: 3}), {"calls-lost", "found-amiss"}),
    (replace(WELL, room=False), {"spool-full"}),
    (replace(WELL, key_days=7), set()),
    (replace(WELL, key_days=6), {"keys-few"}),
    (replace(WELL, key_days=0), {"keys-none"}),
    (replace(WELL, suspended=True), {"recording-suspended"}),
    (replace(WELL, backlog=Backlog(waiting=1, since=NOW - HOUR)), {"calls-wait"}),
    (replace(WELL, backlog=Backlog(waiting=1, since=NOW - timedelta(minutes=1))), set()),
    (replace(WELL, backlog=Backlog(waiting=1, since=NOW, lacking=1, lacking_since=NOW)), {"calls-wait-for-key"}),
    (replace(WELL, kept=None), set()),
])
def test_each_alarm_has_its_limit(seen: Seen, expected: set[str]) -> None:
    assert names(seen) == expected


def test_an_alarm_is_a_sentence_with_a_remedy() -> None:
    worst = replace(kept(last_success=None, failures=3, oldest_expiry=NOW - 50 * HOUR, reminders=1), key_days=0, suspended=True,
                    backlog=Backlog(waiting=3, since=NOW - HOUR, lacking=1, lacking_since=NOW - 30 * HOUR))
    said = [str(alarm) for alarm in judge(worst, PATIENCE, NOW)]
    assert "The last 3 runs of the purge were refused or failed. Run 'ami-bridge purge --dry-run': it says why." in said
    assert any("50 hours past its time" in one for one in said) and any("until 2026-11-24 06:00 UTC" in one for one in said)
    assert all(one[0].isupper() or one[0].isdigit() for one in said) and len(said) == 8


def test_calls_wait_for_a_key_no_longer_than_configured() -> None:
    waiting = Backlog(waiting=1, since=NOW, lacking=1, lacking_since=NOW - 24 * HOUR)
    assert not must_suspend(waiting, 24 * HOUR, NOW)
    assert must_suspend(waiting, 24 * HOUR, NOW + timedelta(seconds=1))
    assert not must_suspend(Backlog(waiting=5, since=NOW - 99 * HOUR), 24 * HOUR, NOW)


def test_an_alarm_is_told_when_it_begins_and_again_daily_and_its_end_once() -> None:
    first = tidings([ALARM], {}, NOW)
    assert first.tell == (ALARM,) and first.ended == ()
    assert tidings([ALARM], first.told, NOW + 23 * HOUR).tell == ()
    again = tidings([ALARM], first.told, NOW + 24 * HOUR)
    assert again.tell == (ALARM,) and again.told == {Name.KEYS_FEW: NOW + 24 * HOUR}
    over = tidings([], again.told, NOW + 25 * HOUR)
    assert (over.tell, over.ended, over.told) == ((), (Name.KEYS_FEW,), {})


def test_a_clock_that_is_set_back_silences_no_alarm_for_long() -> None:
    told = tidings([ALARM], {}, NOW + 1000 * HOUR).told
    assert tidings([ALARM], told, NOW).tell == (ALARM,)


def test_while_the_register_is_away_its_alarms_neither_begin_nor_end() -> None:
    away = replace(WELL, kept=None)
    told = {Name.PURGE_OVERDUE: NOW, Name.KEYS_FEW: NOW}
    found = tidings(judge(away, PATIENCE, NOW), told, NOW + HOUR, unjudged(away))
    assert found.ended == (Name.KEYS_FEW,) and found.told == {Name.PURGE_OVERDUE: NOW}
    assert unjudged(WELL) == frozenset() and Name.PURGE_FAILED in REGISTERS


@given(st.lists(st.tuples(st.sets(st.sampled_from(list(Name))), st.integers(0, 100))))
def test_whatever_comes_and_goes_every_beginning_and_every_end_is_told(story: list[tuple[set[Name], int]]) -> None:
    told: dict[Name, datetime] = {}
    now, before = NOW, set()
    for current, hours in story:
        now += hours * HOUR
        found = tidings([Alarm(name, "x", "y") for name in current], told, now)
        assert {alarm.name for alarm in found.tell} >= current - before
        assert set(found.ended) == before - current and set(found.told) == current
        assert all(now - at < 24 * HOUR for at in found.told.values())
        told, before = found.told, current


# -- telling


class MailServer:
    """A mail server of a few lines: takes one mail after the other, or refuses the recipient."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.refuses = False
        self.port = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().strip().upper():
            if line == "DATA":
                writer.write(b"354 go on\r\n")
                mail = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(mail.decode().replace("\r\n", "\n"))
            refused = self.refuses and line.startswith("RCPT")
            if line == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"550 no such person as secret@example.org\r\n" if refused else b"250 ok\r\n")
        writer.close()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    loop, server = asyncio.new_event_loop(), MailServer()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(server.server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def test_a_mail_says_which_machine_and_what_to_do(server: MailServer) -> None:
    Telling(Settings(mail_to="admin@example.org", mail_port=server.port), "pbx1").send(ALARM)
    (mail,) = server.mails
    assert "Subject: [ami-bridge pbx1] keys-few\n" in mail and "To: admin@example.org\n" in mail
    assert "The keys suffice for 3 days only.\nRun 'ami-bridge keys make'.\n" in mail


def test_a_refused_mail_is_logged_without_the_address(server: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    server.refuses = True
    Telling(Settings(mail_to="secret@example.org", mail_port=server.port), "pbx1").send(ALARM)
    assert "The alarm's mail failed: SMTPRecipientsRefused" in caplog.text and "secret@" not in caplog.text
    assert server.mails == []


def test_no_mail_server_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    Telling(Settings(mail_to="a@example.org", mail_port=free_port()), "pbx1").send(ALARM)
    assert "The alarm's mail failed: Connection refused" in caplog.text


def test_a_program_gets_the_words_and_the_name_and_none_of_our_secrets(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMI_BRIDGE__AMI__SECRET", "hidden")
    out = tmp_path / "out"
    script = f"import os, sys; open({str(out)!r}, 'w').write(sys.stdin.read() + repr(sorted(os.environ.items())) + sys.argv[1])"
    Telling(Settings(command=(sys.executable, "-c", script, "; no shell $HOME")), "pbx1").send(ALARM)
    said = out.read_text()
    assert said.startswith("ami-bridge on pbx1: keys-few\n\nThe keys suffice") and "('AMI_BRIDGE_ALARM', 'keys-few')" in said
    assert "hidden" not in said and said.endswith("; no shell $HOME")


@pytest.mark.parametrize(("command", "why"), [(("/nowhere/at/all",), "No such file"), (("false",), "it ended with 1"),
                                              (("true",), "")])
def test_a_program_that_fails_is_logged_and_the_mail_goes_out_all_the_same(
        server: MailServer, caplog: pytest.LogCaptureFixture, command: tuple[str, ...], why: str) -> None:
    Telling(Settings(command=command, mail_to="a@example.org", mail_port=server.port), "pbx1").send(ALARM)
    assert why in caplog.text and bool(why) == ("alarm_untold" in [r.__dict__.get("action") for r in caplog.records])
    assert len(server.mails) == 1


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    with pytest.raises(TimeoutExpired):
        run_program(["sh", "-c", f"sleep 600 & echo $! $$ > {ids}; wait"], "words", "name", patience=3.0)
    numbers = ids.read_text().split()
    assert len(numbers) == 2
    for number in numbers:
        asyncio.run(until(lambda number=number: not alive(number)))


def alive(number: str) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_words_that_nobody_reads_do_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    run_program(["true"], "x" * 1_000_000, "name")
    assert caplog.text == ""


def test_beginning_and_end_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    telling = Telling(Settings(), "pbx1")
    telling.log(ALARM)
    telling.ended(ALARM.name)
    begun, ended = caplog.records
    assert (begun.levelname, begun.__dict__["action"], begun.__dict__["alarm"]) == ("CRITICAL", "alarm", "keys-few")
    assert (ended.levelname, ended.__dict__["action"]) == ("WARNING", "alarm_ended")
