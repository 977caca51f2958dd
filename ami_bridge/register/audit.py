"""All SQL of the trail. One writer at a time; entries are only ever added, and forgotten from the oldest on."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, func, select

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import NOTHING, AuditEntry, Head, Link, Outcome, Trace, as_text, canonical, linked
from ami_bridge.core.audit_check import Place, Unreadable
from ami_bridge.core.proposals import ACCOUNT
from ami_bridge.register.engine import serialise
from ami_bridge.register.guards import TRAIL, unguarded
from ami_bridge.register.trail_tables import audit_checkpoints, audit_entries

WRITING = 0x6175646974000000
BATCH = 5000
"""Places that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which entries are wanted: from ``since`` on and before ``until`` (aware), of one actor, action, object, outcome
    (empty: any), with numbers smaller than ``before`` (0: any), and how many at the most.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    action: str = ""
    object: str = ""
    outcome: str = ""
    before: int = 0
    limit: int = 1000


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
        at = self._latest(audit_entries.c.at, action)
        return _instant(at) if at else None

    def counted(self, actions: Iterable[Action]) -> dict[tuple[bool, str], int]:
        """Count what was allowed of some actions, by whether a personal account did it, and by purpose."""
        own = audit_entries.c.actor.like(f"{ACCOUNT}%").label("own")
        query = select(own, audit_entries.c.purpose, func.count().label("entries")).where(*_allowed(actions))
        rows = self._connection.execute(query.group_by("own", audit_entries.c.purpose))
        return {(bool(row.own), row.purpose): row.entries for row in rows}

    def objects(self, actions: Iterable[Action]) -> dict[tuple[str, str], int]:
        """Count what was allowed of some actions, by action and object."""
        named = (audit_entries.c.action, audit_entries.c.object)
        query = select(*named, func.count().label("entries")).where(*_allowed(actions)).group_by(*named)
        return {(row.action, row.object): row.entries for row in self._connection.execute(query)}

    def latest_object(self, action: Action) -> str:
        """Return the object of the latest entry of an action; empty when there is none."""
        return self._latest(audit_entries.c.object, action) or ""

    def last_by(self, action: Action, object: str) -> str:
        """Return the actor of the latest entry that allowed an action on an object; empty when there is none."""
        query = select(audit_entries.c.actor).where(audit_entries.c.object == object, *_allowed([action]))
        return self._connection.execute(query.order_by(audit_entries.c.number.desc()).limit(1)).scalar() or ""

    def last_at(self, actions: Iterable[Action], object: str) -> datetime | None:
        """Return when the latest entry was made that allowed one of some actions on an object; None when there is none."""
        query = select(audit_entries.c.at).where(audit_entries.c.object == object, *_allowed(actions))
        at = self._connection.execute(query.order_by(audit_entries.c.number.desc()).limit(1)).scalar()
        return _instant(at) if at else None

    def checkpoint(self) -> tuple[Head, str]:
        """Return the last entry that was forgotten, and the signature (hex) of that; ``NOTHING`` when none was."""
        query = select(audit_checkpoints).order_by(audit_checkpoints.c.number.desc()).limit(1)
        row = self._connection.execute(query).first()
        return (Head(number=row.number, digest=row.digest, at=row.at), row.signature) if row else (NOTHING, "")

    def places(self, after: int = -1, wanted: TrailFilter | None = None) -> list[Place]:
        """Return the next so many places of the chain (``BATCH``) after a number, of those that are ``wanted`` (its limit is
        not asked); what is no entry any more is told as such.
        """
        number = audit_entries.c.number
        asked = (number > after, *(_asked(wanted) if wanted else ()))
        rows = self._connection.execute(select(audit_entries).where(*asked).order_by(number).limit(BATCH))
        return [_place(row) for row in rows]

    def count(self, wanted: TrailFilter) -> int:
        """Return how many places are wanted, whatever the limit."""
        query = select(func.count()).select_from(audit_entries).where(*_asked(wanted))
        return self._connection.execute(query).scalar() or 0

    def find(self, wanted: TrailFilter) -> list[Place]:
        """Return the newest so many places that are wanted, newest first."""
        query = select(audit_entries).where(*_asked(wanted)).order_by(audit_entries.c.number.desc()).limit(wanted.limit)
        return [_place(row) for row in self._connection.execute(query)]

    def of_object(self, object: str, limit: int) -> list[Place]:
        """Return the newest so many places about one object (an id), oldest first."""
        asked = select(audit_entries).where(audit_entries.c.object == object)
        query = asked.order_by(audit_entries.c.number.desc()).limit(limit)
        return [_place(row) for row in self._connection.execute(query)][::-1]

    def unguarded(self) -> tuple[str, ...]:
        """Return the names of the trail's guards that are missing, switched off, or not as we make them."""
        return tuple(name for name in unguarded(self._connection) if name.startswith(TRAIL))

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

    def _latest(self, column: ColumnElement[str], action: Action) -> str | None:
        query = select(column).where(audit_entries.c.action == action.value)
        return self._connection.execute(query.order_by(audit_entries.c.number.desc()).limit(1)).scalar()


def _allowed(actions: Iterable[Action]) -> tuple[ColumnElement[bool], ...]:
    words = [action.value for action in actions]
    return audit_entries.c.action.in_(words), audit_entries.c.outcome == Outcome.ALLOWED.value


def _asked(wanted: TrailFilter) -> list[ColumnElement[bool]]:
    column = audit_entries.c
    return [condition for given, condition in (
        (wanted.since, column.at >= as_text(wanted.since or NOTHING.at)),
        (wanted.until, column.at < as_text(wanted.until or NOTHING.at)), (wanted.actor, column.actor == wanted.actor),
        (wanted.action, column.action == wanted.action), (wanted.object, column.object == wanted.object),
        (wanted.outcome, column.outcome == wanted.outcome),
        (wanted.before, column.number < wanted.before)) if given]


def _values(link: Link) -> dict[str, object]:
    entry = link.entry
    return {"number": entry.number, "at": as_text(entry.at), "actor": entry.actor, "action": entry.action,
            "object": entry.object, "purpose": entry.purpose, "outcome": entry.outcome, "reason": entry.reason,
            "detail": canonical(entry.detail).decode(), "previous": link.previous, "digest": link.digest}


def _place(row: Row) -> Place:
    """Return the entry in a row; unreadable when it has not exactly the form in which it is written."""
    number, at, actor, action, object, purpose, outcome, reason, detail, previous, digest = row
    try:
        entry = AuditEntry(number=number, at=datetime.fromisoformat(at), actor=actor, action=action, object=object,
                           purpose=purpose, outcome=outcome, reason=reason, detail=json.loads(detail))
        written = (as_text(entry.at), canonical(entry.detail).decode()) == (at, detail)
    except (ValueError, TypeError, AttributeError):
        return Unreadable(number)
    texts = isinstance(entry.detail, dict) and all(type(value) is str for value in row[1:])
    return Link(entry, previous, digest) if texts and written else Unreadable(number)


def _instant(text: str) -> datetime:
    """Return when the last entry was; the beginning of time where somebody wrote something else there."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else NOTHING.at
    except ValueError:
        return NOTHING.at
