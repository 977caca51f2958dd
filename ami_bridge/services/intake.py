"""Intake: a finished call goes from the spool into vault and register. Every step may be repeated.

measure -> keep in the vault (read back) -> commit the entry in one transaction -> remove plaintext and ticket.
Killed between any two, the next run does it again and doubles nothing: the call's UUID is the key everywhere.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from ami_bridge.asterisk.files import Wav, measure
from ami_bridge.core.calls import Closed, Fact, Started
from ami_bridge.core.entries import Audio, Entry, Recording, account, ended_at
from ami_bridge.core.errors import AmiBridgeError, AudioError, RegisterError, SpoolError
from ami_bridge.core.recordings import State
from ami_bridge.core.retention import expires_at, expiry_day
from ami_bridge.core.tickets import Ticket
from ami_bridge.register import Register, RegisterUnavailable
from ami_bridge.spool import Spool
from ami_bridge.vault import Vault

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=3)
"""How long a closed file must have rested before a scan takes it without having been told."""

NO_FILE_AFTER = timedelta(minutes=5)
"""When a call that nobody reported closed and whose file never came is given up as MISSING."""


class Outcome(StrEnum):
    """What became of one attempt."""

    REGISTERED = "registered"
    NOT_YET = "not-yet"
    GONE = "gone"
    DAMAGED = "damaged"


class Intake:
    """Takes finished calls in. Blocking: run it in a worker thread, one at a time."""

    def __init__(self, spool: Spool, vault: Vault, register: Register, retention_days: int,
                 now: Callable[[], datetime]) -> None:
        self._spool = spool
        self._vault = vault
        self._register = register
        self._days = retention_days
        self._now = now

    def take(self, call: UUID) -> Outcome:
        """Take one call in. RegisterUnavailable, AudioError or OSError: nothing is lost, try again later."""
        try:
            ticket = self._spool.ticket(call)
        except FileNotFoundError:
            return Outcome.GONE
        except SpoolError as error:
            return self._set_aside(call, error)
        facts = self._spool.facts(call)
        try:
            return self._take(ticket, facts)
        except RegisterUnavailable:
            raise
        except RegisterError as error:
            return self._set_aside(call, error)

    def _take(self, ticket: Ticket, facts: list[Fact]) -> Outcome:
        if ticket.recording is None:
            return self._register_call(ticket, facts, (), self._now())
        wav, changed = self._sound(self._spool.audio(ticket.recording))
        if not self._finished(ticket, facts, wav, changed):
            return Outcome.NOT_YET
        end = max(ended_at(facts, changed), ticket.opened_at)
        recording = self._recording(ticket.recording, wav, facts, end)
        return self._register_call(ticket, facts, (recording,), end)

    def is_due(self, call: UUID) -> bool:
        """Tell whether a scan should have this call taken in: its audio is complete, or will never be."""
        try:
            ticket = self._spool.ticket(call)
        except FileNotFoundError:
            return False
        except SpoolError:
            return True
        if ticket.recording is None:
            return True
        return self._finished(ticket, self._spool.facts(call), *self._sound(self._spool.audio(ticket.recording)))

    def _finished(self, ticket: Ticket, facts: list[Fact], wav: Wav | None, changed: datetime) -> bool:
        told = any(isinstance(fact, Closed) for fact in facts)
        if wav is None:
            return told or self._now() - ticket.opened_at > NO_FILE_AFTER or self._is_registered(ticket.call)
        return wav.closed and (told or self._now() - changed > SETTLED)

    def _is_registered(self, call: UUID) -> bool:
        """Tell whether an earlier run came as far as the register, and was killed while it tidied up."""
        with self._register.reading() as work:
            return work.calls.get(str(call), self._now()) is not None

    def _sound(self, path: Path) -> tuple[Wav | None, datetime]:
        """Return the file's measure (None: no file, or no sound file) and when it last changed (now, when absent)."""
        try:
            changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            return measure(path), changed
        except FileNotFoundError:
            return None, self._now()
        except AudioError as error:
            log.error("A live recording is unreadable: %s", error, extra={"action": "audio_unreadable"})
            return Wav(0, 8000, closed=False), changed

    def _recording(self, recording: UUID, wav: Wav | None, facts: list[Fact], end: datetime) -> Recording:
        if wav is None:
            begun = any(isinstance(fact, Started) for fact in facts)
            return Recording(id=recording, segment=1, state=State.MISSING if begun else State.NO_AUDIO)
        if wav.frames == 0:
            return Recording(id=recording, segment=1, state=State.NO_AUDIO)
        day = expiry_day(expires_at(end, self._days))
        kept = self._vault.keep(self._spool.audio(recording), recording, day)
        audio = Audio(file=kept.file, frames=wav.frames, rate=wav.rate, size=kept.size, sha256=kept.sha256)
        return Recording(id=recording, segment=1, state=State.STORED, audio=audio)

    def _register_call(self, ticket: Ticket, facts: list[Fact], recordings: tuple[Recording, ...],
                       end: datetime) -> Outcome:
        with self._register.writing() as work:
            directory = work.agents.all(ticket.exchange)
            entry = account(ticket, facts, recordings, end, directory, self._days)
            new = work.calls.add(entry)
        self._spool.discard(ticket.call, ticket.recording)
        if new:
            _say(entry)
        return Outcome.REGISTERED

    def _set_aside(self, call: UUID, error: AmiBridgeError) -> Outcome:
        """Put a call that can never be registered out of the queue's way; its audio stays in the spool."""
        self._spool.set_aside(call)
        log.critical("A ticket cannot be registered and was set aside, its audio kept: %s", error,
                  extra={"action": "ticket_damaged", "call": str(call)})
        return Outcome.DAMAGED


def _say(entry: Entry) -> None:
    bad = entry.state is State.MISSING
    log.log(logging.ERROR if bad else logging.INFO, "Call registered as %s", entry.state,
            extra={"action": "call_registered", "call": str(entry.id), "reason": str(entry.reason)})
