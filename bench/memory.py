"""Memory with 1,000 calls open: our daemon, against a bare panoramisk client that hears the same events."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.pbx import recorded
from bench.report import Comparison, Figure, Limit
from tests.pbx.asterisk import Pbx
from tests.pbx.phones import answer, call
from tests.pbx.system import System

RATE = 40
PEER = """
import asyncio, sys
from panoramisk.manager import Manager
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
manager = Manager(loop=loop, host=sys.argv[1], port=int(sys.argv[2]), username="bridge", secret=sys.argv[3])
manager.register_event("*", lambda manager, event: None)
manager.connect()
loop.run_forever()
"""


def run(*, quick: bool) -> Iterator[Comparison | Limit]:
    """Open the calls, and look at both processes before and at the height."""
    calls = 200 if quick else 1000
    with recorded() as system:
        peer = start_peer(system.pbx)
        try:
            yield from compared(system, peer, calls)
        finally:
            peer.kill()
            peer.wait()


def start_peer(pbx: Pbx) -> subprocess.Popen[bytes]:
    """Start panoramisk's client on the same events as ours."""
    host, port = pbx.ami
    peer = subprocess.Popen([sys.executable, "-c", PEER, host, str(port), pbx.settings.secret], stderr=subprocess.DEVNULL)
    time.sleep(3)
    return peer


def compared(system: System, peer: subprocess.Popen[bytes], calls: int) -> Iterator[Comparison | Limit]:
    """Give the whole memory of both at the height, and what each call adds."""
    assert system.daemon
    idle = mebibytes(system.daemon.pid), mebibytes(peer.pid)
    open_at_once = open_calls(system, calls)
    full = mebibytes(system.daemon.pid), mebibytes(peer.pid)
    remark = f"{open_at_once} calls open; idle {idle[0]:.1f} and {idle[1]:.1f} MiB"
    yield Comparison(name="memory at the height", unit="MiB", ours=Figure(full[0]), peer_name="bare panoramisk client",
                     peer=Figure(full[1]), remark=remark)
    each = (full[0] - idle[0]) * 1024 / open_at_once
    yield Limit(name="memory for each open call", unit="KiB", ours=Figure(each), remark="the peer keeps nothing of a call")


def open_calls(system: System, calls: int) -> int:
    """Open ``calls`` calls and return how many were recorded at the height; they end with the PBX."""
    answer(system.pbx, "6001", tone=None, n=None)
    call(system.pbx, "1000", tone=None, talk=3600, n=calls, rate=RATE)
    time.sleep(calls / RATE + 8)
    return sum(1 for _ in system.spool.live.glob("*.wav"))


def mebibytes(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} is gone")
