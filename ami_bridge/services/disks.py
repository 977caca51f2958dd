"""How much room there is where calls are kept."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ami_bridge.config import Config
from ami_bridge.register import engine


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system, for those who are not root: bytes free and in all; files that can still be made (None: uncounted)."""

    free: int
    size: int
    inodes: int | None

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the file system that holds ``path``; OSError when it cannot be asked. Source: statvfs(3)."""
        found = os.statvfs(path)
        return cls(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize,
                   found.f_favail if found.f_files else None)


def places(config: Config) -> dict[str, Path]:
    """Return where room is needed, by name; the register only where it is a file."""
    file = engine.file_of(engine.address_of(config.register.url))
    found = {"spool": config.spool.directory, "vault": config.vault.directory}
    return found | ({"register": file.parent} if file else {})
