"""Looking after the trail: its end written down, what is past its time forgotten, the whole of it verified."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from ami_bridge.core import alarms
from ami_bridge.core.actions import Action
from ami_bridge.core.alarms import Alarm
from ami_bridge.core.audit import DAEMON, MOST, Detail, Head, Link, Trace
from ami_bridge.core.audit_check import Finding, Place, Verdict, at_odds, judged, number_of, verify
from ami_bridge.core.errors import AmiBridgeError, RegisterError
from ami_bridge.heads import BadHead, Heads, is_our_checkpoint, read_heads, tell_syslog
from ami_bridge.register import Register, TrailFilter

log = logging.getLogger(__name__)

AT_ONCE = 5000
"""Entries that are forgotten in one transaction: during that nobody else leaves a trace, and so nobody is shown anything."""

PAUSE = 0.2
"""Seconds between two of them: longer than whoever waits for SQLite sleeps before looking again."""


class TrailKeeping:
    """Writes down the end of the trail. Blocking. ``syslog``: the socket that is told too, or None."""

    def __init__(self, register: Register, heads: Heads, syslog: Path | None) -> None:
        self._register, self._heads, self._syslog = register, heads, syslog

    def write_head(self) -> Alarm | None:
        """Write down how far the trail goes, unless that is known; return the alarm when it is not the one known so far.

        RegisterError, KeyMissing, OSError when it cannot be done now. Several processes may do it at one time.
        """
        self._heads.create()
        try:
            known = self._heads.last()
        except ValueError:
            return alarms.trail_broken("the newest head that was written down cannot be read, or is not ours")
        with self._register.reading() as work:
            head, forgotten = work.audit.head(), work.audit.checkpoint()
            there = work.audit.digest(known.number) if known else None
        said = _not_ours(self._heads.public_keys(), *forgotten) or (_at_odds(known, there, forgotten[0]) if known else "")
        if said:
            return alarms.trail_broken(said)
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
    """Forgets what of the trail is past its own time, ``AT_ONCE``: a signed checkpoint first, then what is before it.

    What goes is verified first: nothing is signed over a change, and what could prove one stays. ``alarm`` is told when that
    cannot be: a trail that stays longer keeps no recording from its destruction. ``wait`` sleeps some seconds.
    """

    def __init__(self, register: Register, heads: Heads, keep: timedelta, alarm: Callable[[Alarm], None],
                 wait: Callable[[float], None] = time.sleep) -> None:
        self._register, self._heads, self._keep, self._alarm, self._wait = register, heads, keep, alarm, wait

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
        with self._register.reading() as work:
            last, forgotten = work.audit.older(now - self._keep), work.audit.checkpoint()
        if last is None:
            return {}
        self._heads.create()
        ends: dict[int, str] = {}
        said = self._wrong(last, forgotten, ends)
        if said:
            self._alarm(alarms.trail_broken(said))
            return {}
        at, total = max(last.at, forgotten[0].at), 0
        for number, digest in sorted((ends | {last.number: last.digest}).items()):
            if total:
                self._wait(PAUSE)
            gone, forgotten = self._forget_some(Head(number=number, digest=digest, at=at), forgotten, now)
            if not gone:
                break
            self._heads.forget(number)
            total += gone
        return {"entries of the trail": total} if total else {}

    def _forget_some(self, last: Head, forgotten: tuple[Head, str], now: datetime) -> tuple[int, tuple[Head, str]]:
        """Forget up to ``last``; return how many, and the checkpoint then. None where it is not as it was verified."""
        with self._register.writing() as work:
            if work.audit.checkpoint() != forgotten or work.audit.digest(last.number) != last.digest:
                return 0, forgotten
            gone = work.audit.forget(last, self._heads.sign_checkpoint(last))
            work.audit.leave(Trace(actor=DAEMON, action=Action.TRAIL_FORGOTTEN, detail={
                Detail.FOUND: min(gone, MOST), Detail.UNTIL: last.at.date().isoformat()}), now)
            return gone, work.audit.checkpoint()

    def _wrong(self, last: Head, forgotten: tuple[Head, str], ends: dict[int, str]) -> str:
        """Say what is wrong with the entries up to ``last``, or with the newest head that was written down.

        ``ends``: takes the number and digest of each ``AT_ONCE``-th entry, as it was verified.
        """
        keys, checkpoint = self._heads.public_keys(), forgotten[0]
        said = _not_ours(keys, *forgotten)
        if said:
            return said
        try:
            known = read_heads(self._heads.files(last.number), keys)
        except BadHead as problem:
            return str(problem)
        newest = max(known, key=lambda head: head.number, default=None)
        with self._register.reading() as work:
            there = work.audit.digest(newest.number) if newest else None
        upto = TrailFilter(before=last.number + 1)
        going = [head for head in known if head.number <= last.number]
        verdict = verify(partial(self._places, upto, ends), going, checkpoint)
        return str(verdict) or (_at_odds(newest, there, checkpoint) if newest else "")

    def _places(self, upto: TrailFilter, ends: dict[int, str]) -> Iterator[Place]:
        for place in every_place(self._register, upto):
            if isinstance(place, Link) and place.entry.number % AT_ONCE == 0:
                ends[place.entry.number] = place.digest
            yield place


def verify_trail(register: Register, heads: Heads, now: datetime, given: Sequence[Path] = (),
                 public_keys: Sequence[Path] = ()) -> Verdict:
    """Return how the trail stands ``now``, against all heads that were written down here and those that are ``given``, and
    whether its guards are there.

    ``public_keys``: none takes those beside them. AmiBridgeError when a head or a checkpoint is not ours. KeyMissing.
    """
    while True:
        verdict, seen = _verified(register, heads, given, public_keys)
        with register.reading() as work:
            if verdict.finding is Finding.WHOLE or work.audit.checkpoint()[0] == seen:
                return judged(verdict, work.audit.oldest(), now, work.audit.unguarded())


def wrong_with_trail(register: Register, heads: Heads, now: datetime) -> str:
    """Return what is wrong with the trail, against the heads that were written down here; nothing when it is whole.

    RegisterError when it cannot be read.
    """
    try:
        return str(verify_trail(register, heads, now))
    except RegisterError:
        raise
    except AmiBridgeError as problem:
        return str(problem.args[0])


def _verified(register: Register, heads: Heads, given: Sequence[Path], public_keys: Sequence[Path]) -> tuple[Verdict, Head]:
    """Return a verdict, and the checkpoint from which it was reached: what is forgotten meanwhile seems to be removed."""
    files = [*heads.files(), *given]
    try:
        known = read_heads(files, public_keys or heads.public_keys()) if files else []
    except BadHead as problem:
        raise AmiBridgeError(str(problem), "Compare it with the copies on other machines and in syslog.") from None
    with register.reading() as work:
        checkpoint, signature = work.audit.checkpoint()
    said = _not_ours(public_keys or heads.public_keys(), checkpoint, signature) if checkpoint.number else ""
    if said:
        raise AmiBridgeError(said, "Find out who has all rights on the database.")
    return verify(partial(every_place, register), known, checkpoint), checkpoint


def every_place(register: Register, wanted: TrailFilter | None = None) -> Iterator[Place]:
    """Yield every place of the chain that is wanted, by number. Each so many are read in a transaction of their own."""
    after = -1
    while True:
        with register.reading() as work:
            places = work.audit.places(after, wanted)
        if not places:
            return
        yield from places
        after = number_of(places[-1])


def _not_ours(public_keys: Sequence[Path], checkpoint: Head, signature: str) -> str:
    if not checkpoint.number or is_our_checkpoint(checkpoint, signature, public_keys):
        return ""
    return f"entries up to {checkpoint.number} were taken away, and nobody of ours signed for that"


def _at_odds(known: Head, there: str | None, checkpoint: Head) -> str:
    if not at_odds(known, there, checkpoint):
        return ""
    return f"it is not the one that was written down with entry {known.number} as its last"
