"""The log in systemd's journal: read from a socket of the same kind, by a second reader of the protocol."""

import asyncio
import io
import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ami_bridge.daemon.journal import LONGEST, Journal, entry, ours, priority
from ami_bridge.daemon.logs import Format, ToJournal, sentence
from tests.cli.machine import REPOSITORY

NUMBER = "0459998877"


def read(datagram: bytes) -> dict[str, str]:
    """What systemd's documentation says of the format, read the other way."""
    found = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", rest[:8])
            value, end, rest = rest[8:8 + length], rest[8 + length:9 + length], rest[9 + length:]
            assert end == b"\n"
        found[name.decode()] = value.decode()
        datagram = rest
    return found


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.settimeout(10)
        yield listener


@pytest.fixture
def elsewhere() -> io.StringIO:
    """In the place of stderr."""
    return io.StringIO()


@pytest.fixture
def log(listening: socket.socket, elsewhere: io.StringIO) -> Iterator[logging.Logger]:
    log = logging.Logger("ami_bridge.test")
    stderr = logging.StreamHandler(elsewhere)
    stderr.setFormatter(Format())
    mouth = Journal(listening.getsockname())
    log.addHandler(ToJournal(mouth, stderr))
    yield log
    mouth.close()


def test_an_event_comes_in_fields(log: logging.Logger, listening: socket.socket) -> None:
    log.critical("The keys suffice for %d days", 4, extra={"action": "alarm", "alarm": "keys-few"})
    found = read(listening.recv(1 << 20))
    assert found == {"MESSAGE": "The keys suffice for 4 days action=alarm alarm=keys-few", "PRIORITY": "2",
                     "SYSLOG_IDENTIFIER": "ami-bridge", "AMI_BRIDGE_ACTION": "alarm", "AMI_BRIDGE_ALARM": "keys-few",
                     "CODE_FUNC": "test_an_event_comes_in_fields"}


def test_a_call_and_a_reason_are_fields_too(log: logging.Logger, listening: socket.socket) -> None:
    call = "01900000-0000-7000-8000-000000000001"
    log.info("Call registered", extra={"action": "call_registered", "call": call, "reason": "announced"})
    found = read(listening.recv(1 << 20))
    assert (found["AMI_BRIDGE_CALL"], found["AMI_BRIDGE_REASON"], found["PRIORITY"]) == (call, "announced", "6")


@pytest.mark.parametrize("value", ["", "a=b", "two\nlines", "\n", "Mäkinen\n" * 3, "x\0y"])
def test_every_value_comes_through(value: str) -> None:
    assert read(entry({"FIRST": value, "SECOND": "2"})) == {"FIRST": value, "SECOND": "2"}


def test_a_value_too_long_for_a_datagram_is_cut_between_two_letters(listening: socket.socket) -> None:
    mouth = Journal(listening.getsockname())
    mouth.send({"MESSAGE": "ä" * LONGEST, "PRIORITY": "6"})
    mouth.close()
    assert read(listening.recv(1 << 20)) == {"MESSAGE": "ä" * (LONGEST // 2), "PRIORITY": "6"}


def test_a_sentence_is_one_line_whatever_is_in_it(log: logging.Logger, listening: socket.socket) -> None:
    log.warning("refused:\nPRIORITY=0\r\n%s", "more")
    assert read(listening.recv(1 << 20))["MESSAGE"] == "refused: PRIORITY=0 more"


@pytest.mark.parametrize(("level", "wanted"), [(logging.DEBUG, 7), (logging.INFO, 6), (25, 6), (logging.WARNING, 4),
                                               (logging.ERROR, 3), (logging.CRITICAL, 2), (99, 2), (1, 7)])
def test_levels_are_the_priorities_of_syslog(level: int, wanted: int) -> None:
    assert priority(level) == wanted


def test_a_journal_that_is_away_or_full_costs_no_event_and_no_time(log: logging.Logger, listening: socket.socket,
                                                                   elsewhere: io.StringIO) -> None:
    for number in range(10_000):
        log.warning("event %d", number, extra={"action": "x"})
    listening.settimeout(0.0)
    taken = [read(listening.recv(1 << 20))["MESSAGE"]]
    with suppress(BlockingIOError):
        while True:
            taken.append(read(listening.recv(1 << 20))["MESSAGE"])
    said = [*taken, *(line.removeprefix("WARNING ") for line in elsewhere.getvalue().splitlines())]
    assert said == [f"event {number} action=x" for number in range(10_000)] and len(taken) < 10_000
    listening.close()
    log.warning("the journal is gone", extra={"action": "x"})
    assert elsewhere.getvalue().endswith("WARNING the journal is gone action=x\n")


def test_only_the_journals_own_stream_counts(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        found = os.fstat(file.fileno())
        assert ours(file.fileno(), f"{found.st_dev}:{found.st_ino}")
        assert not ours(file.fileno(), f"{found.st_dev}:{found.st_ino + 1}") and not ours(file.fileno(), "")
        closed = os.dup(file.fileno())
    os.close(closed)
    assert not ours(closed, f"{found.st_dev}:{found.st_ino}")


PROGRAM = """
import logging, sys, threading
from ami_bridge.daemon.logs import log_to_stderr
log_to_stderr(sys.argv[1])
logging.getLogger("ami_bridge").info("hello", extra={"action": "daemon_ready"})
logging.getLogger("fontTools.subset").info("Glyph names: 0459998877")
thread = threading.Thread(target=lambda: int("0459998877x"))
thread.start(); thread.join()
raise KeyError("0459998877")
"""


def told_by_a_process(listening: socket.socket, stderr: Path, stream: bool) -> str:
    with stderr.open("wb") as file:
        found = os.fstat(file.fileno())
        there = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"} if stream else {}
        done = subprocess.run([sys.executable, "-c", PROGRAM, listening.getsockname()], stderr=file, cwd=REPOSITORY, timeout=60,
                              env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | there)
    assert done.returncode == 1
    return stderr.read_text()


def test_a_process_under_systemd_speaks_to_the_journal_and_its_faults_name_nobody(
        listening: socket.socket, tmp_path: Path) -> None:
    assert told_by_a_process(listening, tmp_path / "stderr", stream=True) == ""
    first, second, third = (read(listening.recv(1 << 20)) for _ in range(3))
    assert first["MESSAGE"] == "hello action=daemon_ready" and first["AMI_BRIDGE_ACTION"] == "daemon_ready"
    assert second["MESSAGE"].startswith("A fault nobody expected: ValueError at <string>:7") and second["PRIORITY"] == "2"
    assert third["MESSAGE"].startswith("A fault nobody expected: KeyError at <string>:9. Report it")
    assert third["AMI_BRIDGE_ACTION"] == "fault"


def test_a_process_elsewhere_writes_lines(listening: socket.socket, tmp_path: Path) -> None:
    said = told_by_a_process(listening, tmp_path / "stderr", stream=False)
    assert said.startswith("INFO hello action=daemon_ready\nCRITICAL A fault nobody expected: ValueError at")
    assert NUMBER not in said and "Traceback" not in said


def test_asyncios_own_words_are_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    def failing(number: str) -> None:
        raise ValueError(f"what is {number}?")

    async def story() -> None:
        asyncio.get_running_loop().call_soon(failing, NUMBER)
        await asyncio.sleep(0.01)

    asyncio.run(story())
    (record,) = [one for one in caplog.records if one.name == "asyncio" and one.levelno == logging.ERROR]
    assert NUMBER in record.getMessage() and NUMBER not in Format().format(record)
    assert sentence(record).startswith("The event loop met a fault (ValueError in line ")
