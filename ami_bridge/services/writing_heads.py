"""The task that writes down, every hour, how far the trail goes."""

import asyncio
from typing import Protocol

from ami_bridge.core import alarms
from ami_bridge.core.alarms import Alarm, Name
from ami_bridge.core.errors import AmiBridgeError, RegisterError, as_ours
from ami_bridge.services.trail_keeping import TrailKeeping

EVERY = 3600.0
AGAIN = 60.0
"""Seconds after which what could not be done is tried again."""


class Board(Protocol):
    """Where alarms stand. Quick."""

    def put_up(self, alarm: Alarm) -> None:
        """Raise an alarm."""

    def take_down(self, name: Name) -> None:
        """End an alarm."""


async def writing_heads(keeping: TrailKeeping, board: Board, every: float = EVERY, again: float = AGAIN) -> None:
    """Write down the end of the trail until cancelled. Nothing that fails here keeps calls from being recorded.

    Daemon and console both do it, since either may be alone on its host; together they end with the same files.
    """
    while True:
        done = await _once(keeping, board)
        await asyncio.sleep(every if done else again)


async def _once(keeping: TrailKeeping, board: Board) -> bool:
    """Tell whether it could be done. A register that is away is alarmed by the watch."""
    try:
        _tell(board, Name.TRAIL_UNWRITTEN, await asyncio.to_thread(keeping.unrecorded))
        wrong = await asyncio.to_thread(written, keeping)
    except RegisterError:
        return False
    if wrong and wrong.name is Name.HEAD_UNWRITTEN:
        board.put_up(wrong)
        return False
    board.take_down(Name.HEAD_UNWRITTEN)
    _tell(board, Name.TRAIL_BROKEN, wrong)
    return True


def written(keeping: TrailKeeping) -> Alarm | None:
    """Write down the end of the trail; return the alarm where that cannot be, or the trail is another. RegisterError."""
    try:
        return keeping.write_head()
    except RegisterError:
        raise
    except (AmiBridgeError, OSError) as problem:
        return alarms.head_unwritten(as_ours(problem, "the end of the trail could not be written down"))


def _tell(board: Board, name: Name, alarm: Alarm | None) -> None:
    if alarm:
        board.put_up(alarm)
    else:
        board.take_down(name)
