"""The steps of every destruction, in an order that a kill at any moment cannot turn into a loss.

intent committed -> key destroyed -> files listed -> files -> rows -> certificate. Each step may be repeated.
Until the key is gone nothing takes longer for more calls; after that nobody can read what is still there.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from ami_bridge import __version__
from ami_bridge.certificates import Certificates
from ami_bridge.core.certificate import DESTROYED, ERASED, KEPT, NOT_HERE, Certificate
from ami_bridge.core.destructions import Intent, Step
from ami_bridge.core.retention import HOLD
from ami_bridge.register import Register, RegisterUnavailable
from ami_bridge.register.register import Work
from ami_bridge.vault import Vault, entry_file

log = logging.getLogger(__name__)

ROWS_A_TRANSACTION = 5000
FILES_A_BATCH = 5000
SCRUB_TRIES = 20
FORGET_TRIES = 6
STEPS = list(Step)

Progress = Callable[[str, int, int], None]
"""Told a key, how many files and calls of it are gone, and how many there were."""


def _nobody(key: str, done: int, of: int) -> None:
    """Nobody wants to know how far it is."""


class Destroying:
    """Begins destructions and takes their steps. Whoever calls it keeps others out (``Vault.alone``)."""

    def __init__(self, vault: Vault, register: Register, certificates: Certificates, exchange: str, days: int,
                 now: Callable[[], datetime]) -> None:
        self._vault = vault
        self._register = register
        self._certificates = certificates
        self._exchange = exchange
        self._days = days
        self._now = now

    def prepare(self) -> None:
        """Have the key of the certificates at hand, before anything is begun; KeyMissing, OSError."""
        self._certificates.create()

    def begin(self, work: Work, key: str, as_of: datetime, *, calls: int, whole: bool,
              request: UUID | None = None) -> Intent:
        """Commit, in a transaction, to destroy what is sealed to a key: all of it, what is past its time, or a request's."""
        known = next((pair.fingerprint for pair in self._vault.keys.pairs() if pair.name == key), "")
        number = max(work.destructions.last_number(), self._certificates.head()[0]) + 1
        intent = Intent(number=number, key=key, whole=whole, as_of=as_of, begun_at=as_of, fingerprint=known, calls=calls,
                        request=request)
        work.destructions.begin(intent)
        return intent

    def resume(self, progress: Progress = _nobody) -> list[Certificate]:
        """Finish what was begun and not finished; return the certificates."""
        with self._register.reading() as work:
            unfinished = work.destructions.unfinished()
        return [self.finish(intent, progress) for intent in unfinished]

    def finish(self, intent: Intent, progress: Progress = _nobody) -> Certificate:
        """Take every step that is left of a destruction; return its certificate."""
        steps = {Step.KEY_GONE: self._destroy_key, Step.LISTED: self._list_files, Step.FILES_GONE: self._destroy_files,
                 Step.ROWS_GONE: self._forget_rows, Step.CERTIFIED: self._certify}
        done = STEPS.index(intent.step)
        for step in STEPS[done + 1:]:
            changed = steps[step](intent, progress)
            with self._register.writing() as work:
                work.destructions.advance(intent.number, step, **changed)
            intent = replace(intent, step=step, **changed)
        log.info("%s is destroyed: %d calls, %d files", intent.key, intent.calls, intent.files,
                 extra={"action": "destroyed"})
        return self._certificates.read(intent.number)

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
            as_of = None if intent.whole else intent.as_of
            yield from work.days.sealed(date.fromisoformat(intent.key), as_of, intent.request)

    def _going(self, intent: Intent) -> Iterator[str]:
        """Yield the files that go: all under the key, or only those of the calls past their time or erased on request."""
        if intent.whole:
            yield from self._vault.files(intent.key)
            return
        with self._register.reading() as work:
            for kept in work.days.files(date.fromisoformat(intent.key), intent.as_of, intent.request):
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
                return work.days.forget(day, intent.as_of, ROWS_A_TRANSACTION, intent.whole, intent.request)
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
        issued_at = self._now()
        sha256 = self._certificates.issue(Certificate(
            number=intent.number, previous="", exchange=self._exchange, program=f"ami-bridge {__version__}",
            key=intent.key, whole=intent.whole, fingerprint=intent.fingerprint, key_fate=self._fate(intent),
            policy_days=self._days, as_of=intent.as_of, issued_at=issued_at, calls=intent.calls, files=intent.files,
            unregistered=intent.unregistered, digests=intent.digests, digests_sha256=intent.digests_sha256))
        return {"certificate_sha256": sha256, "finished_at": issued_at}

    def _fate(self, intent: Intent) -> str:
        if not intent.whole:
            return ERASED if intent.request else KEPT
        return DESTROYED if intent.fingerprint and self._vault.keys.private else NOT_HERE
