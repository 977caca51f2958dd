"""Stands in for systemctl where no systemd runs: starts and stops what unit files say, as far as the tests ask.

Read of a unit: ExecStart, User, Group, UMask, Environment, LoadCredential, RuntimeDirectory and StateDirectory with their modes,
InaccessiblePaths and PrivateUsers; drop-ins after it. Other fences (ProtectSystem and the like) are not put up: whether systemd takes
the units is tested in tests/units.
"""

import ctypes
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

UNITS = Path("/etc/systemd/system")
STATE = Path("/run/standin")
NEW_MOUNTS, NEW_USERS = 0x20000, 0x10000000
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
SET_DUMPABLE = 4
LIBC = ctypes.CDLL(None, use_errno=True)


def main(words: list[str]) -> None:
    verb, units = words[0], [word for word in words[1:] if not word.startswith("-")]
    with (STATE / "asked").open("a") as asked:
        asked.write(" ".join(words) + "\n")
    for unit in units:
        path = UNITS / (unit if "." in unit else f"{unit}.service")
        if not path.exists():
            sys.exit(f"Unit {path.name} not found.")
        if path.suffix == ".service":
            if verb in ("stop", "restart") or (verb == "disable" and "--now" in words):
                stop(path.stem)
            if verb in ("start", "restart") or (verb == "enable" and "--now" in words):
                start(path)


def settings(path: Path) -> dict[str, list[str]]:
    """All lines of [Service], drop-ins after the unit; a key may stand several times."""
    found: dict[str, list[str]] = {}
    for file in (path, *sorted(Path(f"{path}.d").glob("*.conf"))):
        for line in file.read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith(("#", ";")):
                found.setdefault(key.strip(), []).append(value.strip())
    return found


def start(path: Path) -> None:
    unit = settings(path)
    last = {key: values[-1] for key, values in unit.items()}
    user = last.get("User")
    account = pwd.getpwnam(user) if user else None
    for kind, base in (("Runtime", "/run"), ("State", "/var/lib")):
        if account and f"{kind}Directory" in last:
            folder(Path(base) / last[f"{kind}Directory"], int(last.get(f"{kind}DirectoryMode", "0755"), 8), account)
    credentials = handed_over(path, unit.get("LoadCredential", []), account)
    environment = dict(os.environ)
    for line in unit.get("Environment", []):
        environment.update(word.split("=", 1) for word in shlex.split(line.replace("%d", str(credentials))))
    barred = [word.lstrip("-") for line in unit.get("InaccessiblePaths", []) for word in line.split()]
    fence = Fence([Path(path) for path in barred], last.get("PrivateUsers") == "yes", account)
    with (STATE / f"{path.stem}.log").open("ab") as log:
        process = subprocess.Popen(shlex.split(last["ExecStart"]), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                   env=environment, umask=int(last.get("UMask", "0022"), 8), start_new_session=True,
                                   preexec_fn=fence.put_up)
    (STATE / f"{path.stem}.pid").write_text(str(process.pid))


@dataclass(frozen=True)
class Fence:
    """What keeps a service from paths, and from the processes of others of its user (user_namespaces(7), ptrace(2))."""

    barred: list[Path]
    users: bool
    account: pwd.struct_passwd | None

    def put_up(self) -> None:
        """Go behind it, as the user that the unit names: in the process that is about to be the service."""
        if self.barred:
            checked(LIBC.unshare(NEW_MOUNTS))
            checked(LIBC.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None))
        for path in self.barred:
            if path.is_dir():
                checked(LIBC.mount(b"none", bytes(path), b"tmpfs", 0, b"mode=000"))
            elif path.exists():
                nothing = STATE / "nothing"
                nothing.touch(0o000)
                checked(LIBC.mount(bytes(nothing), bytes(path), None, BIND, None))
        if self.account:
            uid, gid = self.account.pw_uid, self.account.pw_gid
            os.initgroups(self.account.pw_name, gid)
            os.setgid(gid)
            os.setuid(uid)
            if self.users:
                checked(LIBC.unshare(NEW_USERS))
                checked(LIBC.prctl(SET_DUMPABLE, 1))
                for file, said in (("uid_map", f"{uid} {uid} 1"), ("setgroups", "deny"), ("gid_map", f"{gid} {gid} 1")):
                    Path("/proc/self", file).write_text(said)


def checked(code: int) -> None:
    if code:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def folder(path: Path, mode: int, account: pwd.struct_passwd) -> None:
    """As systemd does: everything below is given to the user too, but only when the folder itself is not theirs yet."""
    path.mkdir(exist_ok=True)
    if (path.stat().st_uid, path.stat().st_gid) != (account.pw_uid, account.pw_gid):
        for one in (path, *path.rglob("*")):
            os.chown(one, account.pw_uid, account.pw_gid, follow_symlinks=False)
    path.chmod(mode)


def handed_over(path: Path, lines: list[str], account: pwd.struct_passwd | None) -> Path:
    place = Path("/run/credentials") / path.name
    shutil.rmtree(place, ignore_errors=True)
    if lines:
        place.mkdir(parents=True)
    for line in lines:
        name, source = line.split(":", 1)
        (place / name).write_bytes(Path(source).read_bytes())
        (place / name).chmod(0o400)
        if account:
            os.chown(place / name, account.pw_uid, account.pw_gid)
    return place


def stop(name: str) -> None:
    file = STATE / f"{name}.pid"
    if not file.exists():
        return
    pid = int(file.read_text())
    until = time.monotonic() + 30
    try:
        os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    except (ProcessLookupError, FileNotFoundError):
        pass
    file.unlink()


STATE.mkdir(exist_ok=True)
main(sys.argv[1:])
