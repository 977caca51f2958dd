"""All SQL that counts calls, for whoever watches: no number and no name comes out."""

from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import State
from ami_bridge.register.tables import calls, recordings


class Tallies:
    """Counts, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def calls(self, exchange: str, since: datetime) -> dict[tuple[Reason, State], int]:
        """Return how many calls of an exchange began at ``since`` or later (aware), by reason and state."""
        its_first = and_(recordings.c.expiry_day == calls.c.expiry_day, recordings.c.call_id == calls.c.id,
                         recordings.c.segment == 1)
        both = (calls.c.reason, recordings.c.state)
        query = select(*both, func.count()).select_from(calls.outerjoin(recordings, its_first)).group_by(*both)
        found = self._connection.execute(query.where(calls.c.exchange == exchange, calls.c.started_at >= since))
        return {(Reason(reason), State(state or State.UNANNOUNCED)): count for reason, state, count in found}
