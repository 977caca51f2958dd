"""What is to be said of a call beside its entry: the gap it fell into, and what was found amiss with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ami_bridge.core.entries import Entry
from ami_bridge.core.findings import Kind
from ami_bridge.core.gaps import touched
from ami_bridge.register.register import Work


@dataclass(frozen=True, slots=True)
class Remarked:
    """A call, whether it fell into a gap (agents and times may be missing), and what was found amiss with it."""

    entry: Entry
    gap: bool
    findings: tuple[Kind, ...]

    @property
    def amiss(self) -> str:
        """Return all of it in a few words; empty when nothing is amiss."""
        return ", ".join([*(["gap"] if self.gap else []), *map(str, self.findings)])


def remarked(work: Work, entries: Sequence[Entry]) -> list[Remarked]:
    """Return the calls with what is to be said of each."""
    if not entries:
        return []
    gaps = work.gaps.between(min(entry.started_at for entry in entries), max(entry.ended_at for entry in entries))
    found = work.findings.of_calls(entry.id for entry in entries)
    return [Remarked(entry, bool(touched(entry, gaps)), tuple(one.kind for one in found if one.call == entry.id))
            for entry in entries]
