"""The nightly destruction: what is past its time goes, in an order that a kill at any moment cannot turn into a loss.

resume -> guards -> plan -> for each key: intent committed -> key destroyed -> files listed -> files -> rows -> certificate.
Until the key is gone nothing takes longer for more calls; after that nobody can read what is still there.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from ami_bridge import __version__
from ami_bridge.certificates import Certificates
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, Detail
from ami_bridge.core.certificate import DESTROYED, KEPT, NOT_HERE, Certificate
from ami_bridge.core.clock import LOOK, Clock, distrust
from ami_bridge.core.destructions import Intent, Run, RunOutcome, Step
from ami_bridge.core.errors import AmiBridgeError, PurgeRefused, RegisterError
from ami_bridge.core.holds import Hold
from ami_bridge.core.retention import HOLD, Fate, Found, Planned, plan, too_many
from ami_bridge.register import Register, RegisterUnavailable
from ami_bridge.services.holds import outlived, whole_holds
from ami_bridge.services.trail import Trail
from ami_bridge.vault import Vault, entry_file, hold_key

log = logging.getLogger(__name__)

ROWS_A_TRANSACTION = 5000
FILES_A_BATCH = 5000
SCRUB_TRIES = 20
FORGET_TRIES = 6
STEPS = list(Step)

Progress = Callable[[str, int, int], None]
"""Told a key, how many files and calls of it are gone, and how many there were."""


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
    """The job. Blocking; one at a time (Busy). ``sweep`` clears what else is past its time, and says how much."""

    def __init__(self, vault: Vault, register: Register, certificates: Certificates, rules: Rules,
                 clock: Callable[[], Clock], sweep: Callable[[datetime], dict[str, int]],
                 trail: Trail | None = None) -> None:
        self._trail = trail
        self._vault = vault
        self._register = register
        self._certificates = certificates
        self._rules = rules
        self._clock = clock
        self._sweep = sweep

    def close(self) -> None:
        """Close the register, which was opened for this job alone."""
        self._register.close()

    def run(self, asked: Asked = Asked(), progress: Progress = lambda key, done, of: None) -> Report:
        """Destroy what is past its time. PurgeRefused when a person must look first; what was begun is finished even so.

        Busy, KeyMissing, RegisterError, OSError: the next run goes on where this one stopped.
        """
        with self._vault.alone():
            started = self._clock()
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
        self._refuse_bad_clock(asked, clock)
        report.planned = plan(self._found(clock.now), clock.now)
        self._refuse_too_many(asked, clock, report.planned)
        if not asked.dry:
            for planned in report.planned:
                if planned.fate is not Fate.KEEP:
                    self._finish(self._intend(planned, clock.now), report, progress)
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
        with self._register.reading() as work:
            unfinished = work.destructions.unfinished()
        for intent in unfinished:
            self._finish(intent, report, progress)
            report.resumed += 1

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
        whole = planned.fate is Fate.WHOLE
        known = next((pair.fingerprint for pair in self._vault.keys.pairs() if pair.name == planned.key), "")
        with self._register.writing() as work:
            number = max(work.destructions.last_number(), self._certificates.head()[0]) + 1
            intent = Intent(number=number, key=planned.key, whole=whole, as_of=now, begun_at=now, fingerprint=known,
                            calls=planned.calls)
            work.destructions.begin(intent)
        return intent

    # -- the steps, each of which may be repeated

    def _finish(self, intent: Intent, report: Report, progress: Progress) -> None:
        steps = {Step.KEY_GONE: self._destroy_key, Step.LISTED: self._list_files, Step.FILES_GONE: self._destroy_files,
                 Step.ROWS_GONE: self._forget_rows, Step.CERTIFIED: self._certify}
        done = STEPS.index(intent.step)
        for step in STEPS[done + 1:]:
            changed = steps[step](intent, progress)
            with self._register.writing() as work:
                work.destructions.advance(intent.number, step, **changed)
            intent = replace(intent, step=step, **changed)
        report.certificates.append(self._certificates.read(intent.number))
        log.info("%s is destroyed: %d calls, %d files", intent.key, intent.calls, intent.files,
                 extra={"action": "destroyed"})

    def _destroy_key(self, intent: Intent, progress: Progress) -> dict:
        if intent.whole:
            self._vault.keys.destroy(intent.key)
        return {}

    def _list_files(self, intent: Intent, progress: Progress) -> dict:
        count, sha256 = self._certificates.list_digests(intent.number, self._digests(intent))
        files = sum(1 for _ in self._going(intent))
        return {"digests": count, "digests_sha256": sha256, "files": files, "unregistered": max(0, files - count)}

    def _digests(self, intent: Intent) -> Iterator[str]:
        """Yield the SHA-256 of the sealed files that go: as registered, or (a hold) as they lie there."""
        if intent.key.startswith(HOLD):
            yield from (self._vault.digest(file).sha256 for file in self._vault.files(intent.key))
            return
        with self._register.reading() as work:
            yield from work.days.sealed(date.fromisoformat(intent.key), None if intent.whole else intent.as_of)

    def _going(self, intent: Intent) -> Iterator[str]:
        """Yield the files that go: all under the key, or only those of the calls past their time."""
        if intent.whole:
            yield from self._vault.files(intent.key)
            return
        with self._register.reading() as work:
            for kept in work.days.files(date.fromisoformat(intent.key), intent.as_of):
                yield kept.file or entry_file(intent.key, kept.call)

    def _destroy_files(self, intent: Intent, progress: Progress) -> dict:
        files = iter(list(self._going(intent)))
        done = 0
        for batch in iter(lambda: list(islice(files, FILES_A_BATCH)), []):
            done += self._vault.destroy(batch)
            progress(intent.key, done, intent.files + intent.calls)
        self._vault.tidy(intent.key)
        return {}

    def _forget_rows(self, intent: Intent, progress: Progress) -> dict:
        done = 0
        if intent.key.startswith(HOLD):
            with self._register.writing() as work:
                work.holds.remove(UUID(intent.key.removeprefix(HOLD)))
        else:
            day = date.fromisoformat(intent.key)
            while gone := self._forget_some(day, intent):
                done += gone
                progress(intent.key, intent.files + done, intent.files + intent.calls)
        self._scrub([] if intent.key.startswith(HOLD) else [date.fromisoformat(intent.key)])
        return {}

    def _forget_some(self, day: date, intent: Intent, tries: int = FORGET_TRIES) -> int:
        """Forget a batch of rows. On PostgreSQL a whole day has to wait for who reads the register at that moment."""
        try:
            with self._register.writing() as work:
                return work.days.forget(day, intent.as_of, ROWS_A_TRANSACTION, intent.whole)
        except RegisterUnavailable:
            if tries <= 1:
                raise
            return self._forget_some(day, intent, tries - 1)

    def _scrub(self, days: list[date]) -> None:
        for _ in range(SCRUB_TRIES):
            if self._register.scrub(days):
                return
            time.sleep(0.25)
        raise RegisterUnavailable("deleted rows are still in the register's log, because somebody reads it all the time",
                                  "See who has it open; the next run goes on.")

    def _certify(self, intent: Intent, progress: Progress) -> dict:
        issued_at = self._clock().now
        fate = KEPT if not intent.whole else DESTROYED if intent.fingerprint and self._vault.keys.private else NOT_HERE
        sha256 = self._certificates.issue(Certificate(
            number=intent.number, previous="", exchange=self._rules.exchange, program=f"ami-bridge {__version__}",
            key=intent.key, whole=intent.whole, fingerprint=intent.fingerprint, key_fate=fate, policy_days=self._rules.days,
            as_of=intent.as_of, issued_at=issued_at, calls=intent.calls, files=intent.files,
            unregistered=intent.unregistered, digests=intent.digests, digests_sha256=intent.digests_sha256))
        return {"certificate_sha256": sha256, "finished_at": issued_at}

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

