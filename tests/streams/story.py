"""A recorded stream as a story: raw messages, the tickets that the spool held, and the entry that the register got of each.

A story is two files: `<scenario>.ami`, which `ami_bridge.asterisk.capture.replay` reads, and `<scenario>.json`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from ami_bridge.asterisk.capture import replay
from ami_bridge.asterisk.translate import MESSAGE_END, translate
from ami_bridge.core.calls import Follower
from ami_bridge.core.entries import Entry, account, ended_at, queue_of
from ami_bridge.core.entries import silences as quiet
from ami_bridge.core.events import BridgeLeft, Event
from ami_bridge.core.facts import Closed, Ended, Fact, Started, moment
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import Why
from ami_bridge.core.steering import Steering, SteeringRules
from ami_bridge.core.tickets import Ticket, from_json, to_json

FOLDER = Path(__file__).parent
LONGEST, END = 7.0, 2.0**32
"""How long a pause lasts at most in the tests that were recorded (seconds); a time after all of them."""

EARLY = 1.0
"""Seconds before the end of the recorded channel from which its recording was closed early, and not because it ended."""


@dataclass(frozen=True)
class Told:
    """One recorded call: its ticket, what the register was told of it, as `outline` gives it, and why it was silent in between."""

    ticket: Ticket
    entry: dict[str, Any]
    silences: list[str]


@dataclass(frozen=True)
class Story:
    """`title` is the comment line; `messages` are without their ends."""

    title: str
    messages: list[bytes]
    calls: list[Told]

    def write(self, path: Path) -> None:
        """Write both files; `path` is without a suffix."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".ami").write_bytes(f"# {self.title}\n".encode() + b"".join(one + MESSAGE_END for one in self.messages))
        calls = [{"ticket": json.loads(to_json(call.ticket)), "entry": call.entry, "silences": call.silences} for call in self.calls]
        path.with_suffix(".json").write_text(json.dumps({"calls": calls}, ensure_ascii=False, indent=1) + "\n", "utf-8")

    @classmethod
    def read(cls, path: Path) -> "Story":
        """Read both files; `path` is that of the stream."""
        title, _, _ = path.read_bytes().partition(b"\n")
        calls = json.loads(path.with_suffix(".json").read_text("utf-8"))["calls"]
        return cls(title.decode().lstrip("# "), replay(path),
                   [Told(from_json(json.dumps(call["ticket"])), call["entry"], call["silences"]) for call in calls])


def entries(story: Story, messages: Iterable[bytes]) -> list[dict[str, Any]]:
    """What the register would be told of each call, if the exchange had said `messages`: translation, fold, entry."""
    facts = _facts(story, messages)
    return [_entry(call.ticket, facts[call.ticket.call]) for call in story.calls]


def queues(story: Story, messages: Iterable[bytes], named: str) -> list[str]:
    """Of which queue each call would be, if its entry point had `named` one."""
    facts = _facts(story, messages)
    return [queue_of(replace(call.ticket, queue=named), facts[call.ticket.call]) for call in story.calls]


def _facts(story: Story, messages: Iterable[bytes]) -> dict[UUID, list[Fact]]:
    follower = Follower()
    facts: dict[UUID, list[Fact]] = {call.ticket.call: [] for call in story.calls}
    for message in messages:
        event = translate(message, 0.0)
        for noticed in follower.apply(event) if isinstance(event, Event) else []:
            facts.setdefault(noticed.call, []).append(noticed.fact)
    return facts


def silences(story: Story, messages: Iterable[bytes]) -> list[list[str]]:
    """Why each recording would be silent, in turn, if the exchange had said `messages` and done at once what it was asked for.

    Whether a route silences the held is not in the stream: it does where the register says that it did.
    """
    follower = Follower()
    steering = Steering(follower, SteeringRules(LONGEST))
    facts: dict[UUID, list[Fact]] = {call.ticket.call: [] for call in story.calls}
    for message in messages:
        event = translate(message, 0.0)
        while event and steering.settles_at and steering.settles_at < event.at:
            _carry_out(steering, steering.settles_at, facts)
        if isinstance(event, Event):
            _follow(story, follower, steering, event)
        elif event:
            steering.take(event)
        if event:
            _carry_out(steering, event.at, facts)
    return [[str(one.why) for one in quiet(facts[call.ticket.call], moment(END))] for call in story.calls]


def _carry_out(steering: Steering, at: float, facts: dict[UUID, list[Fact]]) -> None:
    for order in steering.orders(at, whole=True):
        for noticed in steering.done(order, at):
            facts[noticed.call].append(noticed.fact)


def _follow(story: Story, follower: Follower, steering: Steering, event: Event) -> None:
    noticed = follower.apply(event)
    if isinstance(event, BridgeLeft):
        steering.left(event.uniqueid, event.at)
    for call in story.calls:
        ticket = call.ticket
        if ticket.recording and any(one.call == ticket.call and isinstance(one.fact, Started) for one in noticed):
            steering.begin(ticket.call, ticket.recording, ticket.uniqueid, internal=ticket.direction is Direction.INTERNAL,
                           mute_hold=str(Why.HELD) in call.silences)
        if any(one.call == ticket.call and isinstance(one.fact, Closed | Ended) for one in noticed):
            steering.end(ticket.call)


def _entry(ticket: Ticket, facts: list[Fact]) -> dict[str, Any]:
    end = max(ended_at(facts, moment(0)), ticket.opened_at)
    return outline(account(ticket, facts, (), end, []), facts)


def stories() -> list[Path]:
    """Every recorded stream."""
    return sorted(FOLDER.glob("*/*.ami"))


def outline(entry: Entry, facts: Iterable[Fact]) -> dict[str, Any]:
    """What a call's events decide in its entry. Times in seconds since its start, None where there is none."""
    start = entry.started_at
    return {
        "direction": str(entry.direction), "route": entry.route, "caller": entry.caller, "callee": entry.callee,
        "answered": _since(start, entry.answered_at), "ended": _since(start, entry.ended_at), "closed early": closed_early(facts),
        "parties": [{"interface": party.interface, "name": party.name, "joined": _since(start, party.joined_at),
                     "left": _since(start, party.left_at)} for party in entry.participants],
    }


def closed_early(facts: Iterable[Fact]) -> bool:
    """Whether the recording was closed while the recorded channel went on."""
    facts = list(facts)
    closed = min((fact.at for fact in facts if isinstance(fact, Closed)), default=None)
    ended = min((fact.at for fact in facts if isinstance(fact, Ended)), default=None)
    return closed is not None and (ended is None or ended - closed > EARLY)


def _since(start: datetime, at: datetime | None) -> float | None:
    return None if at is None else round((at - start).total_seconds(), 3)
