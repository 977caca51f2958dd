"""The task that compares: which channels there are, and all that lies in files, vault and register."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from ami_bridge.asterisk.ami import AmiLink
from ami_bridge.core.calls import SNAPSHOT_SECONDS
from ami_bridge.core.errors import ExchangeError, RegisterError
from ami_bridge.core.events import ChannelsPresent
from ami_bridge.daemon.hearing import Hearing

log = logging.getLogger(__name__)

AGAIN = 30.0
"""Seconds after which a comparison that could not be made is tried again."""


class Comparing:
    """The task; ``ask`` and ``ask_all`` on the event loop at any time.

    ``look`` compares all, in a thread of its own; ``take_list`` is told which channels there are, in the follow thread;
    ``all_heard`` is called, on the event loop, when everything was compared and is heard.
    """

    def __init__(self, link: AmiLink, hearing: Hearing, every: float, look: Callable[[], object],
                 take_list: Callable[[list[ChannelsPresent]], None], all_heard: Callable[[], None]) -> None:
        self._link, self._hearing, self._every = link, hearing, every
        self._look, self._take_list, self._all_heard = look, take_list, all_heard
        self._asked = asyncio.Event()
        self._all = True
        self._thread = ThreadPoolExecutor(1, "compare")

    def ask(self) -> None:
        """Have it looked which channels there are."""
        self._asked.set()

    def ask_all(self) -> None:
        """Have all compared again: something was not heard, and now is."""
        self._all = True
        self._asked.set()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    async def run(self) -> None:
        """Ask which channels there are, when asked to; at the start, after a gap, and regularly compare all else too.

        A call that began just before a list was made may be missing from it: hence the pause before each.
        """
        pause = self._every
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._asked.wait()
            self._all = self._all or not self._asked.is_set()
            self._asked.clear()
            await asyncio.sleep(SNAPSHOT_SECONDS + 1)
            pause = self._every if await self._compare() else AGAIN

    async def _compare(self) -> bool:
        """Tell whether it could be done; a link that is down asks again by itself when it is up."""
        try:
            present = [event for event in await self._link.channels() if isinstance(event, ChannelsPresent)]
        except ExchangeError:
            return self._link.connected_since is None
        self._hearing.jobs.put_nowait(partial(self._take_list, present))
        await self._hearing.jobs.join()
        if not self._all or self._hearing.shedding:
            return True
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._look)
        except (RegisterError, OSError) as problem:
            log.warning("Calls, files and register cannot be compared now (%s)", problem, extra={"action": "compare_failed"})
            return False
        if self._link.connected_since is not None and not self._hearing.shedding:
            self._all = False
            self._all_heard()
            await self._hearing.jobs.join()
        return True
