"""As whom Asterisk runs, and what that user may do with files: by /proc where it runs, else by its configuration.

Source: Linux ``proc(5)`` (status: Uid, Gid, Groups, Umask), ``path_resolution(7)``. Access lists (ACL) are not looked at.
"""

import grp
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PID_FILE = "asterisk.pid"
NAME = "asterisk"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as the kernel sees it. ``umask``: what new files lack; None when it is not running."""

    uid: int
    gid: int
    groups: frozenset[int]
    umask: int | None = None

    @property
    def name(self) -> str:
        """Return the user's name, or its number where it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def may(self, path: Path, wanted: int) -> bool:
        """Tell whether the file's own bits allow ``wanted`` (os.R_OK and so on). OSError when we cannot look ourselves."""
        found = path.stat()
        if self.uid == 0:
            return True
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.groups | {self.gid} else 0
        return (found.st_mode >> shift) & wanted == wanted

    def stopped_at(self, path: Path, wanted: int) -> Path | None:
        """Return the first folder, or the file itself, that does not let this user through; None when it may."""
        for folder in reversed(path.parents):
            if not self.may(folder, os.X_OK):
                return folder
        return None if self.may(path, wanted) else path


def running(folder: Path) -> Identity | None:
    """Return as whom the Asterisk runs whose pid file is in ``folder``; None when it does not run, or is not to be seen."""
    try:
        pid = int((folder / PID_FILE).read_text("ascii"))
        said = dict(_fields((PROC / str(pid) / "status").read_text("utf-8")))
        if said["Name"] != NAME:
            return None
        groups = frozenset(map(int, said["Groups"].split()))
        return Identity(int(said["Uid"].split()[1]), int(said["Gid"].split()[1]), groups, int(said["Umask"], 8))
    except (OSError, ValueError, KeyError):
        return None


def named(user: str, group: str) -> Identity | None:
    """Return a user of this machine by name, with all of its groups; None when there is none of that name."""
    try:
        found = pwd.getpwnam(user)
        gid = grp.getgrnam(group).gr_gid if group else found.pw_gid
    except KeyError:
        return None
    return Identity(found.pw_uid, gid, frozenset(os.getgrouplist(user, gid)))


def _fields(status: str) -> Iterator[tuple[str, str]]:
    for line in status.splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()
