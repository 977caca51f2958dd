"""All SQL for calls and what hangs on them: recordings, participants, proofs of notice."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import hexdigits
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Row, and_, false, func, literal, or_, select

from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import NotFound, RegisterError
from ami_bridge.core.ids import aware
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import State
from ami_bridge.register import rows
from ami_bridge.register.engine import serialise
from ami_bridge.register.numbers import SHORTEST, significant
from ami_bridge.register.tables import calls, notice_proofs, participants, recordings

RECORDED = frozenset({Reason.ANNOUNCED, Reason.NOTICE_NOT_REQUIRED})
"""The reasons for which a call may have recordings."""

BATCH = 500
"""Calls whose children are read with one statement; far below both databases' limits on parameters."""

UUID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls to find; None asks nothing. ``now`` (aware) decides what has expired.

    ``number`` is the caller's or the callee's in any notation; ``agent`` a participant's whole name; the call began
    at or after ``since`` and before ``until`` (aware). ``limit`` is the number of calls, newest first.
    """

    now: datetime
    number: str | None = None
    agent: str | None = None
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        for moment in (self.now, self.since, self.until):
            if moment is not None:
                aware(moment)


class Calls:
    """The calls, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry) -> bool:
        """Register a finished call. False, and nothing changed, when its id is registered already, on whatever day.

        RegisterError when the entry contradicts itself or a constraint.
        """
        wrong = contradiction(entry)
        if wrong:
            raise RegisterError(f"call {entry.id} cannot be registered: {wrong}", "Keep its ticket and audio; report it.")
        serialise(self._connection, int.from_bytes(entry.id.bytes[8:], "big", signed=True))
        if self._connection.execute(select(calls.c.id).where(calls.c.id == entry.id)).first():
            return False
        self._connection.execute(calls.insert(), rows.call_values(entry))
        for table, values in (
            (recordings, rows.recording_values(entry)),
            (participants, rows.participant_values(entry)),
            (notice_proofs, rows.notice_values(entry)),
        ):
            if values:
                self._connection.execute(table.insert(), values)
        return True

    def find(self, wanted: CallFilter) -> list[Entry]:
        """Return the calls that fit, newest first; never one that has expired at ``wanted.now``."""
        query = select(calls).where(*conditions(wanted)).order_by(calls.c.started_at.desc(), calls.c.id.desc())
        return self._whole(self._connection.execute(query.limit(wanted.limit)).all())

    def get(self, id_or_prefix: str, now: datetime) -> Entry | None:
        """Return the unexpired call whose id begins so, dashes or not; NotFound when there are several.

        The message does not repeat what was asked: it might be a number typed in the wrong place.
        """
        span = id_span(id_or_prefix)
        if span is None:
            return None
        found = self._connection.execute(select(calls).where(calls.c.id.between(*span), *alive(now)).limit(2)).all()
        if len(found) > 1:
            raise NotFound("the id is ambiguous: several calls begin so", "Give more of its digits.")
        return self._whole(found)[0] if found else None

    def count(self, now: datetime) -> int:
        """Return the number of unexpired calls."""
        return self._connection.execute(select(func.count()).select_from(calls).where(*alive(now))).scalar_one()

    def _whole(self, found: Sequence[Row]) -> list[Entry]:
        entries: list[Entry] = []
        for start in range(0, len(found), BATCH):
            entries += self._batch(found[start : start + BATCH])
        return entries

    def _batch(self, found: Sequence[Row]) -> list[Entry]:
        segments = self._children(recordings.c.segment, found)
        parties = self._children(participants.c.position, found)
        proofs = self._children(notice_proofs.c.at, found)
        return [rows.entry_of(call, segments[call.id], parties[call.id], proofs[call.id]) for call in found]

    def _children(self, order: Column, found: Sequence[Row]) -> dict[UUID, list[Row]]:
        table = order.table
        days, ids = {call.expiry_day for call in found}, [call.id for call in found]
        query = select(table).where(table.c.expiry_day.in_(days), table.c.call_id.in_(ids)).order_by(order)
        children: dict[UUID, list[Row]] = defaultdict(list)
        for row in self._connection.execute(query):
            children[row.call_id].append(row)
        return children


def contradiction(entry: Entry) -> str:
    """Return what is wrong with an entry that no constraint of a single row can see; empty when nothing is."""
    if entry.recordings and entry.reason not in RECORDED:
        return f"it has a recording but was not to be recorded ({entry.reason})"
    kept = any(recording.state is State.STORED for recording in entry.recordings)
    if kept and entry.reason is Reason.ANNOUNCED and entry.notice is None:
        return "its audio was kept without proof that the notice was heard"
    return ""


def id_span(id_or_prefix: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last id that begin so; None when no id can."""
    digits = id_or_prefix.strip().replace("-", "").lower()
    if not 0 < len(digits) <= UUID_DIGITS or not set(digits) <= set(hexdigits):
        return None
    return UUID(digits.ljust(UUID_DIGITS, "0")), UUID(digits.ljust(UUID_DIGITS, "f"))


def alive(now: datetime) -> list[ColumnElement[bool]]:
    """Return the condition that a call has not expired; the day lets PostgreSQL skip whole partitions."""
    return [calls.c.expires_at > aware(now), calls.c.expiry_day >= now.astimezone(UTC).date()]


def conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    """Return the filter as SQL."""
    asked = alive(wanted.now)
    if wanted.number is not None:
        asked.append(with_number(wanted.number))
    if wanted.agent is not None:
        asked.append(calls.c.id.in_(select(participants.c.call_id).where(participants.c.name == wanted.agent)))
    if wanted.direction is not None:
        asked.append(calls.c.direction == wanted.direction.value)
    if wanted.since is not None:
        asked.append(calls.c.started_at >= wanted.since)
    if wanted.until is not None:
        asked.append(calls.c.started_at < wanted.until)
    return asked


def with_number(number: str) -> ColumnElement[bool]:
    """Return the condition that either party has ``number``; compared as text when it has no digit (a SIP user)."""
    digits = significant(number)
    if not digits:
        return or_(calls.c.caller == number, calls.c.callee == number)
    return or_(_same_line(calls.c.caller_digits, digits), _same_line(calls.c.callee_digits, digits))


def _same_line(kept: Column, digits: str) -> ColumnElement[bool]:
    ends_kept = kept.endswith(digits) if len(digits) >= SHORTEST else false()
    ends_asked = and_(func.length(kept) >= SHORTEST, literal(digits).endswith(kept))
    return or_(kept == digits, ends_kept, ends_asked)
