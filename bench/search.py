"""Search by number among a million entries, on both databases: a caller's number, and the company's own in every entry."""

import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

from ami_bridge.register import CallFilter, Register
from bench.filling import COMPANY, EXPIRES, calls_of, fill, number_of, rows
from bench.pbx import memory_folder
from bench.report import Figure, Limit, percentile
from tests import postgresql

DAYS = 31
WANTED_MS = 10.0
WARMING = 20
"""Searches before it counts: the driver prepares a statement that came five times."""

NOW = EXPIRES - timedelta(days=1)


def run(*, quick: bool) -> Iterator[Limit]:
    """Give the time of a search in all but one of a hundred."""
    count = 100_000 if quick else 1_000_000
    folder = memory_folder()
    try:
        yield from searched(f"sqlite:///{folder}/register.db", "SQLite", count)
    finally:
        shutil.rmtree(folder)
    programs = postgresql.binaries()
    if programs:
        with postgresql.running(programs) as server:
            yield from searched(server.make("bench"), "PostgreSQL", count)


def searched(url: str, name: str, count: int) -> Iterator[Limit]:
    """Fill a register and search it."""
    with closing(Register.create(url)) as register:
        fill(register, rows(count, DAYS))
        as_autovacuum_does(register)
        callers = [number_of(call) for day in range(DAYS) for call in calls_of(day, count // DAYS)[:: count // DAYS // 10]]
        for what, numbers in (("a caller's number", callers), ("the company's number", [COMPANY] * 50)):
            times = [milliseconds(register, number) for number in [*numbers[:WARMING], *numbers]][WARMING:]
            yield Limit(name=f"search, {what} among {count} entries, {name}", unit="ms (p99)", wanted=WANTED_MS,
                        ours=Figure(percentile(times, 0.99)), remark=f"p50 {percentile(times, 0.5):.2f} ms")


def as_autovacuum_does(register: Register) -> None:
    """Have the database look at what it holds, as its own housekeeping does after a while."""
    with register._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def milliseconds(register: Register, number: str) -> float:
    """Return how long one search takes, as `calls --number` does it."""
    begun = time.perf_counter()
    with register.reading() as work:
        found = work.calls.find(CallFilter(now=NOW, number=number, limit=100))
    seconds = time.perf_counter() - begun
    if not found:
        raise RuntimeError("a number that is registered was not found")
    return seconds * 1000
