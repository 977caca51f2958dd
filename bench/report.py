"""What a benchmark found, as one line: our figure, the peer's, the ratio, and whether it is what was wanted."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import NamedTuple

PEERS = ("panoramisk", "pyst2", "sqlalchemy")


class Figure(NamedTuple):
    """The median of several runs, and how far apart they lay, as a share of it."""

    value: float
    spread: float = 0.0

    @classmethod
    def of(cls, runs: Sequence[float]) -> "Figure":
        """Return the figure of some runs of the same thing."""
        middle = statistics.median(runs)
        return cls(middle, (max(runs) - min(runs)) / middle if middle else 0.0)

    def __str__(self) -> str:
        digits = 0 if self.value >= 1000 else 1 if self.value >= 10 else 3
        return f"{self.value:,.{digits}f}" + (f" (±{self.spread / 2:.0%})" if self.spread else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Ours and a peer's figure for the same thing. ``wanted``: the ratio we promise, None where there is no promise."""

    name: str
    unit: str
    ours: Figure
    peer_name: str
    peer: Figure
    wanted: float | None = None
    remark: str = ""

    @property
    def ratio(self) -> float:
        """Return how many times the peer's figure ours is."""
        return self.ours.value / self.peer.value if self.peer.value else float("inf")

    def __str__(self) -> str:
        found = f"{self.name}: ours {self.ours}, {self.peer_name} {self.peer} {self.unit}; ratio {self.ratio:.2f}"
        return found + _judged(self.wanted, self.ratio, ">=") + (f"; {self.remark}" if self.remark else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A figure of ours that must stay under ``wanted`` (None: no promise)."""

    name: str
    unit: str
    ours: Figure
    wanted: float | None = None
    remark: str = ""

    def __str__(self) -> str:
        found = f"{self.name}: ours {self.ours} {self.unit}{_judged(self.wanted, self.ours.value, '<')}"
        return found + (f"; {self.remark}" if self.remark else "")


Finding = Comparison | Limit


def _judged(wanted: float | None, found: float, sign: str) -> str:
    if wanted is None:
        return ""
    met = found >= wanted if sign == ">=" else found < wanted
    return f" (wanted {sign} {wanted:g}: {'met' if met else 'NOT MET'})"


def heading() -> str:
    """Return when and on what this ran."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in PEERS)
    load = os.getloadavg()[0]
    return (f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {memory:.0f} GiB, load {load:.1f}, "
            f"Python {platform.python_version()}, {libraries}")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
