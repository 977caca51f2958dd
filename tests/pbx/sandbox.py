"""Running a command inside a root file system, in a mount namespace of its own that dies with the command."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

SYSTEM_FOLDERS = frozenset(["bin", "boot", "dev", "etc", "lib", "lib64", "media", "mnt", "opt", "proc", "run", "sbin", "srv", "sys", "usr", "var"])


def inside(root: Path, folders: Iterable[Path], command: Sequence[str]) -> list[str]:
    """The command line that runs `command` in `root`, with `folders` seen there at the same absolute paths.

    The process keeps its pid through unshare, sh and chroot, so a signal to it reaches `command` itself.
    """
    script = [*_system_mounts(root), *_folder_mounts(root, folders), "umask 027",
              f"exec chroot {_quoted(root)} {shlex.join(command)}"]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", "\n".join(script)]


def _system_mounts(root: Path) -> list[str]:
    return [f"mount -t proc proc {_quoted(root / 'proc')}", f"mount --rbind /dev {_quoted(root / 'dev')}"]


def _folder_mounts(root: Path, folders: Iterable[Path]) -> list[str]:
    """Outer folders first, so that a folder within another is still seen after both are mounted."""
    ordered = sorted({folder.resolve() for folder in folders}, key=lambda folder: len(folder.parts))
    tops = {folder.parts[1] for folder in ordered} - SYSTEM_FOLDERS
    lines = []
    for top in sorted(tops):  # a tmpfs takes the mount points, so that the cached root stays as it was built
        lines += [f"mkdir -p {_quoted(root / top)}", f"mount -t tmpfs tmpfs {_quoted(root / top)}"]
    for folder in ordered:
        seen = _quoted(root / folder.relative_to("/"))
        lines += [f"mkdir -p {seen}", f"mount --bind {_quoted(folder)} {seen}"]
    return lines


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
