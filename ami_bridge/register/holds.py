"""All SQL for holds."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from ami_bridge.core.errors import NotFound
from ami_bridge.core.holds import Hold
from ami_bridge.register.calls import id_span
from ami_bridge.register.request_tables import request_calls
from ami_bridge.register.tables import holds


class Holds:
    """The holds, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, hold: Hold) -> None:
        """Place a hold whose copy of the call is complete in the vault. RegisterError when its id is taken."""
        self._connection.execute(holds.insert(), asdict(hold))

    def all(self) -> list[Hold]:
        """Return every hold, the one that ends first first."""
        return self._found()

    def of_call(self, call: UUID) -> list[Hold]:
        """Return the holds on one call."""
        return self._found(holds.c.call == call)

    def of_request(self, request: UUID) -> list[Hold]:
        """Return the holds by which a caller's request freezes what was found for it."""
        return self._found(holds.c.id.in_(select(request_calls.c.hold).where(request_calls.c.request == request)))

    def on(self, calls: Sequence[UUID], now: datetime) -> frozenset[UUID]:
        """Return which of some calls (not more than a page of them) are held at ``now``."""
        active = (holds.c.released_at.is_(None), holds.c.until > now)
        return frozenset(self._connection.execute(select(holds.c.call).where(holds.c.call.in_(calls), *active)).scalars())

    def get(self, id_or_prefix: str) -> Hold | None:
        """Return the hold whose id begins so; NotFound when there are several."""
        span = id_span(id_or_prefix)
        found = self._found(holds.c.id.between(*span)) if span else []
        if len(found) > 1:
            raise NotFound("the id is ambiguous: several holds begin so", "Give more of its digits.")
        return found[0] if found else None

    def release(self, hold: UUID, at: datetime, by: str) -> None:
        """Note that a hold was released, once."""
        change = holds.update().where(holds.c.id == hold, holds.c.released_at.is_(None))
        self._connection.execute(change.values(released_at=at, released_by=by))

    def remove(self, hold: UUID) -> None:
        """Forget a hold whose copy is destroyed."""
        self._connection.execute(holds.delete().where(holds.c.id == hold))

    def _found(self, *asked: ColumnElement[bool]) -> list[Hold]:
        query = select(holds).where(*asked).order_by(holds.c.until, holds.c.id)
        return [Hold(**row._asdict()) for row in self._connection.execute(query)]
