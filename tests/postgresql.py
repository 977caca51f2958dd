"""A PostgreSQL server of our own: Debian's package, a data directory in a temporary folder, gone at the end.

It listens on a socket in that folder only: no port, no password, nobody else.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

BINARIES = "/usr/lib/postgresql"
ACCOUNT = "postgres"
START_SECONDS = 30
KNOWS_STRATEGIES = 15
"""From this version on one may choose how a database is copied; before, files were."""

ROOM = 1 << 30
"""Bytes that must be free on a tmpfs before anything is put there."""

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "50",
    "timezone": "Asia/Kathmandu",
    "log_min_messages": "panic",
}
"""Quick, not durable. A time zone that no test expects, so that one which leans on the server's fails."""


class Server:
    """A running server. ``url(name)`` is a database's URL; ``make(name, template)`` copies a database."""

    def __init__(self, folder: Path, programs: Path, account: dict) -> None:
        self.folder = folder
        self._programs, self._account = programs, account
        self.version = int(float(programs.parent.name))
        self.start()

    def start(self) -> None:
        """Start it, and return when it answers."""
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        serve = [str(self._programs / "postgres"), "-D", str(self.folder / "cluster"), "-k", str(self.folder), *settings]
        self.process = subprocess.Popen(serve, cwd=self.folder, stderr=subprocess.DEVNULL, **self._account)
        self.wait()

    def stop(self) -> None:
        """Stop it at once; who is connected is thrown out. May be repeated."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_SECONDS)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://{ACCOUNT}@/{name}?host={self.folder}"

    def make(self, name: str, template: str = "template0") -> str:
        """Make a database and return its URL; nobody may be connected to ``template``."""
        quick = " STRATEGY FILE_COPY" if self.version >= KNOWS_STRATEGIES else ""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{quick}')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.run("SELECT 1")
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def binaries() -> Path | None:
    """Return the folder with the newest ``postgres``; install the package when it is missing and we are root."""
    if not _installed() and os.geteuid() == 0:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=False, env=quiet)
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", ACCOUNT + "ql"], check=False, env=quiet)
    return _installed()


def memory() -> Path | None:
    """Return a tmpfs with room, where nothing waits for a disk; None where there is none."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and shutil.disk_usage(shared).free > ROOM else None


def _installed() -> Path | None:
    found = sorted(Path(BINARIES).glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def _account() -> dict:
    """Return how to run as another user: the server refuses root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(ACCOUNT)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def running(programs: Path, *, in_memory: bool = False) -> Iterator[Server]:
    """Make a cluster, run it, and remove both at the end. ``in_memory``: on a tmpfs, where there is room on one."""
    folder = Path(tempfile.mkdtemp(prefix="ami-bridge-pg-", dir=memory() if in_memory else None))
    account = _account()
    if account:
        os.chown(folder, account["user"], account["group"])
    try:
        make = [str(programs / "initdb"), "-D", str(folder / "cluster"), "-U", ACCOUNT, "-E", "UTF8", "--locale=C", "--no-sync",
                "--auth-local=trust", "--auth-host=reject"]  # fmt: skip
        subprocess.run(make, check=True, cwd=folder, capture_output=True, **account)
        server = Server(folder, programs, account)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
