"""Holds: place and look at them. A held call is sealed anew to a key of its own, so that its day can still die.

Order of placing: key -> audio and entry sealed and read back -> the row -> the hold itself, sealed beside them. Killed
before the row nothing is held, and the next purge clears what is left; killed after it, the next purge takes the last step.
Plain audio stays in memory (``memfd_create(2)``), never in a file.
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.entries import Entry, Recording
from ami_bridge.core.entry_json import entry_from_json, entry_to_json
from ami_bridge.core.errors import AudioError, KeyMissing, NotFound
from ami_bridge.core.holds import Hold, checked, hold_from_json, hold_to_json, reminder_at
from ami_bridge.core.recordings import State
from ami_bridge.core.requests import Answer
from ami_bridge.core.retention import HOLD
from ami_bridge.register import Register
from ami_bridge.register.calls import id_span
from ami_bridge.register.register import Work
from ami_bridge.vault import Vault, audio_file, day_key, entry_file, hold_key

HOLD_FILE = "hold.json.age"

Tracing = Callable[[Work, Action, str], None]
"""Records in a transaction what is done in it, and to which hold."""

Also = Callable[[Work, Hold], None]
"""Does what belongs to a hold in the transaction that places it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for: which call (its id or the beginning of it), why, and until when.

    ``damaged``: whether a call is held without those of its recordings that do not open.
    """

    call: str
    reason: str
    basis: str
    by: str
    until: datetime
    remind_at: datetime | None = None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A call that can be held or handed out, and the key under which it lies."""

    entry: Entry
    key: str


class Holding:
    """Places holds, and opens them. That needs the private keys (KeyMissing elsewhere); placing shuts out a purge (Busy)."""

    def __init__(self, vault: Vault, register: Register, now: Callable[[], datetime],
                 new_id: Callable[[datetime], UUID], trace: Tracing = lambda work, action, object: None) -> None:
        self._trace = trace
        self._vault = vault
        self._register = register
        self._now = now
        self._new_id = new_id

    def place(self, wish: Wish) -> Hold:
        """Hold a call. NotFound when there is no such call any more; ConfigurationError when the wish says too little."""
        with self.placing() as place:
            return place(wish, lambda work, hold: None)

    @contextmanager
    def placing(self) -> Iterator[Callable[[Wish, Also], Hold]]:
        """Give what places holds, one after the other, with no purge between them. Busy when one goes on."""
        with self._vault.alone():
            yield self._place

    def _place(self, wish: Wish, also: Also) -> Hold:
        now = self._now()
        source = self.source(wish.call, now)
        entry = source.entry
        hold = checked(Hold(id=self._new_id(now), call=entry.id, exchange=entry.exchange, expires_at=entry.expires_at,
                            reason=wish.reason, basis=wish.basis, placed_by=wish.by, placed_at=now, until=wish.until,
                            remind_at=reminder_at(wish.remind_at, wish.until, now)))
        key = hold_key(hold.id)
        self._vault.keys.make([key])
        with self._all_or_nothing(key), there():
            self._copy(source, key, damaged=wish.damaged)
        with self._register.writing() as work, self._all_or_nothing(key):
            work.holds.add(hold)
            also(work, hold)
            self._trace(work, Action.HOLD_PLACED, str(hold.id))
        seal_hold(self._vault, hold)
        return hold

    @contextmanager
    def _all_or_nothing(self, key: str) -> Iterator[None]:
        """Destroy the copy and its key where this fails, which is before the row of its hold can have been committed."""
        try:
            yield
        except BaseException:
            self._vault.keys.destroy(key)
            self._vault.destroy(list(self._vault.files(key)))
            raise

    def show(self, id_or_prefix: str) -> tuple[Hold, Entry]:
        """Return a hold and the call it holds, opened with the hold's key. NotFound when it has ended."""
        with self._register.reading() as work:
            hold = _found(work.holds.get(id_or_prefix))
        if not hold.active(self._now()):
            raise NotFound("the hold has ended, and its copy is no longer to be read", "The next purge destroys it.")
        with there():
            return hold, held_entry(self._vault, hold)

    def source(self, call: str, now: datetime) -> Source:
        """Return a call, and where it lies: under its day, or, past its time, under a hold. NotFound when it is gone."""
        with self._register.reading() as work:
            entry = _unless_doomed(work, work.calls.get(call, now))
            held = [hold for hold in work.holds.all() if hold.active(now) and _begins(hold.call, call)]
        if len({hold.call for hold in held} | ({entry.id} if entry else set())) > 1:
            raise NotFound("the id is ambiguous: several calls begin so", "Give more of its digits.")
        if entry:
            return Source(entry, day_key(entry.expiry_day))
        if held:
            with there():
                return Source(held_entry(self._vault, held[-1]), hold_key(held[-1].id))
        raise NotFound("there is no such call in the register", "List them with 'ami-bridge calls'.", mistake="no-call")

    def _copy(self, source: Source, key: str, *, damaged: bool) -> None:
        copied = tuple(self._copied(source, key, recording, damaged) for recording in source.entry.recordings)
        entry = replace(source.entry, recordings=copied)
        self._vault.seal(entry_file(key, entry.id), io.BytesIO(entry_to_json(entry)))
        self._vault.settle(key)

    def _copied(self, source: Source, key: str, recording: Recording, damaged: bool) -> Recording:
        if recording.audio is None:
            return recording
        try:
            self._copy_audio(audio_file(source.key, recording.id), audio_file(key, recording.id), recording.audio.sha256)
        except (AudioError, FileNotFoundError):
            if not damaged:
                raise
            return replace(recording, state=State.MISSING, audio=None)
        return recording

    def _copy_audio(self, source: str, target: str, sha256: str) -> None:
        with open(os.memfd_create("held", os.MFD_CLOEXEC), "w+b") as memory:
            if self._vault.open(source, memory).sha256 != sha256:
                raise AudioError(f"the sealed file {source} is not what was registered", "Run 'ami-bridge verify'.")
            memory.seek(0)
            self._vault.seal(target, memory)


