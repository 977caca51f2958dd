"""Verify: whether register, vault, holds, certificates and trail agree, and what is sealed can be opened. Report only.

Structure is compared whole, every night; content by opening a share of the calls, so that each is opened once in 31 days
(after restic's and borg's ``check``; risks.md, item 124).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from ami_bridge.certificates import Certificates
from ami_bridge.certificates import verify as verify_certificates
from ami_bridge.core.certificate import digest
from ami_bridge.core.entries import Entry
from ami_bridge.core.entry_json import entry_from_json
from ami_bridge.core.errors import AudioError, KeyMissing
from ami_bridge.core.holds import Hold, hold_from_json
from ami_bridge.register import Register
from ami_bridge.register.days import KeptFile
from ami_bridge.services.holds import HOLD_FILE, held_entry
from ami_bridge.vault import Vault, day_key, entry_file, hold_key

NIGHTS = 31
YOUNG = timedelta(hours=1)
"""A file without an entry may be on its way in for so long."""

RESTORE = "Restore the file from a backup; if there is none, the call is lost: see docs/operations."
SHOW = "Show it to the auditor; 'ami-bridge audit verify' says the same, also against copies of the heads kept elsewhere."
PURGE = "Run 'ami-bridge purge', and see why it did not run."


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that does not agree: what, and what to do."""

    what: str
    remedy: str


@dataclass(slots=True)
class Seen:
    """How much was looked at."""

    calls: int = 0
    opened: int = 0
    unopened: int = 0


class Verify:
    """Looks, and changes nothing. ``trail`` says what is wrong with the trail, if anything.

    ``everything``: open every call, not just tonight's share.
    """

    def __init__(self, vault: Vault, register: Register, certificates: Certificates,
                 trail: Callable[[datetime], str] = lambda now: "", *, everything: bool = False) -> None:
        self._trail = trail
        self._vault = vault
        self._register = register
        self._certificates = certificates
        self._everything = everything
        self.seen = Seen()

    def run(self, now: datetime) -> Iterator[Disagreement]:
        """Yield what does not agree, as it is found."""
        with self._register.reading() as work:
            days = sorted({*work.days.all_days(), *self._vault.days()})
            holds = work.holds.all()
        for day in days:
            yield from self._day(day, now)
        for hold in holds:
            if hold.active(now):
                yield from self._hold(hold)
        yield from self._certified()
        wrong = self._trail(now)
        if wrong:
            yield Disagreement(f"the trail: {wrong}", SHOW)

    def _day(self, day: date, now: datetime) -> Iterator[Disagreement]:
        if day < now.astimezone(UTC).date() - timedelta(days=1):
            yield Disagreement(f"{day} is past its time, and something of it is still here", PURGE)
            return
        with self._register.reading() as work:
            registered = {named(kept, day): kept.sealed_sha256 for kept in work.days.files(day)}
            there = set(self._vault.files(day_key(day)))
            for file in sorted(registered.keys() - there):
                yield Disagreement(f"{file} is registered, and is not in the vault", RESTORE)
            for file in sorted(there - registered.keys()):
                if self._is_old(file):
                    yield Disagreement(f"{file} is in the vault, and no entry names it",
                                       "It goes with its day. If entries were lost, run 'ami-bridge rebuild'.")
            for entry, _ in work.calls.of_day(day, now):
                self.seen.calls += 1
                if self._everything or in_share(entry.id, now.date()):
                    yield from self._call(entry, {file: registered[file] for file in files_of(entry)}, there)

    def _is_old(self, file: str) -> bool:
        try:
            return time.time() - self._vault.path(file).stat().st_mtime > YOUNG.total_seconds()
        except FileNotFoundError:
            return False

    def _call(self, entry: Entry, registered: dict[str, str], there: set[str]) -> Iterator[Disagreement]:
        """Open one call's files; a missing one was reported already."""
        for file, sha256 in registered.items():
            if file in there and self._vault.digest(file).sha256 != sha256:
                yield Disagreement(f"{file} was changed since it was sealed", RESTORE)
                return
        if not registered.keys() <= there:
            return
        try:
            yield from self._opened(entry)
            self.seen.opened += 1
        except KeyMissing:
            self.seen.unopened += 1
        except AudioError as error:
            yield Disagreement(str(error.args[0]), error.hint)

    def _opened(self, entry: Entry) -> Iterator[Disagreement]:
        key = day_key(entry.expiry_day)
        if entry_from_json(self._vault.read(entry_file(key, entry.id))) != entry:
            yield Disagreement(f"call {entry.id} is registered otherwise than it was sealed",
                               "The sealed entry is the older one: who changed the register?")
        for recording in entry.recordings:
            if recording.audio and self._vault.open(recording.audio.file).sha256 != recording.audio.sha256:
                yield Disagreement(f"{recording.audio.file} does not hold what was registered", RESTORE)

    def _hold(self, hold: Hold) -> Iterator[Disagreement]:
        remedy = "Release it, and place it again while the call is still there."
        try:
            sealed = hold_from_json(self._vault.read(f"{hold_key(hold.id)}/{HOLD_FILE}"))
            if (sealed.call, sealed.until) != (hold.call, hold.until):
                yield Disagreement(f"hold {hold.id} is registered otherwise than it was sealed", remedy)
            for recording in held_entry(self._vault, hold).recordings:
                file = f"{hold_key(hold.id)}/{recording.id}.wav.age"
                if recording.audio and self._vault.open(file).sha256 != recording.audio.sha256:
                    yield Disagreement(f"{file} does not hold what was registered", remedy)
        except KeyMissing:
            self.seen.unopened += 1
        except (AudioError, FileNotFoundError):
            yield Disagreement(f"the copy of hold {hold.id} is not complete, or does not open", remedy)

    def _certified(self) -> Iterator[Disagreement]:
        with self._register.reading() as work:
            certified = work.destructions.certified()
        if not certified:
            return
        for problem in verify_certificates(self._certificates.directory):
            yield Disagreement(problem, "Compare with the backup of the certificates.")
        for intent in certified:
            if _digest(self._certificates.directory / f"{intent.number:06}.json") != intent.certificate_sha256:
                yield Disagreement(f"certificate {intent.number:06} is not the one that the register knows",
                                   "Compare with the backup of the certificates.")


def in_share(call: UUID, today: date) -> bool:
    """Tell whether a call is one of those to be opened today; every call is, once in 31 days."""
    return call.int % NIGHTS == today.toordinal() % NIGHTS


def named(kept: KeptFile, day: date) -> str:
    """Return the name of a registered file in the vault."""
    return kept.file or entry_file(day_key(day), kept.call)


def files_of(entry: Entry) -> list[str]:
    """Return the names of a call's files in the vault."""
    audio = [recording.audio.file for recording in entry.recordings if recording.audio]
    return [entry_file(day_key(entry.expiry_day), entry.id), *audio]


def _digest(path: Path) -> str:
    return digest(path.read_bytes()) if path.exists() else ""
