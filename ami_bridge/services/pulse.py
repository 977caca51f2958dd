"""Proof of life: while a call is in progress its file must be there, grow while somebody speaks, and stay open.

MixMonitor says nothing when it cannot open a file, when the disk is full, or when another stops it (facts 1, 2, 6, 16).
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ami_bridge.asterisk.files import measure
from ami_bridge.core.calls import Open
from ami_bridge.core.errors import AudioError
from ami_bridge.core.facts import moment
from ami_bridge.core.findings import Kind, Outcome
from ami_bridge.services.report import Report
from ami_bridge.spool import Spool

APPEARS = timedelta(seconds=1)
GROWS = timedelta(seconds=15)
"""Asterisk writes 32 KiB at a time, two seconds of speech; after so long without any while two are connected it is amiss."""

RESTED = timedelta(seconds=3)
CONFIRMED = timedelta(seconds=30)
"""How long a closed file is taken for the sign of a hangup that was not heard, before somebody else is suspected."""


class Pulse:
    """Looks after the files of calls in progress. ``ask``: have it asked anew which channels there are."""

    def __init__(self, spool: Spool, report: Report, ask: Callable[[], None]) -> None:
        self._spool, self._report, self._ask = spool, report, ask

    def feel(self, calls: list[Open], now: datetime) -> None:
        """Look at the file of each call once."""
        for call in calls:
            kind = self._judge(call, now)
            if kind:
                self._report.note(kind, str(call.recording), Outcome.REPORTED, now, call.call)

    def _judge(self, call: Open, now: datetime) -> Kind | None:
        path = self._spool.audio(call.recording)
        try:
            changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError:
            late = now - moment(call.opened) > APPEARS and self._spool.has_ticket(call.call)
            return Kind.NOT_STARTED if late and not os.path.exists(path) else None  # noqa: PTH110 - whatever is wrong
        if now - changed < RESTED:
            return None
        if self._is_closed(call):
            self._ask()
            return Kind.STOPPED if now - changed > CONFIRMED else None
        return Kind.STALLED if call.bridged and now - changed > GROWS else None

    def _is_closed(self, call: Open) -> bool:
        try:
            return measure(self._spool.audio(call.recording)).closed
        except (AudioError, FileNotFoundError):
            return False
