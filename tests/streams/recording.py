"""Recording the stories: beside the daemon listens somebody with the same rights, and keeps what a live test made happen.

Asked for by `AMI_BRIDGE_RECORD_STREAMS=1`. Then each passed test of tests/live that had a recorded call leaves a story.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from ami_bridge.asterisk.actions import login
from ami_bridge.asterisk.capture import anonymise
from ami_bridge.asterisk.translate import (
    EVENT,
    EVENT_CLASSES,
    LINE_END,
    MESSAGE_END,
    WANTED,
    field,
    headers,
    is_ours,
    translate,
)
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import SpoolError
from ami_bridge.core.events import HungUp, RecordingClosed
from ami_bridge.core.facts import Closed, Ended, Fact
from ami_bridge.core.tickets import Ticket
from ami_bridge.spool import Spool
from tests.pbx.asterisk import Pbx
from tests.streams.story import FOLDER, Story, Told, outline

ASKED = bool(os.environ.get("AMI_BRIDGE_RECORD_STREAMS"))
LAST_WORDS = 1.0
"""Seconds after a test in which the exchange may still speak of its calls."""

AGAIN = 0.2
VERSION = re.compile(r"Asterisk (?:certified/)?(\d+)\S*")


class Recorded(Protocol):
    """What is recorded: an exchange, a spool, and the entries of a register."""

    pbx: Pbx

    @property
    def spool(self) -> Spool: ...

    def calls(self) -> list[Entry]: ...


class Recorder:
    """Listens to one exchange from `start` on. `messages` and `tickets` are what was said, and which calls were recorded."""

    def __init__(self, system: Recorded) -> None:
        self.system = system
        self.messages: list[bytes] = []
        self.tickets: dict[UUID, Ticket] = {}
        self.version = ""
        self._spool = system.spool
        self._ends = threading.Event()

    def start(self) -> None:
        """Return when all that happens from now on is heard."""
        found = VERSION.search(self.system.pbx.rx("core show version"))
        assert found
        self.version, self.major = found[0].removeprefix("Asterisk "), found[1]
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(ready,), daemon=True).start()
        assert ready.wait(10), "the exchange does not let us listen"
        RECORDERS.append(self)

    def close(self) -> None:
        """Listen no more; what was heard is kept."""
        self._ends.set()

    def story(self, first: int, known: set[UUID]) -> Story | None:
        """What happened since the message number `first`, but for the calls that were `known` before; None: no recorded call."""
        tickets = {call: ticket for call, ticket in self.tickets.items() if call not in known}
        entries = [entry for entry in self.system.calls() if entry.id in tickets] if tickets else []
        if not entries:
            return None
        title = f"Asterisk {self.version}, captured {datetime.now(UTC):%Y-%m-%d}, numbers and names replaced"
        return without_people(title, self.messages[first:], [(tickets[entry.id], entry) for entry in entries])

    def _listen(self, ready: threading.Event) -> None:
        while not self._ends.is_set():
            with suppress(OSError), socket.create_connection(self.system.pbx.ami, 5) as link:
                link.settimeout(AGAIN)
                fields = login("bridge", self.system.pbx.settings.secret, EVENT_CLASSES)
                link.sendall("".join(f"{name}: {value}\r\n" for name, value in {"Action": "Login", **fields}.items()).encode() + LINE_END)
                self._hear(link, ready)
            time.sleep(AGAIN)

    def _hear(self, link: socket.socket, ready: threading.Event) -> None:
        rest = b""
        while not self._ends.is_set():
            with suppress(TimeoutError):
                piece = link.recv(1 << 16)
                if not piece:
                    return
                *messages, rest = (rest + piece).split(MESSAGE_END)
                for message in messages:
                    self._keep(message, ready)

    def _keep(self, message: bytes, ready: threading.Event) -> None:
        if b"Response: Success" in message:
            ready.set()
        name = message[len(EVENT):message.find(LINE_END)] if message.startswith(EVENT) else b""
        if name not in WANTED or (name == b"UserEvent" and not is_ours(message)):
            return
        self.messages.append(message)
        if name == b"UserEvent":
            with suppress(ValueError, SpoolError, OSError):
                call = UUID(field(message, b"Call"))
                self.tickets[call] = self.tickets.get(call) or self._spool.ticket(call)


RECORDERS: list[Recorder] = []


def listen(system: Recorded) -> Callable[[], None]:
    """Listen to a system's exchange, where that is asked for. Returns what ends it."""
    if not ASKED:
        return lambda: None
    recorder = Recorder(system)
    recorder.start()
    return recorder.close


