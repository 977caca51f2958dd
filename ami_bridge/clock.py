"""The machine's clock, and what the kernel thinks of it.

Source: Linux ``adjtimex(2)`` (TIME_ERROR: not synchronised), ``clock_gettime(2)`` (CLOCK_BOOTTIME), ``random(4)`` (boot_id).
"""

import ctypes
import time
from datetime import UTC, datetime
from pathlib import Path

from ami_bridge.core.clock import Clock

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_ERROR = 5
STRUCT_TIMEX = 208
"""Bytes of ``struct timex`` on 64 bit machines; read only, with mode 0."""


def read() -> Clock:
    """Return one reading."""
    return Clock(datetime.now(UTC), _boot(), time.clock_gettime(time.CLOCK_BOOTTIME), synchronised())


def synchronised() -> bool | None:
    """Tell whether the kernel holds the clock for synchronised; None where it cannot be asked."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(2 * STRUCT_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != TIME_ERROR


def _boot() -> str:
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
