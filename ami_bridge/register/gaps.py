"""All SQL for gaps."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, Row, or_, select

from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.register.tables import gaps


class Gaps:
    """The times in which nothing was heard, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, gap: Gap) -> None:
        """Add a gap, or its end. May be repeated."""
        ended = gaps.update().where(gaps.c.id == gap.id).values(ended_at=gap.ended_at)
        if not self._connection.execute(ended).rowcount:
            self._connection.execute(gaps.insert(), asdict(gap))

    def between(self, first: datetime, last: datetime) -> list[Gap]:
        """Return the gaps that touch a span of time, oldest first."""
        query = select(gaps).where(gaps.c.began_at <= last, or_(gaps.c.ended_at.is_(None), gaps.c.ended_at >= first))
        return [_gap(row) for row in self._connection.execute(query.order_by(gaps.c.began_at))]

    def open(self, exchange: str) -> list[Gap]:
        """Return the gaps of an exchange that have no end."""
        query = select(gaps).where(gaps.c.exchange == exchange, gaps.c.ended_at.is_(None)).order_by(gaps.c.began_at)
        return [_gap(row) for row in self._connection.execute(query)]

    def forget(self, born: datetime) -> int:
        """Delete what ended at or before ``born``; return how many."""
        return self._connection.execute(gaps.delete().where(gaps.c.ended_at <= born)).rowcount


def _gap(row: Row) -> Gap:
    return Gap(**row._asdict() | {"cause": Cause(row.cause)})
