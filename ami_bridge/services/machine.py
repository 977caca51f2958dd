"""What is found out about the Asterisk on this machine: where its files are, who runs it, which version it is."""

import grp
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ami_bridge.asterisk.conf import included, is_true, values
from ami_bridge.asterisk.process import Identity, running
from ami_bridge.core.errors import ConfigurationError

DEFAULT, RUN = Path("/etc/asterisk"), Path("/var/run/asterisk")
PROGRAM = Path("/usr/sbin/asterisk")
UNITS = (Path("/etc/systemd/system"), Path("/usr/lib/systemd/system"), Path("/lib/systemd/system"))
INCLUDES_DEEP = 8
PATIENCE = 20
"""Seconds in which ``asterisk -V`` must answer."""

OURS = "ami-bridge/"
"""How the paths of our own files begin, as seen from Asterisk's configuration folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The Asterisk that was found. ``user`` and ``group`` are names; ``version`` is empty when nothing told it."""

    folder: Path
    logs: Path
    user: str
    group: str
    version: str
    systemname: str
    unit: bool

    @property
    def described(self) -> str:
        """Return it in a sentence."""
        version = self.version or "of a version that nothing told"
        return f"Asterisk {version}, configured in {self.folder}, runs as {self.user}:{self.group}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the admin said; empty or None where it is to be found out."""

    folder: Path | None = None
    user: str = ""
    group: str = ""
    version: str = ""


def find(given: Given) -> Exchange | None:
    """Look at the machine; None where no asterisk.conf is. ConfigurationError when a user or a group is not there."""
    folder = given.folder or _running_with() or DEFAULT
    if not (folder / "asterisk.conf").is_file():
        return None
    text = expanded(folder, "asterisk.conf")
    places, options = values(text, "directories"), values(text, "options")
    folder = given.folder or Path(places.get("astetcdir", str(folder)))
    user, group = _runs_as(given, options, Path(places.get("astrundir", str(RUN))))
    return Exchange(
        folder=folder, user=user, group=group, version=given.version or _version(),
        logs=Path(places.get("astlogdir", "/var/log/asterisk")),
        systemname=_name(options), unit=_unit() is not None)


def expanded(folder: Path, name: str, depth: int = 0) -> str:
    """Return a configuration file with what it includes in its place, our own files left out; empty when it is not there."""
    path = folder / name
    if depth > INCLUDES_DEEP or not path.is_file():
        return ""
    lines = []
    for line in read(path).split("\n"):
        target = included(line)
        lines += [line] if target is None else [expanded(folder, one, depth + 1) for one in _files(folder, target)]
    return "\n".join(lines)


def read(path: Path) -> str:
    """Return a file's text so that every byte of it survives being written again."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror})", "Run it as root.") from None


def _files(folder: Path, target: str) -> Iterator[str]:
    if target.startswith(OURS):
        return
    here = Path(target)
    base, pattern = (Path(here.anchor), str(here.relative_to(here.anchor))) if here.is_absolute() else (folder, target)
    yield from (str(path) for path in sorted(base.glob(pattern)))


def _name(options: dict[str, str]) -> str:
    if is_true(options.get("autosystemname", "no")):
        return options.get("systemname") or os.uname().nodename
    return options.get("systemname", "")


def _runs_as(given: Given, options: dict[str, str], folder: Path) -> tuple[str, str]:
    """The first that says so: the admin, the running process, asterisk.conf, the unit's command, the name asterisk, root.

    ``folder``: where Asterisk's pid file is. Its command line overrules asterisk.conf, so the process comes first.
    """
    unit, now = _unit_says(), running(folder)
    process = (now.name, _group_of(now)) if now and given.user in ("", now.name) else ("", "")
    user = given.user or process[0] or options.get("runuser") or unit[0] or ("asterisk" if _known("asterisk") else "root")
    entry = _known(user)
    if entry is None:
        raise ConfigurationError(f"Asterisk is said to run as {user}, but there is no such user",
                                 "Name it with --asterisk-user.")
    group = given.group or process[1] or options.get("rungroup") or unit[1] or grp.getgrgid(entry.pw_gid).gr_name
    try:
        grp.getgrnam(group)
    except KeyError:
        raise ConfigurationError(f"Asterisk is said to run in the group {group}, but there is no such group",
                                 "Name it with --asterisk-group.") from None
    return user, group


def _known(user: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None


def _processes() -> Iterator[Path]:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == "asterisk":
                yield entry
        except OSError:
            continue


def _group_of(who: Identity) -> str:
    try:
        return grp.getgrgid(who.gid).gr_name
    except KeyError:
        return ""


def _running_with() -> Path | None:
    """The folder of the configuration that the one running Asterisk was started with (-C)."""
    found = list(_processes())
    try:
        words = (found[0] / "cmdline").read_bytes().decode("utf-8", "replace").split("\0") if len(found) == 1 else []
    except OSError:
        return None
    return Path(words[words.index("-C") + 1]).parent if "-C" in words[:-1] else None


def _unit() -> Path | None:
    return next((folder / "asterisk.service" for folder in UNITS if (folder / "asterisk.service").is_file()), None)


def _unit_says() -> tuple[str, str]:
    unit = _unit()
    text = unit.read_text("utf-8", "replace") if unit else ""
    said = [re.search(pattern, text, re.MULTILINE) for pattern in
            (r"^ExecStart=.*\s-U\s*(\S+)", r"^User=(\S+)", r"^ExecStart=.*\s-G\s*(\S+)", r"^Group=(\S+)")]
    user, group = said[0] or said[1], said[2] or said[3]
    return user[1] if user else "", group[1] if group else ""


def _version() -> str:
    """What ``asterisk -V`` says, without the name."""
    program = shutil.which("asterisk") or (str(PROGRAM) if PROGRAM.exists() else None)
    if program is None:
        return ""
    try:
        done = subprocess.run([program, "-V"], capture_output=True, text=True, errors="replace", timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"Asterisk (?:certified/)?(\S+)", done.stdout)
    return found[1] if found else ""
