"""What the kernel says of the disk under a folder: its file system, and whether it is encrypted.

Sources: proc(5), "/proc/pid/mounts"; Linux ``Documentation/ABI/stable/sysfs-block``; dmsetup(8): the UUID of an encrypted
volume begins with ``CRYPT-``.
"""

import os
from dataclasses import dataclass
from pathlib import Path

MOUNTS, DEVICES = Path("/proc/mounts"), Path("/sys/dev/block")
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
NETWORK = frozenset({"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4",
                     "orangefs", "smb3", "smbfs"})
NETWORK_FUSE = ("ceph", "curlftpfs", "davfs", "gcsfuse", "glusterfs", "goofys", "juicefs", "moosefs", "rclone", "s3",
                "sshfs")
"""How the types of FUSE that come over a network go on after ``fuse.``."""

CRYPT = "CRYPT-"


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: what is mounted, where, and its type."""

    source: str
    place: str
    kind: str

    @property
    def in_memory(self) -> bool:
        """Tell whether it is gone when the machine is switched off."""
        return self.kind in IN_MEMORY

    @property
    def remote(self) -> bool:
        """Tell whether it comes over the network."""
        kind, _, behind = self.kind.partition(".")
        return kind in NETWORK or (kind == "fuse" and behind.startswith(NETWORK_FUSE))

    @property
    def host(self) -> str:
        """Return the host of a remote one (``host:/export``, ``//host/share``, ``user@host:folder``), else the source."""
        source = self.source.rpartition("@")[2] if ":" in self.source.rpartition("@")[2] else self.source
        if source.startswith("//"):
            return source[2:].partition("/")[0].rpartition("@")[2]
        if source.startswith("["):
            return source[1:].partition("]")[0]
        return source.partition(":")[0]


def mount_of(folder: Path, mounts: str) -> Mount:
    """Return the mount that holds ``folder``, from the text of /proc/mounts; of several at one place the last."""
    found = [Mount(*map(_plain, line.split(" ")[:3])) for line in mounts.splitlines() if line.count(" ") >= 2]
    whole = folder.resolve()
    holding = [(len(one.place), number) for number, one in enumerate(found) if whole.is_relative_to(one.place)]
    return found[max(holding)[1]] if holding else Mount("", "/", "unknown")


def _plain(field: str) -> str:
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def encrypted(path: Path, devices: Path = DEVICES) -> bool:
    """Tell whether an encrypted volume is known to lie under ``path``, at whatever depth (LVM upon it, for instance)."""
    device = path.stat().st_dev
    return _encrypted(devices / f"{os.major(device)}:{os.minor(device)}")


def _encrypted(device: Path, deep: int = 8) -> bool:
    try:
        if (device / "dm" / "uuid").read_text("ascii").startswith(CRYPT):
            return True
    except OSError:
        pass
    below = sorted((device / "slaves").glob("*")) if deep else []
    return bool(below) and all(_encrypted(one, deep - 1) for one in below)
