"""The announcement over AGI: our server and panoramisk's with the same script, and a process for each call.

Twice: the whole announcement (decision, durable ticket on a tmpfs), and its bare commands, which leaves the servers alone.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import sqlalchemy

from bench.asterisk_side import converse, converse_with_processes
from bench.pbx import memory_folder
from bench.report import Comparison, Figure, percentile

AT_ONCE = 20
SERVERS = ("ours", "panoramisk")
AGAINST_PANORAMISK, AGAINST_PROCESS = 1.0, 100.0


class Run(NamedTuple):
    """Calls a second, and how long a conversation took (ms): in half of the calls, in all but one of a hundred."""

    rate: float
    p50: float
    p99: float


def run(*, quick: bool) -> Iterator[Comparison]:
    """Give calls a second and the time a conversation takes, ours beside both peers."""
    calls, runs = (1500, 3) if quick else (4000, 7)
    whole = _alternately("announcement", calls, runs)
    yield _servers_compared("the whole announcement", whole)
    yield _servers_compared("its commands alone", _alternately("commands", calls, runs))
    process = asyncio.run(_processes(calls=10 if quick else 30))
    yield Comparison(name="agi, the whole announcement", unit="calls/s", ours=_rate(whole["ours"]), wanted=AGAINST_PROCESS,
                     peer_name="process with pyst2 and SQLAlchemy", peer=Figure(process.rate),
                     remark=_times("process", [process]))


def _servers_compared(name: str, found: dict[str, list[Run]]) -> Comparison:
    return Comparison(name=f"agi, {name}", unit="calls/s", ours=_rate(found["ours"]), peer_name="panoramisk's server",
                      peer=_rate(found["panoramisk"]), wanted=AGAINST_PANORAMISK,
                      remark="; ".join(_times(server, runs) for server, runs in found.items()))


def _rate(runs: list[Run]) -> Figure:
    return Figure.of([run.rate for run in runs])


def _times(name: str, runs: list[Run]) -> str:
    return f"{name} p50 {Figure.of([run.p50 for run in runs])} p99 {Figure.of([run.p99 for run in runs])} ms"


def _alternately(script: str, calls: int, runs: int) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {name: [] for name in SERVERS}
    for _ in range(runs):
        for name in SERVERS:
            with _server(name, script) as port:
                asyncio.run(_measured(port, calls // 10))
                found[name].append(asyncio.run(_measured(port, calls)))
    return found


@contextmanager
def _server(name: str, script: str) -> Iterator[int]:
    """Run a server in a process of its own, with a folder in memory; give its port."""
    folder = memory_folder()
    command = [sys.executable, "-m", "bench.agi_servers", name, script, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)
            subprocess.run(["rm", "-rf", str(folder)], check=True)


async def _measured(port: int, calls: int) -> Run:
    begun = asyncio.get_running_loop().time()
    return _run(await converse(port, calls, AT_ONCE), asyncio.get_running_loop().time() - begun)


async def _processes(calls: int) -> Run:
    with TemporaryDirectory(prefix="ami-bridge-bench-") as folder:
        url = f"sqlite:///{folder}/calls.db"
        with sqlalchemy.create_engine(url).begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE calls (caller TEXT)"))
        begun = asyncio.get_running_loop().time()
        script = [str(Path(__file__).with_name("process_agi.py")), url]
        return _run(await converse_with_processes(script, calls, AT_ONCE), asyncio.get_running_loop().time() - begun)


def _run(seconds: list[float], elapsed: float) -> Run:
    millis = [one * 1000 for one in seconds]
    return Run(len(seconds) / elapsed, percentile(millis, 0.5), percentile(millis, 0.99))
