"""The pages for whoever watches from outside: /health, is the daemon alive; /ready, can it do its work."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping

from ami_bridge.core.alarms import Name
from ami_bridge.core.readiness import in_the_way
from ami_bridge.metrics import Page

PATIENCE = 2.0
"""Seconds in which the event loop must answer: as long as the dialplan waits at most before it goes on without us."""


def pages(loop: asyncio.AbstractEventLoop, held: Callable[[], Iterable[Name] | None], linked: Callable[[], bool],
          patience: float = PATIENCE) -> Mapping[str, Page]:
    """Return the pages. ``held`` gives the alarms that hold, ``linked`` whether the exchange is heard; for any thread."""

    def health() -> tuple[bool, object]:
        alive = answers(loop, patience)
        return alive, {"alive": alive}

    def ready() -> tuple[bool, object]:
        found = in_the_way(held(), linked())
        return not found, found

    return {"/health": health, "/ready": ready}


def answers(loop: asyncio.AbstractEventLoop, patience: float) -> bool:
    """Tell whether the event loop comes to a small piece of work within ``patience`` seconds. Not for its own thread."""
    answered = threading.Event()
    try:
        loop.call_soon_threadsafe(answered.set)
    except RuntimeError:
        return False
    return answered.wait(patience)
