"""Intake: a finished call goes from the spool into vault and register. Every step may be repeated.

measure -> seal audio and entry (read back) -> commit the entry in one transaction -> remove plaintext and ticket.
Killed between any two, the next run does it again and doubles nothing: the call's UUID is the key everywhere.
"""

import hashlib
import io
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from ami_bridge.asterisk.files import MOST_FRAMES, Part, Stereo, Wav, measure, segments
from ami_bridge.core.entries import Audio, Entry, Recording, account, ended_at
from ami_bridge.core.entry_json import entry_to_json
from ami_bridge.core.errors import AmiBridgeError, AudioError, RegisterError, SpoolError
from ami_bridge.core.facts import Closed, Ended, Fact, Gone, Started
from ami_bridge.core.findings import Finding, Kind, of_entry
from ami_bridge.core.findings import Outcome as Mended
from ami_bridge.core.ids import RANDOM_BYTES, uuid7
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import State, own_frames
from ami_bridge.core.retention import expires_at, expiry_day
from ami_bridge.core.tickets import Ticket
from ami_bridge.register import Register, RegisterUnavailable
from ami_bridge.services.report import say
from ami_bridge.services.superseded import GIVEN_UP, is_superseded
from ami_bridge.spool import Spool
from ami_bridge.vault import Vault, audio_file, day_key, entry_file

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=3)
"""How long a closed file must have rested before a scan takes it without having been told."""

ABANDONED = timedelta(seconds=30)
"""How long an open file must have rested, when its channel is gone, before it is taken for one that a crash left."""

SIDE_BY_SIDE = 0.5
"""Seconds by which the two sides of a recording may be longer or shorter than what was mixed of them."""

FORGOTTEN = timedelta(hours=4)
"""The same when nobody knows of the channel: MixMonitor writes every two seconds, so long a silence has no living writer."""

NO_FILE_AFTER = timedelta(minutes=5)
"""When a call that nobody reported closed and whose file never came is given up as MISSING."""


