"""The task that writes down, every hour, how far the trail goes."""

import asyncio
from typing import TYPE_CHECKING

from ami_bridge.app import App, trail_keeping
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Alarm, Name
from ami_bridge.core.errors import AmiBridgeError, RegisterError, as_ours
from ami_bridge.services.trail_keeping import TrailKeeping

if TYPE_CHECKING:
    from ami_bridge.daemon.watching import Watching

EVERY = 3600.0
AGAIN = 60.0
"""Seconds after which what could not be done is tried again."""


async def writing_heads(app: App, watching: "Watching", every: float = EVERY, again: float = AGAIN) -> None:
    """Write down the end of the trail until cancelled. Nothing that fails here keeps calls from being recorded."""
    keeping = trail_keeping(app.config, app.register)
    while True:
        done = await _once(keeping, watching)
        await asyncio.sleep(every if done else again)


async def _once(keeping: TrailKeeping, watching: "Watching") -> bool:
    """Tell whether it could be done. A register that is away is alarmed by the watch."""
    try:
        _tell(watching, Name.TRAIL_UNWRITTEN, await asyncio.to_thread(keeping.unrecorded))
        broken = await asyncio.to_thread(keeping.write_head)
    except RegisterError:
        return False
    except (AmiBridgeError, OSError) as problem:
        watching.put_up(alarms.head_unwritten(as_ours(problem, "the end of the trail could not be written down")))
        return False
    watching.take_down(Name.HEAD_UNWRITTEN)
    _tell(watching, Name.TRAIL_BROKEN, broken)
    return True


def _tell(watching: "Watching", name: Name, alarm: Alarm | None) -> None:
    if alarm:
        watching.put_up(alarm)
    else:
        watching.take_down(name)
