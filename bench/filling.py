"""A register filled with many calls at once, each with one recording and one participant.

Four calls of ten are of a team of forty, one of a thousand is of a team with a single agent; the others are spread over
twenty teams of eight. Ten queues share the calls.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from ami_bridge.register import Register
from ami_bridge.register.tables import calls, participants, recordings

EXPIRES = datetime(2026, 12, 25, 11, tzinfo=UTC)
BATCH = 5000
COMPANY = "0295000000"
SHA256 = "0123456789abcdef" * 4
LARGE, SMALL = "customer service", "archive"
SHARE_OF_LARGE = 0.4


def calls_of(day: int, count: int) -> list[UUID]:
    """Return the ids of the calls that expire ``day`` days after ``EXPIRES``."""
    return [UUID(int=(day << 96) + (number << 8)) for number in range(1, count + 1)]


def number_of(call: UUID) -> str:
    """Return the caller's number of a call: a caller calls on three days."""
    day, number = call.int >> 96, number_in_day(call)
    return f"04{(number + day // 3 * 1_000_003) * 48271 % 99_999_989:08}"


def agent_of(call: UUID) -> tuple[str, str]:
    """Return the name of a call's agent, and their team."""
    place = number_in_day(call) * 7919 % 1000
    if place < 1000 * SHARE_OF_LARGE:
        return f"Maija Mäkinen {place % 40}", LARGE
    return ("Seppo Salo", SMALL) if place == 999 else (f"Aino Aalto {place % 160}", f"team {place % 160 // 8}")


def queue_of(call: UUID) -> str:
    """Return the queue of a call."""
    return f"queue {number_in_day(call) % 10}"


def number_in_day(call: UUID) -> int:
    """Return which of its day's calls one is, from 1 on."""
    return (call.int >> 8) % 2**64


def fill(register: Register, ids: Iterable[UUID], first: datetime = EXPIRES) -> None:
    """Put calls into the register; those of day 0 expire from ``first`` on."""
    remaining = iter(ids)
    while batch := list(islice(remaining, BATCH)):
        days = {(first + timedelta(days=call.int >> 96)).date() for call in batch}
        register.prepare(days)
        with register._connected(writing=True) as connection:
            connection.execute(calls.insert(), [_call(call, first) for call in batch])
            connection.execute(recordings.insert(), [_recording(call, first) for call in batch])
            connection.execute(participants.insert(), [_participant(call, first) for call in batch])


def rows(count: int, days: int) -> Iterator[UUID]:
    """Yield the ids of ``count`` calls, spread evenly over ``days`` days."""
    for day in range(days):
        yield from calls_of(day, count // days)


def _call(call: UUID, first: datetime) -> dict[str, Any]:
    expires = _expires(call, first)
    number = number_of(call)
    return {
        "expiry_day": expires.date(), "id": call, "exchange": "bench", "direction": "inbound", "route": "all",
        "queue": queue_of(call), "reason": "announced", "origin": "agi", "caller": number, "callee": COMPANY,
        "caller_digits": number.lstrip("0"), "callee_digits": COMPANY.lstrip("0"), "caller_tail": number[-7:],
        "callee_tail": COMPANY[-7:], "uniqueid": "b-1.1", "linkedid": "b-1.1",
        "started_at": expires - timedelta(days=31, minutes=5), "answered_at": None,
        "ended_at": expires - timedelta(days=31), "expires_at": expires, "entry_sha256": SHA256,
    }


def _recording(call: UUID, first: datetime) -> dict[str, Any]:
    day, recording = (first + timedelta(days=call.int >> 96)).date(), UUID(int=call.int + 1)
    return {"expiry_day": day, "id": recording, "call_id": call, "exchange": "bench", "segment": 1, "state": "sealed",
            "file": f"{day}/{recording}.wav.age", "frames": 480_000, "rate": 8000, "size": 960_044, "sha256": SHA256,
            "sealed_size": 960_400, "sealed_sha256": SHA256, "found_sha256": None}


def _participant(call: UUID, first: datetime) -> dict[str, Any]:
    expires, (name, team) = _expires(call, first), agent_of(call)
    return {"expiry_day": expires.date(), "call_id": call, "started_at": expires - timedelta(days=31, minutes=5),
            "position": 1, "exchange": "bench", "interface": "PJSIP/6001", "name": name, "team": team,
            "joined_at": expires - timedelta(days=31, minutes=4), "left_at": None}


def _expires(call: UUID, first: datetime) -> datetime:
    return first + timedelta(days=call.int >> 96, milliseconds=number_in_day(call) * 109 % 3_600_000)
