"""All SQL of what leaves."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from ami_bridge.core.disclosures import Disclosure, HandedOut, Kind
from ami_bridge.register.release_tables import disclosures, hand_outs


class Disclosures:
    """The register of disclosures, within one transaction. Entries are only ever added, and forgotten in their time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, disclosure: Disclosure) -> None:
        """Add what is proposed to leave."""
        self._connection.execute(disclosures.insert(), asdict(disclosure))

    def get(self, disclosure: UUID) -> Disclosure | None:
        """Return the disclosure with an id."""
        return next(iter(self._found(disclosures.c.id == disclosure)), None)

    def all(self) -> list[Disclosure]:
        """Return every disclosure, the newest first."""
        return self._found()

    def of_request(self, request: UUID) -> list[Disclosure]:
        """Return the copies that belong to a data-subject request, the newest first."""
        return self._found(disclosures.c.request == request)

    def hand_out(self, disclosure: UUID, file: HandedOut) -> None:
        """Note that a file leaves, before it does."""
        self._connection.execute(hand_outs.insert(), {"disclosure": disclosure, **asdict(file)})

    def handed_out(self, which: Iterable[UUID]) -> Mapping[UUID, Sequence[HandedOut]]:
        """Return the files that left of some disclosures, the first one first."""
        found: dict[UUID, list[HandedOut]] = defaultdict(list)
        query = select(hand_outs).where(hand_outs.c.disclosure.in_(list(which))).order_by(hand_outs.c.at)
        for row in self._connection.execute(query):
            found[row.disclosure].append(HandedOut(row.at, row.sha256))
        return found

    def forget(self, before: datetime) -> int:
        """Delete what was proposed to leave before, and what left of it; return how many entries."""
        old = disclosures.c.made_at < before
        self._connection.execute(hand_outs.delete().where(hand_outs.c.disclosure.in_(select(disclosures.c.id).where(old))))
        return self._connection.execute(disclosures.delete().where(old)).rowcount

    def _found(self, *asked: ColumnElement[bool]) -> list[Disclosure]:
        query = select(disclosures).where(*asked).order_by(disclosures.c.made_at.desc(), disclosures.c.id.desc())
        return [Disclosure(**row._asdict() | {"kind": Kind(row.kind)}) for row in self._connection.execute(query)]
