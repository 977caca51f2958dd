"""systemd's journal, told in fields of its own: one datagram an entry.

The protocol is a page long and stable (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). The library for it, systemd-python, must
be compiled against systemd's headers at every installation, and brings a reader of journals that nobody needs here: so the
writing stands here. Entries too long for a datagram, which the protocol would have in a sealed memory file, are cut.
"""

import logging
import os
import socket
import struct
from collections.abc import Mapping

SOCKET = "/run/systemd/journal/socket"
LONGEST = 32_768
"""Bytes of a sentence; Linux gives a datagram some 200 KiB (net.core.wmem_default)."""

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""The syslog priorities of our levels (syslog(3)); what lies between counts as the lower one."""


def ours(descriptor: int, stream: str) -> bool:
    """Tell whether an open file is the journal's stream: ``stream`` is ``device:inode``, as systemd.exec(5) puts it into
    JOURNAL_STREAM. Who inherited the variable and then turned the output elsewhere does not speak to the journal.
    """
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return stream == f"{found.st_dev}:{found.st_ino}"


def entry(fields: Mapping[str, str]) -> bytes:
    """Return the datagram of one entry: ``NAME=value`` lines; a value with line breaks has its length before it."""
    return b"".join(_field(name.encode(), _cut(value).encode()) for name, value in fields.items())


def priority(level: int) -> int:
    """Return the syslog priority of a level of logging."""
    return PRIORITIES[max((known for known in PRIORITIES if known <= level), default=logging.DEBUG)]


def _cut(value: str) -> str:
    return value.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" in value:
        return name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    return name + b"=" + value + b"\n"


class Journal:
    """The journal's socket: no connection, so that a journal that was restarted is found again. It never waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def send(self, fields: Mapping[str, str]) -> None:
        """Write one entry; OSError when the journal does not take it at once."""
        self._socket.sendto(entry(fields), socket.MSG_DONTWAIT, self._path)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
