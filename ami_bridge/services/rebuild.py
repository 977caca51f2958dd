"""Rebuild: a register is filled from vault and keys. What is past its time is not even opened."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from ami_bridge.core.actions import Action
from ami_bridge.core.entries import Entry
from ami_bridge.core.entry_json import entry_from_json
from ami_bridge.core.errors import AmiBridgeError, AudioError, RegisterError
from ami_bridge.core.holds import hold_from_json
from ami_bridge.core.retention import HOLD
from ami_bridge.register import Register
from ami_bridge.services.holds import HOLD_FILE
from ami_bridge.vault import Vault, day_key, entry_file, hold_key
from ami_bridge.vault.vault import ENTRY


@dataclass(slots=True)
class Rebuilt:
    """What came of it: calls and holds restored, calls past their time or erased left out; what could not be restored."""

    calls: int = 0
    holds: int = 0
    past: int = 0
    erased: int = 0
    problems: list[str] = field(default_factory=list)


def rebuild(vault: Vault, register: Register, now: datetime, *, add: bool = False) -> Rebuilt:
    """Fill an empty register from the vault; or ``add`` to one what is in the vault and not in it, and touch nothing else.

    RegisterError when it is not empty and nothing is to be added; KeyMissing without the private keys. One call that cannot
    be restored is reported, and keeps none of the others back. What was erased here, or a hold that was destroyed here, does
    not come back with a copy of the vault.
    """
    with register.reading() as work:
        holds = {hold_key(hold.id) for hold in work.holds.all()}
        if not add and (work.days.all_days() or holds):
            raise RegisterError("the register is not empty", "Add to it with 'ami-bridge rebuild --add'. Or move it away, "
                                "run 'ami-bridge register upgrade', and again.")
        erased = {object for _, object in work.audit.objects([Action.CALL_ERASED])}
        destroyed = {intent.key for intent in work.destructions.certified()}
    done, today = Rebuilt(), now.astimezone(UTC).date()
    for day in vault.days():
        if day < today:
            done.past += len(list(_entries(vault, day)))
            continue
        register.prepare([day])
        for file in sorted(set(_entries(vault, day)) - _registered(register, day)):
            _restore(vault, register, file, now, erased, done)
    for key in vault.keys_in_use():
        if key.startswith(HOLD) and key not in holds | destroyed:
            _restore_hold(vault, register, key, done)
    return done


def _entries(vault: Vault, day: date) -> Iterator[str]:
    return (file for file in vault.files(day_key(day)) if file.endswith(ENTRY))


def _registered(register: Register, day: date) -> set[str]:
    with register.reading() as work:
        return {entry_file(day_key(day), kept.call) for kept in work.days.files(day)}


def _restore(vault: Vault, register: Register, file: str, now: datetime, erased: set[str], done: Rebuilt) -> None:
    try:
        entry = entry_from_json(vault.read(file))
        if str(entry.id) in erased:
            done.erased += 1
            return
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