@dataclass
class Keep:
    """Whether what was heard shall be written down."""

    ok: bool = False


@contextmanager
def recorded(scenario: str) -> Iterator[Keep]:
    """Write down what the exchanges say that are up in the block, if `ok` is set before its end."""
    before = {id(one): (len(one.messages), set(one.tickets)) for one in RECORDERS}
    keep = Keep()
    yield keep
    if not keep.ok:
        return
    time.sleep(LAST_WORDS)
    for recorder in RECORDERS:
        story = recorder.story(*before.get(id(recorder), (0, set())))
        if story:
            story.write(FOLDER / recorder.major / scenario)


def without_people(title: str, messages: list[bytes], calls: Iterable[tuple[Ticket, Entry]]) -> Story:
    """The story with other numbers and names in it: the same in the stream, in the tickets and in what is expected."""
    told = [(ticket, outline(entry, _ends(ticket, messages)), [str(one.why) for one in entry.silences]) for ticket, entry in calls]
    asides = [aside for ticket, entry, _ in told for aside in (_of_ticket(ticket), *map(_of_party, entry["parties"]))]
    replaced = anonymise([*messages, *asides])
    read = iter([headers(message) for message in replaced[len(messages):]])
    return Story(title, replaced[:len(messages)], [_rewritten(*one, read) for one in told])


def _ends(ticket: Ticket, messages: Iterable[bytes]) -> list[Fact]:
    events = [translate(message, 0.0) for message in messages]
    return [Closed(event.at) for event in events if isinstance(event, RecordingClosed) and event.call == ticket.call] + \
        [Ended(event.at) for event in events if isinstance(event, HungUp) and event.uniqueid == ticket.uniqueid]


_TICKET = {"Call": "call", "Recording": "recording", "CallerIDNum": "caller", "Exten": "callee", "Channel": "channel",
           "CompanyChannel": "company_channel", "CompanyConnectedLineName": "company_name", "Uniqueid": "uniqueid", "Linkedid": "linkedid"}
"""A ticket as a message, so that its numbers and names are found by the same headers as the exchange's."""


def _of_ticket(ticket: Ticket) -> bytes:
    return _message({header: str(getattr(ticket, name)) for header, name in _TICKET.items()})


def _of_party(party: dict[str, Any]) -> bytes:
    return _message({"Interface": party["interface"], "MemberName": party["name"]})


def _message(fields: dict[str, str]) -> bytes:
    return "\r\n".join(f"{name}: {value}" for name, value in fields.items()).encode()


def _rewritten(ticket: Ticket, entry: dict[str, Any], silences: list[str], read: Iterator[dict[str, str]]) -> Told:
    found = next(read)
    texts = {name: found[header] for header, name in _TICKET.items() if name not in ("call", "recording")}
    ticket = replace(ticket, **texts, call=UUID(found["Call"]), recording=UUID(found["Recording"]) if ticket.recording else None)
    parties = [party | {"interface": seen["Interface"], "name": seen["MemberName"]}
               for party, seen in ((party, next(read)) for party in entry["parties"])]
    return Told(ticket, entry | {"caller": ticket.caller, "callee": ticket.callee, "parties": parties}, silences)
