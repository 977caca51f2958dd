"""All SQL for findings."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.register.tables import findings

BATCH = 500


class Findings:
    """What was found amiss, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, finding: Finding) -> bool:
        """Keep a finding; False when it was found before."""
        same = (findings.c.exchange == finding.exchange, findings.c.kind == finding.kind.value,
                findings.c.subject == finding.subject)
        if self._connection.execute(select(findings.c.id).where(*same)).first():
            return False
        self._connection.execute(findings.insert(), asdict(finding))
        return True

    def since(self, first: datetime) -> list[Finding]:
        """Return what was found from ``first`` on, oldest first."""
        query = select(findings).where(findings.c.found_at >= first).order_by(findings.c.found_at, findings.c.id)
        return [_finding(row) for row in self._connection.execute(query)]

    def counts(self, first: datetime) -> dict[Kind, int]:
        """Return how many of each kind were found from ``first`` on."""
        query = select(findings.c.kind, func.count()).where(findings.c.found_at >= first).group_by(findings.c.kind)
        return {Kind(kind): count for kind, count in self._connection.execute(query)}

    def of_calls(self, calls: Iterable[UUID]) -> list[Finding]:
        """Return what was found amiss with some calls, oldest first."""
        ids, found = list(calls), []
        for start in range(0, len(ids), BATCH):
            query = select(findings).where(findings.c.call.in_(ids[start:start + BATCH]))
            found += [_finding(row) for row in self._connection.execute(query.order_by(findings.c.found_at))]
        return found

    def forget(self, born: datetime) -> int:
        """Delete what was found at or before ``born``; return how many."""
        return self._connection.execute(findings.delete().where(findings.c.found_at <= born)).rowcount


def _finding(row: Row) -> Finding:
    return Finding(**row._asdict() | {"kind": Kind(row.kind), "outcome": Outcome(row.outcome)})
