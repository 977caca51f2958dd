"""From hangup to the register, at 20 calls a second. The end of a call is the exchange's own time of our event "closed";
the registration is when its line appears in the daemon's log, which is written after the commit."""

import re
import threading
import time
from collections.abc import Iterator

from bench.pbx import recorded
from bench.report import Figure, Limit, percentile
from tests.pbx.phones import answer, call
from tests.pbx.system import System

RATE = 20
WANTED_P99 = 1000.0
LINE = re.compile(r"action=call_registered call=([0-9a-f-]{36})")


class Watch:
    """Reads the daemon's log every 5 ms and notes when each call appeared in it."""

    def __init__(self, system: System) -> None:
        self.seen: dict[str, float] = {}
        self._path = system.home / "daemon.log"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop reading."""
        self._ending.set()
        self._thread.join()

    def _read(self) -> None:
        with self._path.open(encoding="utf-8") as log:
            while not self._ending.wait(0.005):
                now = time.time()
                for call_id in LINE.findall(log.read()):
                    self.seen.setdefault(call_id, now)


def run(*, quick: bool) -> Iterator[Limit]:
    """Give median and 99th percentile."""
    calls = RATE * (10 if quick else 60)
    with recorded() as system:
        watch = Watch(system)
        callee = answer(system.pbx, "6001", tone=None, n=None)
        result = call(system.pbx, "1000", tone=None, talk=3.0, n=calls, rate=RATE).wait(300)
        callee.stop()
        entries = system.registered(calls, timeout=60)
        time.sleep(0.1)
        watch.end()
    delays = [(watch.seen[str(entry.id)] - entry.ended_at.timestamp()) * 1000 for entry in entries]
    remark = f"{calls} calls, {result.failed} failed"
    yield Limit(name=f"hangup to registered at {RATE} calls/s, median", unit="ms", ours=Figure(percentile(delays, 0.5)),
                remark=remark)
    yield Limit(name=f"hangup to registered at {RATE} calls/s, p99", unit="ms", ours=Figure(percentile(delays, 0.99)),
                wanted=WANTED_P99, remark=remark)
