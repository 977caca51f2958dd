"""The doctor's look at sealing and forgetting: keys, vault, certificates, the last run of the purge, the clock."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ami_bridge.config import Config
from ami_bridge.core.alarms import Alarm, Backlog, Name, Seen, judge
from ami_bridge.core.errors import KeyMissing
from ami_bridge.services.findings import Finding, error, ok, warning
from ami_bridge.spool import Spool

OTHERS, EVERYBODY = 0o077, 0o007
MADE_BY_INIT = "Run 'ami-bridge init'."
GRAVE = {Name.PURGE_OVERDUE, Name.PAST_ITS_TIME, Name.CLOCK_BEHIND, Name.KEYS_NONE, Name.RECORDING_SUSPENDED}
"""Alarms that break a promise already; the others may come to that."""

NAMES = {Name.KEYS_FEW: "keys", Name.KEYS_NONE: "keys", Name.HOLD_REMINDER: "holds", Name.REQUESTS_DUE: "requests",
         Name.ACCOUNT_LOCKED: "accounts", Name.RECORDING_SUSPENDED: "recording", Name.REGISTER_UNAVAILABLE: "register"}
"""Under which name the doctor reports an alarm; all others are of the purge."""


def forgetting(config: Config) -> Iterator[Finding]:
    """Judge what the daemon's watch judges: the last runs, what is past its time, holds, whether keys suffice."""
    from ami_bridge.register import Register
    from ami_bridge.services.watch import Lookout, installed_at, patience_of

    now = datetime.now(UTC)
    register = Register.open(config.register.url)
    try:
        lookout = Lookout(register, Spool(config.spool.directory), installed_at(config, now), lambda at: days(config, at))
        seen, away = lookout.look(Backlog(), now)
    finally:
        register.close()
    found = [*judge(seen, patience_of(config), now), *away]
    yield from (_as_finding(alarm) for alarm in found)
    if not any(_name(alarm.name) == "purge" for alarm in found):
        yield ok("purge", _last_run(seen))
    if not any(_name(alarm.name) == "keys" for alarm in found):
        yield ok("keys", f"there is a key for every call of {seen.key_days} days")


def days(config: Config, now: datetime) -> int:
    """Return for how many days the keys suffice."""
    from ami_bridge.services.keys import days_left
    from ami_bridge.vault import KeyStore

    return days_left(KeyStore(config.keys.recipients, config.keys.private), now.date(), config.retention.days)


def clock(config: Config) -> Iterator[Finding]:
    """Look whether the kernel holds the clock for synchronised: the purge goes by it."""
    from ami_bridge.clock import synchronised

    state = synchronised()
    if state is False and config.purge.clock == "synchronised":
        yield warning("clock", "the kernel holds the clock for not synchronised: the purge refuses to run until it is",
                      "Start a time service (timedatectl set-ntp true), or set [purge] clock = \"trusted\".")
    else:
        yield ok("clock", "is synchronised" if state else "is trusted" if state is False else "cannot be asked")


def private_keys(config: Config) -> Iterator[Finding]:
    """Look whether the private halves are here, and closed to everybody else."""
    folder = config.keys.private
    if folder is None:
        yield ok("private-keys", "are kept on another host")
    elif not folder.is_dir():
        yield error("private-keys", f"the folder {folder} is not there", MADE_BY_INIT)
    elif folder.stat().st_mode & OTHERS:
        yield error("private-keys", f"{folder} is open to others than its owner", f"Run 'chmod 0700 {folder}'.")
    else:
        files = [path for path in folder.iterdir() if path.suffix == ".key"]
        shared = [path for path in files if path.stat().st_mode & OTHERS]
        if shared:
            yield error("private-keys", f"{len(shared)} of {len(files)} private keys in {folder} are open to others",
                        f"Run 'chmod 0600 {folder}/*.key'.")
        else:
            yield ok("private-keys", f"{len(files)} are in {folder}, closed to others")


def vault(config: Config) -> Iterator[Finding]:
    """Look whether the vault is there and closed to everybody, and holds nothing in the clear."""
    folder = config.vault.directory
    if not folder.is_dir():
        yield error("vault", f"the folder {folder} is not there", MADE_BY_INIT)
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield error("vault", f"this user cannot write in {folder}", "Run as the daemon's user, or mend its owner.")
    elif folder.stat().st_mode & EVERYBODY:
        yield error("vault", f"{folder} is open to everybody on this machine", f"Run 'chmod o= {folder}'.")
    elif plain := in_the_clear(folder):
        yield error("vault", f"{plain.parent} holds a sound file that is not sealed",
                    "Nothing of ours puts it there: see what it is, and remove it.")
    else:
        yield ok("vault", f"{folder} is there, and what is in it is sealed")


def in_the_clear(folder: Path) -> Path | None:
    """Return the first sound file in a folder of the vault, None when there is none."""
    with os.scandir(folder) as folders:
        for one in folders:
            if one.is_dir(follow_symlinks=False):
                with os.scandir(one.path) as files:
                    plain = next((file.path for file in files if file.name.endswith(".wav")), None)
                if plain:
                    return Path(plain)
    return None


def certificates(config: Config) -> Iterator[Finding]:
    """Look whether certificates can be signed, and the newest is signed with our key. All of them: 'certificate verify'."""
    from ami_bridge.certificates import PUBLIC, numbers

    key, folder = config.certificates.key, config.certificates.directory
    if not key.is_file() or not (folder / PUBLIC).is_file():
        absent = key if not key.is_file() else folder / PUBLIC
        yield error("certificates", f"{absent} is not there: nothing can be destroyed", MADE_BY_INIT)
    elif key.stat().st_mode & OTHERS:
        yield error("certificates", f"{key} is open to others than its owner", f"Run 'chmod 0600 {key}'.")
    else:
        yield newest(folder, max(numbers(folder), default=0))


def newest(folder: Path, number: int) -> Finding:
    """Judge the newest certificate by its signature alone: cheap, however many there are."""
    from ami_bridge.certificates import PUBLIC_KEYS
    from ami_bridge.core.certificate import parse, signed_bytes
    from ami_bridge.signing import is_signed, public_keys_in

    if number == 0:
        return ok("certificates", "can be signed; none was issued yet")
    try:
        certificate, signature = parse((folder / f"{number:06}.json").read_bytes())
        ours = is_signed(signed_bytes(certificate), signature, public_keys_in(folder.glob(PUBLIC_KEYS)))
    except (KeyMissing, ValueError, TypeError):
        ours = False
    if not ours:
        return error("certificates", f"certificate {number:06} is damaged, or was not signed with the key in {folder}",
                     "Run 'ami-bridge certificate verify', and look into the backup.")
    return ok("certificates", f"the newest of {number} is signed with our key")


def _as_finding(alarm: Alarm) -> Finding:
    said = alarm.sentence[:1].lower() + alarm.sentence[1:]
    return (error if alarm.name in GRAVE else warning)(_name(alarm.name), said, alarm.remedy)


def _name(alarm: Name) -> str:
    """Return under which name the doctor reports an alarm."""
    return NAMES.get(alarm, "purge")


def _last_run(seen: Seen) -> str:
    last = seen.kept.last_success if seen.kept else None
    return f"the last good run ended at {last:%Y-%m-%d %H:%M} UTC" if last else "has not run yet"
