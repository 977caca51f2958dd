"""What the console itself alarms of, by the ways that are configured."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from ami_bridge.core.alarms import Alarm, Name, tidings
from ami_bridge.services.alarm import Telling


class Told:
    """The console's alarms: each is told when it begins, and again every day that it lasts. For one event loop."""

    def __init__(self, telling: Telling, now: Callable[[], datetime]) -> None:
        self._telling, self._now = telling, now
        self._standing: dict[Name, Alarm] = {}
        self._told: Mapping[Name, datetime] = {}

    def put_up(self, alarm: Alarm) -> None:
        """Raise an alarm."""
        self._standing[alarm.name] = alarm
        self._tell()

    def take_down(self, name: Name) -> None:
        """End an alarm."""
        self._standing.pop(name, None)
        self._tell()

    def _tell(self) -> None:
        found = tidings(self._standing.values(), self._told, self._now())
        self._told = found.told
        for name in found.ended:
            self._telling.ended(name)
        for alarm in found.tell:
            self._telling.log(alarm)
            asyncio.get_running_loop().run_in_executor(None, self._telling.send, alarm)
