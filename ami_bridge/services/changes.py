"""Changes to the machine: computed first, then shown or carried out, so that a dry run is the same code."""

import difflib
import grp
import os
import pwd
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.spool import write_durably

HIDDEN = "(a secret)"
FRESH = "(a fresh secret)"
_SECRET = re.compile(r"^(.?[\s;]*\w*(?:secret|passw|md5_cred|token)\w*\s*=>?\s*)(?!.*secrets/).*$", re.IGNORECASE)
CONTEXT_LINES = 1


@dataclass(frozen=True, slots=True)
class Rights:
    """Owner, group (names) and mode."""

    user: str
    group: str
    mode: int

    def of(self, path: Path) -> bool:
        """Tell whether a path has these rights. A name that is not there yet has nothing."""
        status = path.lstat()
        try:
            ids = pwd.getpwnam(self.user).pw_uid, grp.getgrnam(self.group).gr_gid
        except KeyError:
            return False
        return ids == (status.st_uid, status.st_gid) and stat.S_IMODE(status.st_mode) == self.mode

    def give(self, path: Path) -> None:
        """Give them to a path. A link is refused: it may lead root anywhere."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fchown(descriptor, pwd.getpwnam(self.user).pw_uid, grp.getgrnam(self.group).gr_gid)
            os.fchmod(descriptor, self.mode)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Write a file whole. ``rights`` None: those that it has. ``secret``: its content is shown to nobody."""

    path: Path
    before: str | None
    after: str
    rights: Rights | None = None
    secret: bool = False

    @property
    def said(self) -> str:
        """Return what was done."""
        return f"{'Wrote' if self.before is None else 'Changed'} {self.path}"

    def shown(self) -> str:
        """Return the change as a unified diff without secrets."""
        if self.secret:
            return f"--- {_name(self.path, self.before)}\n+++ {self.path}\n@@ -0,0 +1 @@\n+{FRESH}\n"
        return diff(self.path, self.before, self.after)

    def carry_out(self) -> None:
        """Do it, so that after a crash the old or the new file is there whole."""
        self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        status = self.path.stat() if self.before is not None else None
        write_durably(self.path, self.after.encode("utf-8", "surrogateescape"), 0o600)
        if self.rights:
            self.rights.give(self.path)
        elif status:
            os.chown(self.path, status.st_uid, status.st_gid)
            self.path.chmod(stat.S_IMODE(status.st_mode))


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a file or a link of ours; ``folder``: and the folder, when nothing is left in it."""

    path: Path
    folder: bool = False

    @property
    def said(self) -> str:
        """Return what was done."""
        return f"Removed {self.path}"

    def shown(self) -> str:
        """Return it in a line."""
        return f"Remove {self.path}\n"

    def carry_out(self) -> None:
        """Do it. May be repeated."""
        self.path.unlink(missing_ok=True)
        if self.folder and self.path.parent.is_dir() and not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()


@dataclass(frozen=True, slots=True)
class Deed:
    """Anything else: ``shown_as`` before, ``said`` after."""

    shown_as: str
    said: str
    act: Callable[[], object]

    def shown(self) -> str:
        """Return it in a line."""
        return self.shown_as + "\n"

    def carry_out(self) -> None:
        """Do it."""
        self.act()


Change = Write | Remove | Deed


def carried_out(changes: Iterable[Change]) -> Iterator[str]:
    """Carry out each change, one after the other; yield what was done. ConfigurationError names what could not be."""
    for change in changes:
        try:
            change.carry_out()
        except OSError as error:
            raise ConfigurationError(f"{error.filename or change.said} cannot be changed ({error.strerror})",
                                     "Run it as root. What is done already stays; running it again goes on.") from None
        yield change.said


def folder(path: Path, rights: Rights) -> Iterator[Deed]:
    """Yield what makes a folder with these rights, or gives them to it; nothing when it has them."""

    def act() -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        rights.give(path)

    who = f"{rights.user}:{rights.group} {rights.mode:04o}"
    if not path.is_dir():
        yield Deed(f"Make the folder {path} ({who})", f"Made the folder {path} ({who})", act)
    elif not rights.of(path):
        yield Deed(f"Give the folder {path} to {who}", f"Gave the folder {path} to {who}", act)


def link(path: Path, target: Path) -> Iterator[Deed]:
    """Yield what makes a symbolic link, or has it lead elsewhere. Not for a path where a file stands."""
    if path.is_symlink() and path.readlink() == target:
        return

    def act() -> None:
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(path)

    yield Deed(f"Link {path} to {target}", f"Linked {path} to {target}", act)


def diff(path: Path, before: str | None, after: str) -> str:
    """Return a unified diff; the values of settings that hold secrets, anybody's, are not in it."""
    lines = difflib.unified_diff(_lines(before or ""), _lines(after), _name(path, before), str(path), n=CONTEXT_LINES)
    hidden = FRESH if before is None else HIDDEN
    return "".join(_SECRET.sub(rf"\1{hidden}", line.rstrip("\n")) + "\n" for line in lines)


def _lines(text: str) -> list[str]:
    return [line + "\n" for line in text.removesuffix("\n").split("\n")] if text else []


def _name(path: Path, before: str | None) -> str:
    return str(path) if before is not None else "/dev/null"
