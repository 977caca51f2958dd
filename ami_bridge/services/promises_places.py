"""Evidence of protection: where things lie, whether they are sealed, and who can read them (N7, N9, N10)."""

import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from ami_bridge.certificates import verify as wrong_certificates
from ami_bridge.config.endpoints import hosts, is_here, is_loopback, is_vouched
from ami_bridge.core.certificate import digest
from ami_bridge.core.errors import KeyMissing
from ami_bridge.core.promise_evidence import Accounts, Endpoint, Rest, Sealed, Storage, Way
from ami_bridge.register.engine import address_of, file_of
from ami_bridge.services.mounts import MOUNTS, Mount, encrypted, mount_of
from ami_bridge.services.promises_house import House
from ami_bridge.vault.vault import AUDIO, ENTRY, LOCK, TEMPORARY

SEAL = b"age-encryption.org/v1\n"
"""How a sealed file begins. Source: C2SP ``age.md``, "Header"."""

SAMPLE = 1000
"""Files of the vault of which the beginning is read; all are judged by their names."""

EVERYBODY, OTHERS = 0o007, 0o077
BECOME_ROOT = ("sudo", "wheel", "admin")
TLS = frozenset({"require", "verify-ca", "verify-full"})


def endpoints(house: House) -> list[Endpoint]:
    """Look at each setting that names another machine."""
    vouched = house.config.controller.endpoints
    return [Endpoint(setting=setting, host=host, here=is_here(host), vouched=is_vouched(host, vouched))
            for setting, value in house.config.endpoint_settings().items() for host in hosts(value)]


def folders(house: House) -> dict[str, Path]:
    """Return where callers' data and keys lie, by setting."""
    config, register = house.config, register_file(house)
    found = {"[vault] directory": config.vault.directory, "[spool] directory": config.spool.directory}
    if config.keys.private:
        found["[keys] private"] = config.keys.private
    if register:
        found["[register] url"] = register.parent
    return found


def register_file(house: House) -> Path | None:
    """Return the register's file; None where it is a server's."""
    return file_of(address_of(house.config.register.url))


def mounted(house: House) -> dict[str, tuple[Path, Mount]]:
    """Return each of these folders with what is mounted there."""
    mounts = MOUNTS.read_text("utf-8", "replace")
    return {setting: (folder, mount_of(folder, mounts)) for setting, folder in folders(house).items()}


def storage(house: House) -> list[Storage]:
    """Look for folders that come over the network."""
    vouched = house.config.controller.endpoints
    return [Storage(folder=setting, kind=mount.kind, host=mount.host,
                    vouched=is_here(mount.host) or is_vouched(mount.host, vouched))
            for setting, (_, mount) in mounted(house).items() if mount.remote]