def seal_hold(vault: Vault, hold: Hold) -> None:
    """Seal a hold beside the copy that it holds. That marks the copy as complete, and brings the hold back in a rebuild."""
    vault.seal(f"{hold_key(hold.id)}/{HOLD_FILE}", io.BytesIO(hold_to_json(hold)))
    vault.settle(hold_key(hold.id))


def finish_placing(vault: Vault, holds: Iterable[Hold]) -> None:
    """Take the last step of placing some registered holds, where it is missing and the rest of the copy is there."""
    for hold in holds:
        key = hold_key(hold.id)
        files = set(vault.files(key))
        if f"{key}/{HOLD_FILE}" in files:
            continue
        with suppress(AudioError, FileNotFoundError, KeyMissing):
            recordings = held_entry(vault, hold).recordings
            if all(audio_file(key, one.id) in files for one in recordings if one.audio):
                seal_hold(vault, hold)


def held_entry(vault: Vault, hold: Hold) -> Entry:
    """Return the call that a hold holds, opened with the hold's key."""
    return entry_from_json(vault.read(entry_file(hold_key(hold.id), hold.call)))


def whole_holds(vault: Vault, keys: Iterable[str]) -> frozenset[UUID]:
    """Return the holds, among the names of keys, whose copy in the vault was completed: what is written last is there."""
    return frozenset(UUID(key.removeprefix(HOLD)) for key in keys
                     if key.startswith(HOLD) and f"{key}/{HOLD_FILE}" in set(vault.files(key)))


def outlived(vault: Vault, hold: UUID, now: datetime) -> bool:
    """Tell whether a hold that the register does not know has ended, by its sealed copy; False when that does not open."""
    try:
        return not hold_from_json(vault.read(f"{hold_key(hold)}/{HOLD_FILE}")).active(now)
    except (KeyMissing, AudioError, FileNotFoundError):
        return False


@contextmanager
def there() -> Iterator[None]:
    """Have a sealed file that is gone told as such: AudioError."""
    try:
        yield
    except FileNotFoundError:
        raise AudioError("a sealed file of this call is gone from the vault", "Run 'ami-bridge verify'.") from None


def _unless_doomed(work: Work, entry: Entry | None) -> Entry | None:
    """Return the call, unless two persons agreed to erase it and that was begun: it must not be copied any more."""
    requests = {intent.request for intent in work.destructions.unfinished() if intent.request}
    doomed = {one.call for request in requests for one in work.requests.calls(request) if one.answer is Answer.ERASED}
    return None if entry and entry.id in doomed else entry


def _begins(call: UUID, id_or_prefix: str) -> bool:
    span = id_span(id_or_prefix)
    return span is not None and span[0] <= call <= span[1]


def _found(hold: Hold | None) -> Hold:
    if hold is None:
        raise NotFound("there is no such hold", "List them with 'ami-bridge hold list'.")
    return hold