class Outcome(StrEnum):
    """What became of one attempt."""

    REGISTERED = "registered"
    NOT_YET = "not-yet"
    GONE = "gone"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Intake:
    """Takes finished calls in. Blocking: run it in a worker thread, one at a time."""

    def __init__(self, spool: Spool, vault: Vault, register: Register, now: Callable[[], datetime],
                 most_frames: int = MOST_FRAMES) -> None:
        self._most_frames = most_frames
        self._spool = spool
        self._vault = vault
        self._register = register
        self._now = now
        self.on_finding: Callable[[], None] = lambda: None
        """Called, in the thread of ``take``, when a call was registered with something amiss; set by whoever tells of it."""

        self.on_registered: Callable[[Entry, datetime], None] = lambda entry, at: None
        """Called, in that thread, with each call that has come into the register, and when; set by whoever counts them."""

    def take(self, call: UUID) -> Outcome:
        """Take one call in. RegisterUnavailable, KeyMissing, AudioError or OSError: nothing is lost, try again later."""
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
        if self._is_registered(ticket.call):
            self._spool.discard(ticket.call, ticket.recording)
            return Outcome.REGISTERED
        if is_superseded(ticket, facts, self._spool, self._register):
            return self._drop(ticket)
        if ticket.recording is None:
            return self._keep(ticket, facts, None, self._now(), self._now())
        wav, changed = self._sound(self._spool.audio(ticket.recording))
        if not self._finished(facts, wav, changed, ticket.opened_at):
            return Outcome.NOT_YET
        return self._keep(ticket, facts, wav, max(ended_at(facts, changed), ticket.opened_at), changed)

    def is_due(self, call: UUID, hung_up: Callable[[str], bool]) -> bool:
        """Tell whether a scan should have this call taken in: its audio is complete, or will never be.

        ``hung_up`` tells of a uniqueid whether that channel was seen to hang up.
        """
        try:
            ticket = self._spool.ticket(call)
        except FileNotFoundError:
            return False
        except SpoolError:
            return True
        if ticket.recording is None:
            surely = ticket.reason is not Reason.HUNG_UP_IN_NOTICE or hung_up(ticket.uniqueid)
            return surely or self._now() - ticket.opened_at > GIVEN_UP
        facts = self._spool.facts(call)
        if is_superseded(ticket, facts, self._spool, self._register):
            return True
        wav, changed = self._sound(self._spool.audio(ticket.recording))
        return self._finished(facts, wav, changed, ticket.opened_at) or self._is_registered(call)

    def _finished(self, facts: list[Fact], wav: Wav | None, changed: datetime, opened_at: datetime) -> bool:
        told = any(isinstance(fact, Closed) for fact in facts)
        if wav is None:
            return told or self._now() - opened_at > NO_FILE_AFTER
        rested = self._now() - changed
        if wav.closed:
            return told or rested > SETTLED
        gone = any(isinstance(fact, Ended | Gone) for fact in facts)
        return rested > (ABANDONED if gone else FORGOTTEN)

    def _is_registered(self, call: UUID) -> bool:
        """Tell whether an earlier run came as far as the register, and was killed while it tidied up."""
        with self._register.reading() as work:
            return work.calls.has(call)

    def _drop(self, ticket: Ticket) -> Outcome:
        self._spool.discard(ticket.call, ticket.recording)
        log.info("A ticket of a script that was given up is dropped: another announced the call",
                 extra={"action": "ticket_superseded", "call": str(ticket.call)})
        return Outcome.SUPERSEDED

    def _sound(self, path: Path) -> tuple[Wav | None, datetime]:
        """Return the file's measure (None: no file, or no sound file) and when it last changed (now, when absent)."""
        try:
            changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            return measure(path), changed
        except FileNotFoundError:
            return None, self._now()
        except AudioError:
            return Wav(0, 8000, closed=False), changed

    def _keep(self, ticket: Ticket, facts: list[Fact], wav: Wav | None, end: datetime, changed: datetime) -> Outcome:
        expires = expires_at(end, ticket.days)
        if expires <= self._now():
            return self._forget(ticket)
        key = day_key(expiry_day(expires))
        recordings = self._recordings(key, ticket, wav, facts, changed) if ticket.recording else ()
        with self._register.reading() as work:
            directory = work.agents.all(ticket.exchange)
        entry = account(ticket, facts, recordings, end, directory)
        sealed = self._vault.seal(entry_file(key, entry.id), io.BytesIO(entry_to_json(entry)))
        self._vault.settle(key)
        crashed = not (wav.closed if wav else any(isinstance(fact, Closed | Ended) for fact in facts))
        amiss = [self._finding(entry, *found) for found in of_entry(entry, facts, crashed=crashed)]
        with self._register.writing() as work:
            new = work.calls.add(entry, sealed.sealed.sha256)
            for finding in amiss:
                work.findings.add(finding)
        self._spool.discard(ticket.call, ticket.recording)
        if new:
            self.on_registered(entry, self._now())
            _say(entry)
            for finding in amiss:
                say(finding)
            if amiss:
                self.on_finding()
        return Outcome.REGISTERED

    def _finding(self, entry: Entry, kind: Kind, outcome: Mended) -> Finding:
        now, subject = self._now(), str(entry.id)
        random = hashlib.sha256(f"{kind} {subject}".encode()).digest()[:RANDOM_BYTES]
        return Finding(id=uuid7(now, random), exchange=entry.exchange, kind=kind, subject=subject, outcome=outcome,
                       at=entry.ended_at, found_at=now, call=entry.id)

    def _recordings(self, key: str, ticket: Ticket, wav: Wav | None, facts: list[Fact],
                    changed: datetime) -> tuple[Recording, ...]:
        assert ticket.recording
        if wav is None:
            begun = any(isinstance(fact, Started) for fact in facts)
            return (Recording(id=ticket.recording, segment=1, state=State.MISSING if begun else State.NO_AUDIO),)
        own = own_frames(facts, wav.frames, wav.rate, changed)
        if own == 0:
            return (Recording(id=ticket.recording, segment=1, state=State.NO_AUDIO),)
        source, state = self._spool.audio(ticket.recording), State.SEALED if wav.closed else State.RECOVERED
        found = None if wav.closed else file_digest(source)
        legs = self._legs(ticket.call, ticket.recording, wav)
        parts = segments(replace(wav, frames=own), self._most_frames // 2 if legs else self._most_frames)
        files = legs or (source,)
        return tuple(Recording(id=id, segment=number, state=state, audio=self._seal(key, id, files, wav, part, found))
                     for number, part in enumerate(parts, 1) for id in [segment_id(ticket, number)])

    def _legs(self, call: UUID, recording: UUID, wav: Wav) -> tuple[Path, ...]:
        """Return the two sides of a recording where they are there and as long as what was mixed of them; else nothing."""
        legs, near = self._spool.legs(recording), SIDE_BY_SIDE * wav.rate
        sides = [self._sound(leg)[0] for leg in legs]
        fit = all(side and side.rate == wav.rate and abs(side.frames - wav.frames) < near for side in sides)
        if any(sides) and not fit:
            log.warning("The two sides of a recording do not fit together: it is kept mixed",
                        extra={"action": "legs_unfit", "call": str(call)})
        return legs if fit else ()

    def _seal(self, key: str, id: UUID, sources: tuple[Path, ...], wav: Wav, frames: range, found: str | None) -> Audio:
        whole = wav.closed and len(frames) == wav.frames
        with ExitStack() as stack:
            files = [stack.enter_context(open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb")) for source in sources]
            sound = Stereo(files[0], files[1], frames) if len(files) > 1 else files[0] if whole else Part(files[0], frames)
            sealed = self._vault.seal(audio_file(key, id), sound)
        return Audio(file=sealed.file, frames=len(frames), rate=wav.rate, size=sealed.plain.size, sha256=sealed.plain.sha256,
                     sealed_size=sealed.sealed.size, sealed_sha256=sealed.sealed.sha256, found_sha256=found)

    def _forget(self, ticket: Ticket) -> Outcome:
        """Destroy a call whose time came while it waited: nobody may read it any more, and so nobody keeps it."""
        self._spool.discard(ticket.call, ticket.recording)
        log.error("A call reached the end of its time in the spool, and was destroyed unregistered",
                  extra={"action": "call_expired_in_spool", "call": str(ticket.call)})
        return Outcome.EXPIRED

    def _set_aside(self, call: UUID, error: AmiBridgeError) -> Outcome:
        """Put a call that can never be registered out of the queue's way; its audio stays in the spool."""
        self._spool.set_aside(call)
        log.critical("A ticket cannot be registered and was set aside, its audio kept: %s", error,
                  extra={"action": "ticket_damaged", "call": str(call)})
        return Outcome.DAMAGED


def segment_id(ticket: Ticket, number: int) -> UUID:
    """Return the id of a call's n-th recording: the first is the ticket's, the others follow from it."""
    assert ticket.recording
    if number == 1:
        return ticket.recording
    return uuid7(ticket.opened_at, hashlib.sha256(f"{ticket.recording} {number}".encode()).digest()[:RANDOM_BYTES])


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file (hex)."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _say(entry: Entry) -> None:
    bad = entry.state in (State.MISSING, State.RECOVERED)
    log.log(logging.ERROR if bad else logging.INFO, "Call registered as %s", entry.state,
            extra={"action": "call_registered", "call": str(entry.id), "reason": str(entry.reason)})
