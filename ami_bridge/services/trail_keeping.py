"""Looking after the trail: its end written down, what is past its time forgotten, the whole of it verified."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ami_bridge.core import alarms
from ami_bridge.core.actions import Action
from ami_bridge.core.alarms import Alarm
from ami_bridge.core.audit import DAEMON, MOST, Detail, Head, Trace
from ami_bridge.core.audit_check import Verdict, verify
from ami_bridge.core.errors import AmiBridgeError, RegisterError
from ami_bridge.heads import PUBLIC, BadHead, Heads, is_our_checkpoint, read_heads, tell_syslog
from ami_bridge.register import Register

log = logging.getLogger(__name__)


class TrailKeeping:
    """Writes down the end of the trail. Blocking. ``syslog``: the socket that is told too, or None."""

    def __init__(self, register: Register, heads: Heads, syslog: Path | None) -> None:
        self._register, self._heads, self._syslog = register, heads, syslog

    def write_head(self) -> Alarm | None:
        """Write down how far the trail goes, unless that is known; return the alarm when it is not the one known so far.

        RegisterError, KeyMissing, OSError when it cannot be done now.
        """
        self._heads.create()
        try:
            known = self._heads.last()
        except ValueError:
            return alarms.trail_broken(0)
        with self._register.reading() as work:
            head, forgotten = work.audit.head(), work.audit.checkpoint()[0]
            there = work.audit.digest(known.number) if known else None
        if known and known.number > forgotten.number and there != known.digest:
            return alarms.trail_broken(known.number)
        if head.number and (known is None or head.number > known.number):
            self._write(head)
        return None

    def unrecorded(self) -> Alarm | None:
        """Return the alarm of a last run of the purge that is not in the trail. One from before the trail need not be."""
        with self._register.reading() as work:
            run, begun, told = work.destructions.last_run(), work.audit.oldest(), work.audit.latest(Action.PURGED)
        if run is None or begun is None or run.started_at < begun or (told and told >= run.started_at):
            return None
        which = f"the run that ended at {run.finished_at:%Y-%m-%d %H:%M} UTC"
        problem = AmiBridgeError(which, "See 'ami-bridge certificate list' for what it did.")
        return alarms.trail_unwritten(Action.PURGED.value, problem)

    def _write(self, head: Head) -> None:
        text = self._heads.write(head)
        log.info("The trail goes to entry %d", head.number, extra={"action": "head_written"})
        if self._syslog is None:
            return
        try:
            tell_syslog(str(self._syslog), text)
        except OSError as problem:
            log.warning("The end of the trail could not be told to %s (%s)", self._syslog, problem.strerror,
                        extra={"action": "head_untold"})


class TrailForgetting:
    """Forgets what of the trail is past its own time: a signed checkpoint first, then what is before it.

    ``alarm`` is told when that cannot be: a trail that stays longer keeps no recording from its destruction.
    """

    def __init__(self, register: Register, heads: Heads, keep: timedelta, alarm: Callable[[Alarm], None]) -> None:
        self._register, self._heads, self._keep, self._alarm = register, heads, keep, alarm

    def __call__(self, now: datetime) -> dict[str, int]:
        """Forget, and leave a trace of that; return how much, for the report of the purge."""
        try:
            return self._forget(now)
        except RegisterError:
            return {}  # the purge itself cannot be recorded then, and that alarms
        except (AmiBridgeError, OSError) as problem:
            said = problem if isinstance(problem, AmiBridgeError) else AmiBridgeError(str(problem.strerror), "See the disk.")
            self._alarm(alarms.trail_unwritten(Action.TRAIL_FORGOTTEN.value, said))
            return {}

    def _forget(self, now: datetime) -> dict[str, int]:
        with self._register.writing() as work:
            last = work.audit.older(now - self._keep)
            if last is None:
                return {}
            self._heads.create()
            gone = work.audit.forget(last, self._heads.sign_checkpoint(last))
            work.audit.leave(Trace(actor=DAEMON, action=Action.TRAIL_FORGOTTEN, detail={
                Detail.FOUND: min(gone, MOST), Detail.UNTIL: last.at.date().isoformat()}), now)
        self._heads.forget(last.number)
        return {"entries of the trail": gone}


def verify_trail(register: Register, heads: Heads, given: Sequence[Path] = (), public_key: Path | None = None) -> Verdict:
    """Return how the trail stands, against all heads that were written down here and those that are ``given``.

    ``public_key``: None takes the one beside them. AmiBridgeError when a head or a checkpoint is not ours. KeyMissing.
    """
    key = public_key or heads.directory / PUBLIC
    files = [*sorted(heads.folder.glob("*.json")), *given]
    try:
        known = read_heads(files, key) if files else []
    except BadHead as problem:
        raise AmiBridgeError(str(problem), "Compare it with the copies on other machines and in syslog.") from None
    with register.reading() as work:
        checkpoint, signature = work.audit.checkpoint()
        if checkpoint.number and not is_our_checkpoint(checkpoint, signature, key):
            raise AmiBridgeError(f"entries up to {checkpoint.number} were taken away, and nobody of ours signed for that",
                             "Find out who has all rights on the database.")
        return verify(work.audit.places, known, checkpoint)
