"""The task that looks, every two seconds, for what no event announced: finished calls, adopted ones, room in the spool."""

import asyncio
import logging
import os
from collections.abc import Callable
from uuid import UUID

from ami_bridge.app import App, now
from ami_bridge.core.errors import RegisterError
from ami_bridge.daemon.following import Following
from ami_bridge.daemon.hearing import Hearing
from ami_bridge.daemon.intaking import Intaking
from ami_bridge.services.follow import Follow
from ami_bridge.services.pulse import Pulse
from ami_bridge.services.reconcile import Reconcile
from ami_bridge.services.report import Report

log = logging.getLogger(__name__)

SCAN_EVERY = 2.0


class Housekeeping:
    """The task. It looks in the follow thread, so that nothing is heard meanwhile.

    ``connected`` tells whether the link is up; ``nudge`` is called, in that thread, when room in the spool came or went.
    """

    def __init__(self, app: App, follow: Follow, reconcile: Reconcile, report: Report, pulse: Pulse, intaking: Intaking,
                 connected: Callable[[], bool], nudge: Callable[[], None]) -> None:
        self._app, self._follow, self._reconcile, self._report = app, follow, reconcile, report
        self._pulse, self._intaking, self._connected, self._nudge = pulse, intaking, connected, nudge
        self._had_room = self._could_scan = True

    async def run(self, hearing: Hearing, following: Following) -> None:
        """Look until cancelled."""
        while True:
            hearing.hear([])
            found = await following.in_thread(self._scan)
            for call in found or ():
                self._intaking.offer(call)
            if found is not None:
                self._intaking.scanned()
            await asyncio.sleep(SCAN_EVERY)

    def _scan(self) -> list[UUID] | None:
        """Find what no event announced: adopted calls, and tickets whose audio is complete. None: it cannot be told now.

        A register that is away is alarmed by the watch.
        """
        try:
            self._look_after()
            self._app.adopt.run(now())
            found = [] if self._intaking.full else [call for call in self._app.spool.open_calls() if self._is_due(call)]
        except RegisterError:
            return None
        except OSError as error:
            if self._could_scan:
                log.error("The spool cannot be scanned (%s)", error.strerror, extra={"action": "scan_failed"})
            self._could_scan, found = False, []
        else:
            self._could_scan = True
        return found

    def _look_after(self) -> None:
        """See whether there is room; read the diary; while all is heard, note that, and feel the pulse of calls."""
        has_room = self._app.spool.has_room(self._app.policy.floor)
        if has_room is not self._had_room:
            self._had_room = has_room
            self._nudge()
        self._reconcile.listen()
        if self._connected() and not self._report.gaps:
            self._pulse.feel(self._follow.in_progress(), now())
            self._app.spool.heard.touch(0o640)
            os.utime(self._app.spool.heard)
        self._report.save()

    def _is_due(self, call: UUID) -> bool:
        if self._intaking.knows(call):
            return False
        goes_on = self._connected() and self._follow.goes_on(call)
        return not goes_on and self._app.intake.is_due(call, self._follow.has_hung_up)
