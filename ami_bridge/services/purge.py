"""The nightly job: what is past its time goes, in an order that a kill at any moment cannot turn into a loss; keys come.

resume -> guards -> plan -> for each key the steps of ``services.destroying``.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from ami_bridge.certificates import Certificates
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, Detail
from ami_bridge.core.certificate import Certificate
from ami_bridge.core.clock import LOOK, Clock, distrust
from ami_bridge.core.destructions import Intent, Run, RunOutcome
from ami_bridge.core.errors import AmiBridgeError, PurgeRefused, RegisterError
from ami_bridge.core.holds import Hold
from ami_bridge.core.retention import Fate, Found, Planned, plan, too_many
from ami_bridge.register import Register
from ami_bridge.services.destroying import Destroying, Progress
from ami_bridge.services.holds import finish_placing, outlived, whole_holds
from ami_bridge.services.trail import Trail
from ami_bridge.vault import Vault, hold_key

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what the job goes: the promise in days, how much is too much, whether the clock must be synchronised."""

    exchange: str
    days: int
    cap: int
    small: int
    synchronised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person said about this run."""

    dry: bool = False
    accept_clock: bool = False
    accept_size: int = 0


@dataclass(slots=True)
class Report:
    """What a run did, or (dry) would do."""

    planned: tuple[Planned, ...] = ()
    resumed: int = 0
    certificates: list[Certificate] = field(default_factory=list)
    swept: dict[str, int] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Return how many calls were destroyed."""
        return sum(certificate.calls for certificate in self.certificates)

    @property
    def files(self) -> int:
        """Return how many sealed files were destroyed."""
        return sum(certificate.files for certificate in self.certificates)