def sealed(house: House) -> Sealed:
    """Look at every name in the vault, and at the beginning of some files, spread evenly."""
    files = list(_vault_files(house.config.vault.directory))
    bare = [file for file in files if not file.name.endswith((AUDIO, ENTRY))]
    others = [file for file in files if file.name.endswith((AUDIO, ENTRY))]
    looked = others[::max(1, -(-len(others) // SAMPLE))]
    bare += [file for file in looked if not _begins_sealed(file)]
    return Sealed(files=len(files), looked=len(looked), bare=len(bare), folder=str(bare[0].parent) if bare else "")


def _vault_files(root: Path) -> Iterator[Path]:
    """Yield what lies in the vault, but for its lock and what is just being sealed."""
    for where, _, names in os.walk(root, onerror=_refuse):
        yield from (Path(where) / name for name in names
                    if name != LOCK and not (name.startswith(".") and name.endswith((AUDIO + TEMPORARY, ENTRY + TEMPORARY))))


def _refuse(problem: OSError) -> None:
    raise problem


def _begins_sealed(file: Path) -> bool:
    """Tell whether a file begins as sealed ones do; one that the purge removed meanwhile is no matter."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(SEAL)) == SEAL
    except FileNotFoundError:
        return True


def permissions(house: House) -> list[str]:
    """Look for what is open to others; for private keys the group is another, too."""
    return [str(path) for path, mask in _guarded(house) if path.exists() and path.stat().st_mode & mask]


def _guarded(house: House) -> Iterator[tuple[Path, int]]:
    config, register = house.config, register_file(house)
    yield from ((path, EVERYBODY) for path in (config.vault.directory, config.spool.directory, house.file))
    yield from ((path, EVERYBODY) for path in (config.ami.secret_file, config.agi.secret_file) if path)
    if register:
        yield from ((register.with_name(register.name + ending), EVERYBODY) for ending in ("", "-wal", "-shm"))
    if config.keys.private:
        yield config.keys.private, OTHERS
        yield from ((path, OTHERS) for path in sorted(config.keys.private.glob("*.key")))
    yield from ((key, OTHERS) for key in (config.certificates.key, config.audit.key, config.accounts.key))


def at_rest(house: House) -> list[Rest]:
    """Look how spool and register lie there: neither is sealed by us."""
    found = [Rest(setting, _lies(folder, mount)) for setting, (folder, mount) in mounted(house).items()
             if setting in ("[spool] directory", "[register] url")]
    return found if register_file(house) else [*found, Rest("[register] url", "away")]


def _lies(folder: Path, mount: Mount) -> str:
    if mount.in_memory:
        return "memory"
    if mount.remote:
        return "away"
    return "encrypted" if encrypted(folder) else "plain"


def traffic(house: House) -> list[Way]:
    """Look at each way over the network. Alarms and figures name nobody: they need no protection."""
    config = house.config
    found = [Way(what="[register] url", host=host, safe=_by_tls(config.register.url))
             for host in hosts(config.register.url) if not is_here(host)]
    found += [Way(what=what, host=host, safe=None)
              for what, host in (("[ami] host", config.ami.host), ("[agi] host", config.agi.host))
              if not (is_loopback(host) or (what == "[ami] host" and is_here(host)))]
    return [*found, *(Way(what=one.folder, host=one.host, safe=None) for one in storage(house))]


def _by_tls(url: str) -> bool:
    """Tell whether libpq insists on TLS; without a word it only tries (``prefer``)."""
    asked = make_url(url).query.get("sslmode") or os.environ.get("PGSSLMODE", "")
    return asked in TLS


def certificates(house: House) -> tuple[int, tuple[str, ...]]:
    """Verify signatures, chain and digest lists, and that the certificates are those that the register knows."""
    folder = house.config.certificates.directory
    with house.reading() as work:
        certified = work.destructions.certified()
    if not certified:
        return 0, ()
    try:
        problems = wrong_certificates(folder)
    except KeyMissing as problem:
        problems = [str(problem.args[0])]
    other = [f"certificate {intent.number:06} is not the one that the register knows" for intent in certified
             if _digest(folder / f"{intent.number:06}.json") != intent.certificate_sha256]
    return len(certified), (*problems, *other)


def _digest(path: Path) -> str:
    return digest(path.read_bytes()) if path.exists() else ""


def accounts(house: House) -> Accounts:
    """List who can read the private keys and the register, by the bits of the files. Access lists are not looked at."""
    private, register = house.config.keys.private, register_file(house)
    return Accounts(keys=readers(private) if private else None, register=readers(register) if register else None)


def readers(path: Path) -> tuple[str, ...]:
    """Return the accounts that can read a path: its owner, its group where the group may, and whoever may become root."""
    found = path.stat()
    names = {"root", _user(found.st_uid), *(member for group in BECOME_ROOT for member in members(group))}
    if found.st_mode & stat.S_IRGRP:
        names |= set(members(found.st_gid))
    return tuple(sorted(names)) + (("everybody",) if found.st_mode & stat.S_IROTH else ())


def members(group: int | str) -> Iterator[str]:
    """Yield the accounts of a group, also those whose own group it is."""
    try:
        entry = grp.getgrgid(group) if isinstance(group, int) else grp.getgrnam(group)
    except KeyError:
        return
    yield from entry.gr_mem
    yield from (user.pw_name for user in pwd.getpwall() if user.pw_gid == entry.gr_gid)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


GATHERERS: dict[str, Callable[[House], Any]] = {
    "endpoints": endpoints, "storage": storage, "sealed": sealed, "permissions": permissions, "at-rest": at_rest,
    "traffic": traffic, "certificates": certificates, "accounts": accounts}
