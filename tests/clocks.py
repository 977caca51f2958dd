"""Clocks for tests that let time pass."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from ami_bridge.core.clock import Clock


def clock_at(now: datetime) -> Callable[[], Clock]:
    """Return a synchronised clock that stands still, of a machine that was just started."""
    return lambda: Clock(now, str(uuid4()), 60.0, synchronised=True)
