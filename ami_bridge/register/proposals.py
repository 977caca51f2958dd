"""All SQL of what one proposes and another approves."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from ami_bridge.core.actions import Action
from ami_bridge.core.proposals import Proposal
from ami_bridge.register.engine import serialise
from ami_bridge.register.release_tables import proposals

WRITING = 0x70726F706F736573


class Proposals:
    """The proposals, within one transaction. To change one, ``lock`` first: then what is read stays so until the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self) -> None:
        """Wait until nobody else changes proposals, and keep it so to the end of this transaction."""
        serialise(self._connection, WRITING)

    def add(self, proposal: Proposal) -> None:
        """Add a proposal."""
        self._connection.execute(proposals.insert(), asdict(proposal))

    def get(self, proposal: UUID) -> Proposal | None:
        """Return the proposal with an id."""
        return next(iter(self._found(proposals.c.id == proposal)), None)

    def since(self, then: datetime) -> list[Proposal]:
        """Return the proposals made then or later, the newest first."""
        return self._found(proposals.c.made_at >= then)

    def of(self, action: Action, *objects: str) -> list[Proposal]:
        """Return the proposals of an action on some objects, the newest first."""
        return self._found(proposals.c.action == action.value, proposals.c.object.in_(objects))

    def approve(self, proposal: UUID, by: str, at: datetime) -> None:
        """Note who agreed."""
        self._change(proposal, approved_by=by, approved_at=at)

    def decline(self, proposal: UUID, by: str, at: datetime) -> None:
        """Note who did not agree, or took it back."""
        self._change(proposal, declined_by=by, declined_at=at)

    def done(self, proposal: UUID, at: datetime) -> None:
        """Note that it was done."""
        self._change(proposal, done_at=at)

    def forget(self, before: datetime) -> int:
        """Delete the proposals that were made before; return how many."""
        return self._connection.execute(proposals.delete().where(proposals.c.made_at < before)).rowcount

    def _change(self, proposal: UUID, **values: object) -> None:
        self._connection.execute(proposals.update().where(proposals.c.id == proposal).values(values))

    def _found(self, *asked: ColumnElement[bool]) -> list[Proposal]:
        query = select(proposals).where(*asked).order_by(proposals.c.made_at.desc(), proposals.c.id.desc())
        return [Proposal(**row._asdict() | {"action": Action(row.action)}) for row in self._connection.execute(query)]
