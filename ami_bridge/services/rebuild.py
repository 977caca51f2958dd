"""Rebuild: an empty register is filled from vault and keys. What is past its time is not even opened."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from ami_bridge.core.entries import Entry
from ami_bridge.core.entry_json import entry_from_json
from ami_bridge.core.errors import AmiBridgeError, AudioError, RegisterError
from ami_bridge.core.holds import hold_from_json
from ami_bridge.core.retention import HOLD
from ami_bridge.register import Register
from ami_bridge.services.holds import HOLD_FILE
from ami_bridge.vault import Vault, day_key
from ami_bridge.vault.vault import ENTRY


@dataclass(slots=True)
class Rebuilt:
    """What came of it: calls and holds restored, calls past their time left out, and what could not be restored."""

    calls: int = 0
    holds: int = 0
    past: int = 0
    problems: list[str] = field(default_factory=list)


def rebuild(vault: Vault, register: Register, now: datetime) -> Rebuilt:
    """Fill an empty register from the vault. RegisterError when it is not empty; KeyMissing without the private keys.

    One call that cannot be restored is reported, and keeps none of the others back.
    """
    with register.reading() as work:
        if work.days.all_days() or work.holds.all():
            raise RegisterError("the register is not empty", "Move it away, run 'ami-bridge register upgrade', and again.")
    done, today = Rebuilt(), now.astimezone(UTC).date()
    for day in vault.days():
        if day < today:
            done.past += len(list(_entries(vault, day)))
            continue
        register.prepare([day])
        for file in _entries(vault, day):
            _restore(vault, register, file, now, done)
    for key in vault.keys_in_use():
        if key.startswith(HOLD):
            _restore_hold(vault, register, key, done)
    return done


def _entries(vault: Vault, day: date) -> Iterator[str]:
    return (file for file in vault.files(day_key(day)) if file.endswith(ENTRY))


def _restore(vault: Vault, register: Register, file: str, now: datetime, done: Rebuilt) -> None:
    try:
        entry = entry_from_json(vault.read(file))
        if entry.expires_at <= now:
            done.past += 1
            return
        _check_audio(vault, entry)
        with register.writing() as work:
            done.calls += work.calls.add(entry, vault.digest(file).sha256)
    except (AmiBridgeError, OSError) as error:
        done.problems.append(f"{file}: {error}")


def _check_audio(vault: Vault, entry: Entry) -> None:
    for recording in entry.recordings:
        if recording.audio and vault.digest(recording.audio.file).sha256 != recording.audio.sealed_sha256:
            raise AudioError(f"{recording.audio.file} was changed since it was sealed", "Restore it from a backup.")


def _restore_hold(vault: Vault, register: Register, key: str, done: Rebuilt) -> None:
    try:
        hold = hold_from_json(vault.read(f"{key}/{HOLD_FILE}"))
        with register.writing() as work:
            work.holds.add(hold)
        done.holds += 1
    except (AmiBridgeError, OSError) as error:
        done.problems.append(f"{key}: {error}")
