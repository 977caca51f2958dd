"""The second witness is heard: each recorded call in the register is compared with what Asterisk's diary says of it."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from ami_bridge.asterisk.cel import Noted, witnessed
from ami_bridge.core.evidence import Case, Evidence
from ami_bridge.core.findings import Kind, Outcome
from ami_bridge.core.witness import Disagreement, disagreements, told
from ami_bridge.register import Register
from ami_bridge.services.diary import Diary
from ami_bridge.services.report import Report

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=5)
"""How long a call must be over: until then lines of the diary may be on their way."""


class Witness:
    """The comparison of register and diary. Blocking, for one thread. It reads with a ``diary`` of its own, a few megabytes
    at a time, from where the last look ended; of the first look only what comes afterwards is judged.
    """

    def __init__(self, diary: Diary, register: Register, report: Report, now: Callable[[], datetime]) -> None:
        self._diary, self._register, self._report, self._now = diary, register, report, now
        self._evidence = Evidence()
        if diary.is_new:
            with suppress(OSError):
                diary.to_end()

    def look(self) -> None:
        """Judge the calls registered since the last look. RegisterError or OSError when register or diary are away."""
        now = self._now().timestamp()
        mark = self._diary.mark(now)
        while lines := self._read(now):
            for line in filter(None, map(witnessed, lines)):
                self._evidence.hear(line, mark)
            self._judge()
            mark = self._diary.mark(now)
        self._judge()
        self._evidence.forget_stale(now)
        self._diary.keep_position(self._evidence.needed_since(mark))

    def _read(self, now: float) -> list[Noted]:
        """Read on; where lines may have been missed, nothing from before is judged."""
        breaks = self._diary.breaks
        lines = self._diary.read(now)
        if self._diary.breaks != breaks:
            self._evidence = Evidence()
        return lines

    def _judge(self) -> None:
        """Judge what is in the register; the rest waits for the next look, for a day at most."""
        cases = {case.call: case for case in self._evidence.cases()}
        with self._register.reading() as work:
            entries = work.calls.of_ids(cases, self._now())
        for entry in entries:
            if entry.ended_at <= self._now() - SETTLED:
                said = told(cases[entry.id].lines, entry.id)
                if said and (found := disagreements(entry, said)):
                    self._tell(cases[entry.id], found, entry.ended_at)
                self._evidence.judged(entry.id)

    def _tell(self, case: Case, found: tuple[Disagreement, ...], at: datetime) -> None:
        log.warning("The exchange's diary says otherwise than the register: %s", ", ".join(found),
                    extra={"action": "diary_disagrees", "call": str(case.call)})
        self._report.note(Kind.DIARY_DISAGREES, str(case.call), Outcome.REPORTED, at, case.call)
