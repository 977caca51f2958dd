"""All SQL of the trail. One writer at a time; entries are only ever added, and forgotten from the oldest on."""

import json
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, func, select

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import NOTHING, AuditEntry, Head, Link, Trace, as_text, canonical, linked
from ami_bridge.core.audit_check import Place, Unreadable
from ami_bridge.register.engine import serialise
from ami_bridge.register.trail_tables import audit_checkpoints, audit_entries

WRITING = 0x6175646974000000
BATCH = 5000
"""Rows that are read, or forgotten, at once."""


class Audit:
    """The trail, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def leave(self, trace: Trace, at: datetime) -> Link:
        """Add an entry; return it. It waits for whoever else writes, and holds them off until the end of the transaction."""
        serialise(self._connection, WRITING)
        link = linked(trace, at, self.head())
        self._connection.execute(audit_entries.insert(), _values(link))
        return link

    def head(self) -> Head:
        """Return the end of the chain."""
        query = select(audit_entries.c.number, audit_entries.c.digest, audit_entries.c.at)
        row = self._connection.execute(query.order_by(audit_entries.c.number.desc()).limit(1)).first()
        return Head(number=row.number, digest=row.digest, at=_instant(row.at)) if row else self.checkpoint()[0]

    def digest(self, number: int) -> str | None:
        """Return the digest of one entry; None when it is not there."""
        return self._connection.execute(select(audit_entries.c.digest).where(audit_entries.c.number == number)).scalar()

    def oldest(self) -> datetime | None:
        """Return when the oldest entry that is kept was made; None when there is none."""
        at = self._connection.execute(select(audit_entries.c.at).order_by(audit_entries.c.number).limit(1)).scalar()
        return _instant(at) if at else None

    def latest(self, action: Action) -> datetime | None:
        """Return when the latest entry of an action was made; None when there is none."""
        query = select(audit_entries.c.at).where(audit_entries.c.action == action.value)
        at = self._connection.execute(query.order_by(audit_entries.c.number.desc()).limit(1)).scalar()
        return _instant(at) if at else None

    def checkpoint(self) -> tuple[Head, str]:
        """Return the last entry that was forgotten, and the signature (hex) of that; ``NOTHING`` when none was."""
        query = select(audit_checkpoints).order_by(audit_checkpoints.c.number.desc()).limit(1)
        row = self._connection.execute(query).first()
        return (Head(number=row.number, digest=row.digest, at=row.at), row.signature) if row else (NOTHING, "")

    def places(self) -> Iterator[Place]:
        """Yield every place of the chain by number; what is no entry any more is told as such."""
        after = -1
        while rows := self._rows(audit_entries.c.number > after, BATCH):
            yield from map(_place, rows)
            after = rows[-1].number

    def find(self, since: datetime | None = None, until: datetime | None = None, actor: str = "",
             limit: int = 1000) -> list[Place]:
        """Return the newest so many places from ``since`` on and before ``until``, by one actor or all; oldest first."""
        asked = [*([audit_entries.c.at >= as_text(since)] if since else ()),
                 *([audit_entries.c.at < as_text(until)] if until else ()),
                 *([audit_entries.c.actor == actor] if actor else ())]
        query = select(audit_entries).where(*asked).order_by(audit_entries.c.number.desc()).limit(limit)
        return [_place(row) for row in self._connection.execute(query)][::-1]

    def of_object(self, object: str, limit: int) -> list[Place]:
        """Return the newest so many places about one object (an id), oldest first."""
        asked = select(audit_entries).where(audit_entries.c.object == object)
        query = asked.order_by(audit_entries.c.number.desc()).limit(limit)
        return [_place(row) for row in self._connection.execute(query)][::-1]

    def older(self, than: datetime) -> Head | None:
        """Return the last entry of those that may be forgotten: all up to it are of ``than`` or before. Never the newest."""
        number, at = audit_entries.c.number, audit_entries.c.at
        younger = select(func.min(number)).where(at > as_text(than)).scalar_subquery()
        newest = select(func.max(number)).scalar_subquery()
        query = select(number, audit_entries.c.digest).where(number < func.coalesce(younger, newest), number < newest)
        row = self._connection.execute(query.order_by(number.desc()).limit(1)).first()
        return Head(number=row.number, digest=row.digest, at=than) if row else None

    def forget(self, checkpoint: Head, signature: str) -> int:
        """Delete what is at or before a signed checkpoint, in this one transaction; return how many."""
        serialise(self._connection, WRITING)
        self._connection.execute(audit_checkpoints.insert().values(
            number=checkpoint.number, digest=checkpoint.digest, at=checkpoint.at, signature=signature))
        return self._connection.execute(audit_entries.delete().where(audit_entries.c.number <= checkpoint.number)).rowcount

    def _rows(self, asked: ColumnElement[bool], limit: int) -> list[Row]:
        query = select(audit_entries).where(asked).order_by(audit_entries.c.number).limit(limit)
        return list(self._connection.execute(query))


def _values(link: Link) -> dict[str, object]:
    entry = link.entry
    return {"number": entry.number, "at": as_text(entry.at), "actor": entry.actor, "action": entry.action,
            "object": entry.object, "purpose": entry.purpose, "outcome": entry.outcome, "reason": entry.reason,
            "detail": canonical(entry.detail).decode(), "previous": link.previous, "digest": link.digest}


def _place(row: Row) -> Place:
    """Return the entry in a row; unreadable when it has not exactly the form in which it is written."""
    try:
        entry = AuditEntry(number=row.number, at=datetime.fromisoformat(row.at), actor=row.actor, action=row.action,
                           object=row.object, purpose=row.purpose, outcome=row.outcome, reason=row.reason,
                           detail=json.loads(row.detail))
        link = Link(entry, row.previous, row.digest)
        return link if _values(link) == row._asdict() else Unreadable(row.number)
    except (ValueError, TypeError, AttributeError):
        return Unreadable(row.number)


def _instant(text: str) -> datetime:
    """Return when the last entry was; the beginning of time where somebody wrote something else there."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else NOTHING.at
    except ValueError:
        return NOTHING.at