class Purge:
    """The job. Blocking; one at a time (Busy). ``sweep`` clears what else is past its time, and says how much.

    ``ahead`` makes the keys of the days to come, and ``afterwards`` writes down the end of the trail, whatever became of
    the run.
    """

    def __init__(self, vault: Vault, register: Register, certificates: Certificates, rules: Rules,
                 clock: Callable[[], Clock], sweep: Callable[[datetime], dict[str, int]],
                 ahead: Callable[[date], None] = lambda today: None, trail: Trail | None = None,
                 afterwards: Callable[[], None] = lambda: None) -> None:
        self._ahead, self._afterwards = ahead, afterwards
        self._trail = trail
        self._vault = vault
        self._register = register
        self._certificates = certificates
        self._rules = rules
        self._clock = clock
        self._sweep = sweep
        self._destroying = Destroying(vault, register, certificates, rules.exchange, rules.days, lambda: clock().now)

    def run(self, asked: Asked = Asked(), progress: Progress = lambda key, done, of: None) -> Report:
        """Destroy what is past its time. PurgeRefused when a person must look first; what was begun is finished even so.

        Busy, KeyMissing, RegisterError, OSError: the next run goes on where this one stopped.
        """
        with self._vault.alone():
            started = self._clock()
            try:
                return self._recorded(asked, started, progress)
            finally:
                if not asked.dry:
                    self._end(started.now.date())

    def _end(self, today: date) -> None:
        try:
            self._ahead(today)
        finally:
            self._afterwards()

    def _recorded(self, asked: Asked, started: Clock, progress: Progress) -> Report:
        try:
            report = self._run(asked, started, progress)
        except PurgeRefused:
            self._record(started, RunOutcome.REFUSED, asked)
            raise
        except (AmiBridgeError, OSError):
            self._record(started, RunOutcome.FAILED, asked)
            raise
        self._record(started, RunOutcome.DONE, asked, report)
        return report

    def _run(self, asked: Asked, clock: Clock, progress: Progress) -> Report:
        report = Report()
        if not asked.dry:
            self._resume(report, progress)
            self._finish_holds(clock.now)
        self._refuse_bad_clock(asked, clock)
        report.planned = plan(self._found(clock.now), clock.now)
        self._refuse_too_many(asked, clock, report.planned)
        if not asked.dry:
            for planned in report.planned:
                if planned.fate is not Fate.KEEP:
                    report.certificates.append(self._destroying.finish(self._intend(planned, clock.now), progress))
                elif planned.why.name.startswith("HOLD_") and planned.why.name != "HOLD_STANDS":
                    log.error("%s is kept: %s", planned.key, planned.why, extra={"action": "purge_kept"})
            report.swept = self._forget_remarks(clock.now) | self._sweep(clock.now)
        return report

    def _forget_remarks(self, now: datetime) -> dict[str, int]:
        """Forget the gaps and findings that are as old as recordings may become."""
        born = now - timedelta(days=self._rules.days)
        with self._register.writing() as work:
            return {"gaps and findings": work.gaps.forget(born) + work.findings.forget(born)}

    # -- before anything is destroyed

    def _resume(self, report: Report, progress: Progress) -> None:
        report.certificates += self._destroying.resume(progress)
        report.resumed = len(report.certificates)

    def _finish_holds(self, now: datetime) -> None:
        with self._register.reading() as work:
            standing = [hold for hold in work.holds.all() if hold.active(now)]
        finish_placing(self._vault, standing)

    def _refuse_bad_clock(self, asked: Asked, clock: Clock) -> None:
        if asked.accept_clock:
            return
        with self._register.reading() as work:
            last, newest = work.destructions.last_run(), work.days.newest_end()
        why = distrust(clock, last, newest, must_be_synchronised=self._rules.synchronised)
        if why:
            raise PurgeRefused(f"nothing was destroyed: {why}", LOOK)

    def _refuse_too_many(self, asked: Asked, clock: Clock, planned: tuple[Planned, ...]) -> None:
        calls = sum(one.calls for one in planned)
        with self._register.reading() as work:
            average, last = work.days.daily_average(), work.destructions.last_success()
        days = (clock.now - last) / timedelta(days=1) if last else 7.0
        allowed = too_many(calls, average, days, cap=self._rules.cap, small=self._rules.small)
        if allowed is not None and calls > asked.accept_size:
            raise PurgeRefused(
                f"nothing was destroyed: {calls} calls are past their time, and more than {allowed} at once are unusual",
                f"See 'ami-bridge purge --dry-run'. When it is right, run 'ami-bridge purge --accept-size {calls}'.")

    def _found(self, now: datetime) -> Found:
        with self._register.reading() as work:
            calls = {count.day: (count.calls, count.past) for count in work.days.counts(now)}
            holds = tuple(work.holds.all())
        keys = {pair.name for pair in self._vault.keys.pairs()} | set(self._vault.keys_in_use())
        whole = whole_holds(self._vault, keys)
        return Found(calls=calls, keys=frozenset(keys), holds=holds, whole_holds=whole - self._over(whole, holds, now))

    def _over(self, whole: frozenset[UUID], holds: tuple[Hold, ...], now: datetime) -> set[UUID]:
        """Return the whole holds without a row that must not stay: past their end, or destroyed once and brought back."""
        unknown = whole - {hold.id for hold in holds}
        if not unknown:
            return set()
        with self._register.reading() as work:
            destroyed = {intent.key for intent in work.destructions.certified()}
        return {hold for hold in unknown if hold_key(hold) in destroyed or outlived(self._vault, hold, now)}

    def _intend(self, planned: Planned, now: datetime) -> Intent:
        with self._register.writing() as work:
            return self._destroying.begin(work, planned.key, now, calls=planned.calls, whole=planned.fate is Fate.WHOLE)

    def _record(self, started: Clock, outcome: RunOutcome, asked: Asked, report: Report | None = None) -> None:
        if asked.dry:
            return
        if self._trail:
            gone = {Detail.CALLS: min(report.calls, MOST), Detail.FILES: min(report.files, MOST)} if report else {}
            self._trail.afterwards(Action.PURGED, detail=gone, refused="" if report else outcome.value)
        ended = self._clock()
        try:
            with self._register.writing() as work:
                work.destructions.record(Run(started_at=started.now, finished_at=ended.now, outcome=outcome,
                                             boot=ended.boot, since_boot=ended.since_boot))
        except RegisterError as error:
            log.error("The run could not be recorded: %s", error, extra={"action": "run_not_recorded"})

