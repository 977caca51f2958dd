"""How things stand, and whether the notice is kept, as those read it who watch over it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import By, Detail
from ami_bridge.core.promises import Line, all_kept
from ami_bridge.services.rights import Rights
from ami_bridge.services.status import Standing, look

Examine = Callable[[datetime], list[Line]]
"""The self-check of the notice at some time (``services.promises.examine``)."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a self-check found, and when."""

    at: datetime
    lines: list[Line]

    @property
    def kept(self) -> bool:
        """Tell whether no promise is seen to be broken."""
        return all_kept(self.lines)


class HealthReading:
    """Looks how things stand on behalf of who is signed in; each look is recorded. Blocking. Refused."""

    def __init__(self, config: Config, rights: Rights, now: Callable[[], datetime]) -> None:
        self._config, self._rights, self._now = config, rights, now

    def standing(self) -> Standing:
        """Return how things stand."""
        self._rights.require(Action.HEALTH_VIEWED)
        with self._rights.trail.looking(Action.HEALTH_VIEWED) as trace:
            standing = look(self._config, self._now())
            trace.detail[Detail.FOUND] = len(standing.alarms)
        return standing

    def examine(self, examine: Examine) -> Examined:
        """Return clause by clause whether the notice is kept. That may take a minute."""
        self._rights.require(Action.HEALTH_VIEWED)
        with self._rights.trail.looking(Action.HEALTH_VIEWED) as trace:
            now = self._now()
            examined = Examined(now, examine(now))
            trace.detail |= {Detail.BY: By.NOTICE.value, Detail.VERDICT: "kept" if examined.kept else "not-kept"}
        return examined
