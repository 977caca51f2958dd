"""The report: gaps and findings on their way into the register. Each is said in the log at once, and kept when it can be."""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import RLock
from uuid import UUID

from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.register import Register, RegisterUnavailable

log = logging.getLogger(__name__)

MOST = 10_000
"""How many findings are kept in mind while the register is away; more only stand in the log."""

LATELY = timedelta(days=7)
"""How old a finding may be that a new daemon still has in mind; older ones the register alone keeps from coming twice."""


class Report:
    """What is to be kept of gaps and findings. For any thread. ``on_finding`` is called for each that is new."""

    def __init__(self, register: Register, exchange: str, now: Callable[[], datetime], new_id: Callable[[datetime], UUID],
                 on_finding: Callable[[], None] = lambda: None) -> None:
        self._register, self._exchange, self._now, self._new_id = register, exchange, now, new_id
        self._on_finding = on_finding
        self._known: dict[tuple[Kind, str], None] = {}
        self._findings: list[Finding] = []
        self._gaps: dict[UUID, Gap] = {}
        self._standing: dict[UUID, Gap] = {}
        self._alone = RLock()
        self.begun: Counter[Cause] = Counter(dict.fromkeys(Cause, 0))
        """How many gaps of each cause have begun since the start."""

    @property
    def gaps(self) -> list[Gap]:
        """Return the gaps that last."""
        return list(self._standing.values())

    def resume(self) -> datetime | None:
        """Take up the gaps that a former daemon left open, and what it found; return when the first gap began."""
        with self._register.reading() as work:
            left = work.gaps.open(self._exchange)
            found = work.findings.since(self._now() - LATELY)
        with self._alone:
            self._known |= {(one.kind, one.subject): None for one in found[-MOST:]}
            self._standing |= {gap.id: gap for gap in left}
        return left[0].began_at if left else None

    def begin(self, cause: Cause, at: datetime) -> None:
        """Begin a gap, unless one of that cause lasts already."""
        gap = Gap(id=self._new_id(self._now()), exchange=self._exchange, cause=cause, began_at=at)
        with self._alone:
            if any(one.cause is cause for one in self._standing.values()):
                return
            self._standing[gap.id] = self._gaps[gap.id] = gap
            self.begun[cause] += 1
        log.warning("A gap begins: what the exchange does is not heard",
                    extra={"action": "gap_begins", "reason": str(cause)})

    def end(self, at: datetime) -> None:
        """End all gaps: everything was compared again."""
        with self._alone:
            over = list(self._standing.values())
            self._gaps |= {gap.id: replace(gap, ended_at=max(at, gap.began_at)) for gap in over}
            self._standing.clear()
        for gap in over:
            log.warning("A gap is over, and all was compared: %d s", (at - gap.began_at).total_seconds(),
                        extra={"action": "gap_over", "reason": str(gap.cause)})

    def note(self, kind: Kind, subject: str, outcome: Outcome, at: datetime, call: UUID | None = None) -> None:
        """Note a finding, once. ``subject`` names no person."""
        now = self._now()
        found = Finding(id=self._new_id(now), exchange=self._exchange, kind=kind, subject=subject, call=call,
                        outcome=outcome, at=at, found_at=now)
        with self._alone:
            if (kind, subject) in self._known:
                return
            if len(self._known) >= MOST:
                self._known.pop(next(iter(self._known)))
            self._known[kind, subject] = None
            if len(self._findings) < MOST:
                self._findings.append(found)
        say(found)
        self._on_finding()

    def save(self) -> None:
        """Keep what is not in the register yet; what cannot be kept now waits for the next time."""
        with self._alone:
            if not self._findings and not self._gaps:
                return
            with suppress(RegisterUnavailable):
                with self._register.writing() as work:
                    for gap in self._gaps.values():
                        work.gaps.keep(gap)
                    for finding in self._findings:
                        work.findings.add(finding)
                self._gaps.clear()
                self._findings.clear()


def say(finding: Finding) -> None:
    """Say a finding in the log."""
    level = logging.WARNING if finding.outcome is Outcome.ADOPTED else logging.ERROR
    log.log(level, "Found amiss: %s", finding.kind,
            extra={"action": "finding", "reason": str(finding.outcome), "call": str(finding.call or "")})
