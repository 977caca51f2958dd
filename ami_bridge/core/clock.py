"""Whether the clock can be trusted to destroy by. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ami_bridge.core.destructions import Run

MOVED = timedelta(minutes=5)
LOOK = "Look at the clock (timedatectl). When it is right, go on with 'ami-bridge purge --accept-clock'."


@dataclass(frozen=True, slots=True)
class Clock:
    """One reading: the time, which start of the machine it is of, seconds since then, and what the kernel thinks of it.

    ``synchronised`` is None where that cannot be told.
    """

    now: datetime
    boot: str
    since_boot: float
    synchronised: bool | None


def distrust(clock: Clock, last: Run | None, newest_end: datetime | None, *, must_be_synchronised: bool) -> str | None:
    """Return why nothing should be destroyed by this clock, or None. ``newest_end``: when the last registered call ended."""
    if must_be_synchronised and clock.synchronised is False:
        return "the kernel says that the clock is not synchronised"
    if newest_end is not None and clock.now < newest_end:
        return "the clock is earlier than the end of a call that is registered"
    if last is None:
        return None
    if clock.now < last.finished_at:
        return "the clock is earlier than at the last run"
    if clock.boot == last.boot:
        by_clock = clock.now - last.finished_at
        if abs(by_clock - timedelta(seconds=clock.since_boot - last.since_boot)) > MOVED:
            return "the clock was moved by more than five minutes since the last run"
    return None
