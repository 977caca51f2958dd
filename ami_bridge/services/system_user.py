"""The system user of the daemon, and working as it for a while."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services.changes import Deed

USER = "ami-bridge"
HOME = Path("/var/lib/ami-bridge")
UMASK = 0o007


def exists(user: str = USER) -> bool:
    """Tell whether there is such a user."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def is_member(group: str, user: str = USER) -> bool:
    """Tell whether a user is in a group, as the system's lists say."""
    try:
        entry = grp.getgrnam(group)
        return user in entry.gr_mem or pwd.getpwnam(user).pw_gid == entry.gr_gid
    except KeyError:
        return False


def owner_of(path: Path) -> str | None:
    """Return who owns a path; None when it is not there, or its owner has no name."""
    try:
        return path.owner()
    except (OSError, KeyError):
        return None


def joining(group: str) -> Iterator[Deed]:
    """Yield what makes the daemon's user, and a member of the group that it shares with Asterisk."""
    if not exists():
        yield Deed(f"Make the system user {USER}", f"Made the system user {USER}", lambda: run(
            "useradd", "--system", "--user-group", "--home-dir", str(HOME), "--no-create-home",
            "--shell", "/usr/sbin/nologin", USER))
    if group != USER and not is_member(group):
        yield Deed(f"Make {USER} a member of the group {group}", f"Made {USER} a member of the group {group}",
                   lambda: run("usermod", "--append", "--groups", group, USER))


def leaving(group: str) -> Iterator[Deed]:
    """Yield what ends that membership."""
    if group != USER and is_member(group):
        yield Deed(f"Take {USER} out of the group {group}", f"Took {USER} out of the group {group}",
                   lambda: run("gpasswd", "--delete", USER, group))


@contextmanager
def working_as(user: str = USER) -> Iterator[None]:
    """Make and change files as that user would, with all its groups; as root only. For a process with one thread."""
    entry, groups, umask = pwd.getpwnam(user), os.getgroups(), os.umask(UMASK)
    os.setgroups(os.getgrouplist(user, entry.pw_gid))
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
        os.umask(umask)


def run(program: str, *words: str) -> None:
    """Run a program of the system; ConfigurationError with its words when it fails or is not there."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise ConfigurationError(f"the program {program} is not on this machine", "Install it, and run it again.")
    done = subprocess.run([path, *words], capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode:
        said = (done.stderr or done.stdout).strip() or f"code {done.returncode}"
        raise ConfigurationError(f"{program} {' '.join(words)} failed: {said}", "Mend that, and run it again.")
