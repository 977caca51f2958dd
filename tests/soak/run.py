"""The soak: a real Asterisk, our daemon, a ledger and a nemesis."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from ami_bridge.core.findings import Finding
from ami_bridge.register import Register
from tests import postgresql
from tests.pbx.phones import answer, call
from tests.pbx.proxy import Proxy
from tests.pbx.settings import free_port
from tests.pbx.system import System
from tests.soak.absence import Absence
from tests.soak.ledger import Batch, Verdict, compare
from tests.soak.nemesis import Nemesis

TALK = 5.0
BATCH = 20
TONES = range(400, 640, 10)
AGENT_HZ = 800
AGENTS = ("6001", "6002", "6003")
CALM = (6.0, 12.0)
"""Seconds without a fault between two."""

MEMORY_MB = 96
CALL_MB = 0.15
"""What one call leaves in the spool until it is registered."""

HEAL = 180.0
ACCOUNTED = 90.0
"""Seconds in which each call is accounted for that the diary alone knows."""

DIALPLAN = """
[from-trunk]
exten => _X.,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/${EXTEN},30)
 same => n,Hangup()
"""


@dataclass(frozen=True)
class Wish:
    """How long (seconds), how many calls a second, which dice, which database, and for how long it is away."""

    seconds: float
    rate: float
    seed: int = 1
    sqlite: bool = False
    database_away: float = 0.0
    """Seconds for which the database is away; then nothing else is broken."""

    @property
    def memory_mb(self) -> int:
        """What the spool may hold: little enough to be filled, but all that waits while the database is away."""
        return MEMORY_MB + round(self.database_away * self.rate * CALL_MB)


class Soak:
    """`with Soak(home, wish) as soak: soak.run()` prints what it finds; `verdict` and `memory` keep it."""

    def __init__(self, home: Path, wish: Wish, say: Callable[[str], None] = lambda text: print(text, flush=True)) -> None:
        self._home, self._wish, self._say = home, wish, say
        self._stack = ExitStack()
        self.batches: list[Batch] = []
        self.memory: list[tuple[int, float, int]] = []
        self.verdict = Verdict()
        self.nemesis: Nemesis
        self.absence: Absence | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.ram = self._home / "ram"
            self.ram.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self._wish.memory_mb}m,nr_inodes=100000", "soak", str(self.ram)],
                           check=True)
            stack.callback(subprocess.run, ["umount", "-l", str(self.ram)], check=True)
            programs = None if self._wish.sqlite else postgresql.binaries()
            self.database = stack.enter_context(postgresql.running(programs)) if programs else None
            self.proxy = stack.enter_context(Proxy())
            self.system = System(self._home / "system", dialplan=DIALPLAN, manager_port=self.proxy.port, spool=self.ram / "spool",
                                 floor_mb=4, metrics_port=free_port(socket.SOCK_STREAM),
                                 url=self.database.make("soak") if self.database else "")
            self.proxy.target = self.system.pbx.ami
            stack.enter_context(self.system)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def run(self) -> bool:
        """Do it all; tell whether nothing was lost without a word, doubled, or kept without its sound."""
        for agent in AGENTS:
            answer(self.system.pbx, agent, tone=AGENT_HZ, n=None, talk=30.0)
        self.nemesis = Nemesis(self.system, self.proxy, self.database, self.ram, self._wish.seed)
        began = time.monotonic()
        until = began + self._wish.seconds
        watching = threading.Thread(target=self._watch, args=(began, until), daemon=True)
        striking = self._away() if self._wish.database_away else threading.Thread(target=self._strike, args=(until,), daemon=True)
        watching.start()
        striking.start()
        self._dial(began, until)
        striking.join(120 if self.absence is None else self.absence.most)
        for batch in self.batches:
            batch.phone.wait(120)
        self._heal()
        watching.join(60)
        self._judge()
        return self.verdict.good

    def _dial(self, began: float, until: float) -> None:
        pause = BATCH / self._wish.rate
        while time.monotonic() < until:
            number = len(self.batches)
            tone = TONES[number % len(TONES)]
            prefix = f"05{number:05d}0"
            phone = call(self.system.pbx, AGENTS[number % len(AGENTS)], caller=prefix + "{n}", tone=tone, talk=TALK, n=BATCH,
                         rate=max(1, round(self._wish.rate)), patience=25.0)
            self.batches.append(Batch(prefix, tone, BATCH, phone))
            time.sleep(max(0.0, began + pause * len(self.batches) - time.monotonic()))

    def _strike(self, until: float) -> None:
        calm = CALM[1]
        while time.monotonic() + calm < until - 15:
            time.sleep(calm)
            name = self.nemesis.strike()
            self._say(f"  {name}")
            calm = CALM[0] + (CALM[1] - CALM[0]) * (self.nemesis.struck.total() % 3) / 2

    def _away(self) -> threading.Thread:
        if self.database is None:
            raise ValueError("a database that can be stopped is needed: PostgreSQL")
        self.absence = Absence(self.system, self.database, self._wish.database_away)
        return self.absence.thread()

    def _watch(self, began: float, until: float) -> None:
        while time.monotonic() < until:
            self._measure(began)
            time.sleep(min(10.0, max(1.0, self._wish.seconds / 60)))

    def _measure(self, began: float) -> None:
        daemon = self.system.daemon
        if daemon is None:
            return
        try:
            status = Path(f"/proc/{daemon.pid}/status").read_text()
            mebibytes = int(status.split("VmRSS:")[1].split()[0]) / 1024
            self.memory.append((int(time.monotonic() - began), mebibytes, len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))))
        except (OSError, IndexError):
            return

    def _heal(self) -> None:
        """All is mended; wait until nothing is on its way any more.

        Whoever left, or was in the notice when Asterisk died, while no script could write a ticket, is known by the diary alone, and
        accounted for a minute later.
        """
        time.sleep(ACCOUNTED)
        spool = self.system.spool
        with suppress(TimeoutError):
            self.system.wait_for(lambda: not list(spool.open_calls()) and not list(spool.fallbacks()), "an empty spool", HEAL)

    def _judge(self) -> None:
        entries = self.system.calls()
        found, gaps = self._found()
        self.verdict = verdict = compare(self.batches, entries, {one.call for one in found}, self.system.audio, AGENT_HZ)
        dialled = sum(batch.count for batch in self.batches)
        rss, fds = [mib for _, mib, _ in self.memory] or [0.0], [n for _, _, n in self.memory] or [0]
        kinds = {str(kind): sum(one.kind is kind for one in found) for kind in sorted({one.kind for one in found})}
        self._say(f"dialled {dialled}, answered {verdict.answered}, in the register {len(entries)}; faults: {dict(self.nemesis.struck)}")
        self._say(f"kept with their sound {verdict.kept} ({verdict.short} too short to hear) {dict(verdict.states)}; reported without "
                  f"sound {dict(verdict.reported)}")
        self._say(f"findings {kinds}; gaps {gaps}")
        self._say(f"lost without a word {len(verdict.silent)}, doubled {len(verdict.doubled)}, without the caller's voice "
                  f"{len(verdict.deaf)} {verdict.silent[:5]} {verdict.doubled[:5]} {verdict.deaf[:5]}")
        self._say(f"memory of the daemon {min(rss):.0f} to {max(rss):.0f} MiB, file descriptors {min(fds)} to {max(fds)}; by tenths of "
                  f"the time: {' '.join(f'{mib:.0f}/{n}' for mib, n in self._tenths())}")
        if self.absence:
            self._say(self.absence.told(entries))
        left = [path.name for path in self.system.spool.leftovers()]
        self._say(f"left in the spool: {len(left)} {left[:10]}")

    def _tenths(self) -> list[tuple[float, int]]:
        parts = [[(m, n) for at, m, n in self.memory if int(at * 10 / max(self._wish.seconds, 1)) == tenth] for tenth in range(10)]
        return [(max(m for m, _ in part), max(n for _, n in part)) for part in parts if part]

    def _found(self) -> tuple[list[Finding], int]:
        register = Register.open(self.system._url)
        try:
            with register.reading() as work:
                now = datetime.now(UTC)
                return work.findings.since(now - timedelta(days=1)), len(work.gaps.between(now - timedelta(days=1), now))
        finally:
            register.close()
