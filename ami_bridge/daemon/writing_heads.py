"""The task that writes down, every hour, how far the trail goes."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ami_bridge.app import App, trail_keeping
from ami_bridge.core import alarms
from ami_bridge.core.alarms import Alarm, Name
from ami_bridge.core.errors import AmiBridgeError, RegisterError
from ami_bridge.daemon.watching import said

if TYPE_CHECKING:
    from ami_bridge.daemon.watching import Watching

EVERY = 3600.0
AGAIN = 60.0
"""Seconds after which what could not be done is tried again."""


async def writing_heads(app: App, watching: "Watching", every: float = EVERY, again: float = AGAIN) -> None:
    """Write down the end of the trail until cancelled. Nothing that fails here keeps calls from being recorded."""
    keeping = trail_keeping(app.config, app.register)
    while True:
        done = await _once(keeping.write_head, watching)
        await asyncio.sleep(every if done else again)


async def _once(write: Callable[[], Alarm | None], watching: "Watching") -> bool:
    """Tell whether it could be done. A register that is away is alarmed by the watch."""
    try:
        broken = await asyncio.to_thread(write)
    except RegisterError:
        return False
    except (AmiBridgeError, OSError) as problem:
        watching.put_up(alarms.head_unwritten(said(problem, "the end of the trail could not be written down")))
        return False
    watching.take_down(Name.HEAD_UNWRITTEN)
    if broken:
        watching.put_up(broken)
    else:
        watching.take_down(Name.TRAIL_BROKEN)
    return True
