"""All SQL for calls and what hangs on them: recordings, participants, proofs of notice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from string import hexdigits
from uuid import UUID

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Row, Uuid, any_, func, literal, select

from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import NotFound, RegisterError
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import KEPT
from ami_bridge.register import partitions, rows
from ami_bridge.register.engine import POSTGRESQL, serialise
from ami_bridge.register.search import CallFilter, alive, statements, walk_indexes
from ami_bridge.register.tables import calls, notice_proofs, participants, recordings

RECORDED = frozenset({Reason.ANNOUNCED, Reason.NOTICE_NOT_REQUIRED})
"""The reasons for which a call may have recordings."""

BATCH = 500
"""Calls whose children are read with one statement; far below both databases' limits on parameters."""

UUID_DIGITS = 32


class Calls:
    """The calls, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry, entry_sha256: str) -> bool:
        """Register a finished call, whose sealed entry has the SHA-256 ``entry_sha256`` (hex).

        False, and nothing changed, when its id is registered already, on whatever day. RegisterError when the
        entry contradicts itself or a constraint.
        """
        wrong = contradiction(entry)
        if wrong:
            raise RegisterError(f"call {entry.id} cannot be registered: {wrong}", "Keep its ticket and audio; report it.")
        serialise(self._connection, int.from_bytes(entry.id.bytes[8:], "big", signed=True))
        partitions.prepare(self._connection, [entry.expiry_day])  # before any look at the tables, or a drop could deadlock
        if self.has(entry.id):
            return False
        self._connection.execute(calls.insert(), {**rows.call_values(entry), "entry_sha256": entry_sha256})
        for table, values in (
            (recordings, rows.recording_values(entry)),
            (participants, rows.participant_values(entry)),
            (notice_proofs, rows.notice_values(entry)),
        ):
            if values:
                self._connection.execute(table.insert(), values)
        return True

    def has(self, call: UUID) -> bool:
        """Tell whether a call is registered, on whatever day, expired or not."""
        return self._connection.execute(select(calls.c.id).where(calls.c.id == call).limit(1)).first() is not None

    def has_channel(self, exchange: str, uniqueid: str, near: datetime, within: timedelta) -> bool:
        """Tell whether a call of a channel that began ``within`` of a time is registered."""
        query = select(calls.c.id).where(*_same_channel(exchange, uniqueid, near, within))
        return self._connection.execute(query.limit(1)).first() is not None

    def has_sound_of(self, exchange: str, uniqueid: str, near: datetime, within: timedelta) -> bool:
        """Tell whether a call of a channel that began ``within`` of a time is registered with a recording."""
        same = _same_channel(exchange, uniqueid, near, within)
        kept = (recordings.c.call_id == calls.c.id, recordings.c.state.in_([state.value for state in KEPT]))
        query = select(calls.c.id).where(*same, select(recordings.c.call_id).where(*kept).exists())
        return self._connection.execute(query.limit(1)).first() is not None

    def find(self, wanted: CallFilter) -> list[Entry]:
        """Return the calls that fit, newest first; never one that has expired at ``wanted.now``."""
        found: dict[UUID, Row] = {}
        walk_indexes(self._connection)
        for statement in statements(wanted, self._connection):
            found |= {call.id: call for call in self._connection.execute(statement)}
        newest = sorted(found.values(), key=lambda call: (call.started_at, call.id), reverse=True)
        return self._whole(newest[: wanted.limit])

    def of_day(self, day: date, as_of: datetime) -> Iterator[tuple[Entry, str]]:
        """Yield every call of a day that has not expired at ``as_of``, with the SHA-256 of its sealed entry, by id."""
        last = UUID(int=0)
        while True:
            wanted = (calls.c.expiry_day == day, calls.c.id > last, calls.c.expires_at > as_of)
            found = self._connection.execute(select(calls).where(*wanted).order_by(calls.c.id).limit(BATCH)).all()
            if not found:
                return
            yield from zip(self._batch(found), (call.entry_sha256 for call in found), strict=True)
            last = found[-1].id

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

    def of_ids(self, ids: Iterable[UUID], now: datetime) -> list[Entry]:
        """Return those of some calls that are registered and have not expired."""
        wanted, found = list(ids), []
        for start in range(0, len(wanted), BATCH):
            asked = self._among(calls.c.id, wanted[start : start + BATCH])
            found += self._batch(self._connection.execute(select(calls).where(asked, *alive(now))).all())
        return found

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
        """Return the child rows by call.

        PostgreSQL is asked day by day, to look at one partition at a time; SQLite would walk through the day for it.
        """
        table, days = order.table, self._connection.dialect.name == POSTGRESQL
        by_day: dict[date | None, list[UUID]] = defaultdict(list)
        for call in found:
            by_day[call.expiry_day if days else None].append(call.id)
        children: dict[UUID, list[Row]] = defaultdict(list)
        for day, ids in by_day.items():
            of_day = [table.c.expiry_day == day] if day else []
            query = select(table).where(*of_day, self._among(table.c.call_id, ids)).order_by(order)
            for row in self._connection.execute(query):
                children[row.call_id].append(row)
        return children

    def _among(self, column: Column, ids: list[UUID]) -> ColumnElement[bool]:
        """Return the condition that a column is one of ``ids``; on PostgreSQL in words that do not change with their number.

        Only then does its driver prepare the statement, and to plan one over many partitions costs more than to run it.
        """
        if self._connection.dialect.name == POSTGRESQL:
            return column == any_(literal(ids, ARRAY(Uuid)))
        return column.in_(ids)


def _same_channel(exchange: str, uniqueid: str, near: datetime, within: timedelta) -> list[ColumnElement[bool]]:
    return [calls.c.started_at.between(near - within, near + within), calls.c.exchange == exchange,
            calls.c.uniqueid == uniqueid]


def contradiction(entry: Entry) -> str:
    """Return what is wrong with an entry that no constraint of a single row can see; empty when nothing is."""
    if entry.recordings and entry.reason not in RECORDED:
        return f"it has a recording but was not to be recorded ({entry.reason})"
    kept = any(recording.state in KEPT for recording in entry.recordings)
    if kept and entry.reason is Reason.ANNOUNCED and entry.notice is None:
        return "its audio was kept without proof that the notice was heard"
    return ""


def id_span(id_or_prefix: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last id that begin so; None when no id can."""
    digits = id_or_prefix.strip().replace("-", "").lower()
    if not 0 < len(digits) <= UUID_DIGITS or not set(digits) <= set(hexdigits):
        return None
    return UUID(digits.ljust(UUID_DIGITS, "0")), UUID(digits.ljust(UUID_DIGITS, "f"))
