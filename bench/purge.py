"""A day of recordings purged, against `find -mtime -delete` and one SQL DELETE; and how long until nobody can read them.

Ours also destroys the key, lists keyed digests, wipes rows and log, and signs a certificate. Everything lies in memory.
"""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from ami_bridge.certificates import Certificates
from ami_bridge.core.clock import Clock
from ami_bridge.register import Register
from ami_bridge.services.purge import Asked, Purge, Rules
from ami_bridge.vault import KeyStore, Vault, day_key
from bench.filling import EXPIRES, calls_of, fill
from bench.pbx import memory_folder
from bench.report import Comparison, Figure, Limit

DAY = EXPIRES.date()
NO_SLOWER, READABLE_FOR = 1.0, 1.0
NEIGHBOURS = (1, 10, 100)


def run(*, quick: bool) -> Iterator[Comparison | Limit]:
    """Purge one day alone, then one day among others."""
    calls, runs = (5_000, 1) if quick else (100_000, 3)
    ours, dark, peers = [], [], []
    for _ in range(runs):
        seconds, until_dark = purged(calls, days=1)
        ours.append(calls / seconds)
        dark.append(until_dark)
        peers.append(calls / found_and_deleted(calls))
    yield Comparison(name=f"purge, a day of {calls} calls with audio", unit="calls/s",
                     ours=Figure.of(ours), wanted=NO_SLOWER,
                     peer_name="find -delete and SQL DELETE", peer=Figure.of(peers))
    yield Limit(name="purge, until nobody can read them", unit="s", ours=Figure.of(dark), wanted=READABLE_FOR)
    a_day = calls // 20
    for days in NEIGHBOURS:
        seconds, _ = purged(a_day, days=days)
        yield Limit(name=f"purge, a day of {a_day} calls among {days} days", unit="s", ours=Figure(seconds))


def purged(calls: int, days: int) -> tuple[float, float]:
    """Return how long the purge of one day took, with as many calls on each of ``days`` days, and until the key was gone.

    The clock is accepted: calls of later days end after the moment at which this day is over.
    """
    folder = memory_folder()
    try:
        vault, register, certificates = laid_out(folder, calls, days)
        with closing(register):
            gone: list[float] = []
            destroy = vault.keys.destroy

            def noted(name: str) -> str | None:
                fingerprint = destroy(name)
                gone.append(time.perf_counter())
                return fingerprint

            vault.keys.destroy = noted  # type: ignore[method-assign]
            later = EXPIRES + timedelta(days=1)
            rules = Rules(exchange="bench", days=31, cap=1000, small=calls, synchronised=False)
            job = Purge(vault, register, certificates, rules, lambda: Clock(later, "bench", 1.0, None), lambda now: {})
            begun = time.perf_counter()
            report = job.run(Asked(accept_clock=True))
            seconds = time.perf_counter() - begun
            if report.calls != calls or report.files != 2 * calls:
                raise RuntimeError(f"purged {report.calls} calls and {report.files} files instead of {calls}")
            return seconds, gone[0] - begun
    finally:
        shutil.rmtree(folder)


def laid_out(folder: Path, calls: int, days: int) -> tuple[Vault, Register, Certificates]:
    """Make vault, register and keys with ``calls`` on each day from ``DAY`` on; sealed files stand for themselves."""
    keys = KeyStore(folder / "recipients", folder / "keys")
    keys.create()
    keys.make([day_key(DAY)])
    vault = Vault(folder / "vault", keys)
    vault.create()
    register = Register.create(f"sqlite:///{folder}/register.db")
    for number in range(days):
        fill(register, calls_of(number, calls))
    put_files(vault.root / day_key(DAY), calls)
    certificates = Certificates(folder / "certificates", folder / "certificate.key")
    certificates.create()
    return vault, register, certificates


def put_files(folder: Path, calls: int) -> None:
    """Put two files a call into a folder."""
    folder.mkdir()
    for call in calls_of(0, calls):
        for name in (f"{call}.json.age", f"{UUID(int=call.int + 1)}.wav.age"):
            (folder / name).write_bytes(b"x" * 100)


def found_and_deleted(calls: int) -> float:
    """Return how long the usual cron job takes over the same: files older than 31 days, and their rows."""
    folder = memory_folder()
    try:
        register = Register.create(f"sqlite:///{folder}/register.db")
        fill(register, calls_of(0, calls))
        register.close()
        put_files(folder / "recordings", calls)
        subprocess.run(["find", str(folder / "recordings"), "-type", "f", "-exec", "touch", "-d", "40 days ago", "{}", "+"],
                       check=True)
        begun = time.perf_counter()
        subprocess.run(["find", str(folder / "recordings"), "-type", "f", "-mtime", "+31", "-delete"], check=True)
        with closing(sqlite3.connect(folder / "register.db")) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("DELETE FROM calls WHERE expires_at < ?", (day_after().isoformat(),))
            connection.commit()
        return time.perf_counter() - begun
    finally:
        shutil.rmtree(folder)


def day_after() -> datetime:
    """Return the moment at which the whole day is over."""
    return datetime.combine(date.fromisoformat(day_key(DAY)) + timedelta(days=1), datetime.min.time(), EXPIRES.tzinfo)
