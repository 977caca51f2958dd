"""The nemesis: does one bad thing after another, and always mends it."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.pbx.proxy import Proxy
from tests.pbx.system import System
from tests.postgresql import Server


class Nemesis:
    """`strike()` does one fault, mends it and returns its name. The same `seed` gives the same faults."""

    def __init__(self, system: System, proxy: Proxy, database: Server | None, memory: Path, seed: int) -> None:
        self._system, self._proxy, self._database, self._memory = system, proxy, database, memory
        self._dice = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self._faults: list[Callable[[], None]] = [self.kill_daemon, self.stop_daemon_breathing, self.cut_link, self.half_open_link,
                                                  self.fill_disk, self.kill_asterisk]
        if database:
            self._faults.append(self.stop_database)
        self._order: list[Callable[[], None]] = []

    def strike(self) -> str:
        """One fault from its beginning to its end; each kind comes once before any comes again."""
        if not self._order:
            self._order = self._dice.sample(self._faults, len(self._faults))
        fault = self._order.pop()
        name = fault.__name__.replace("_", " ")
        self.struck[name] += 1
        fault()
        return name

    def kill_daemon(self) -> None:
        """kill -9, and a new one after some seconds."""
        self._system.stop_daemon(signal.SIGKILL)
        time.sleep(self._dice.uniform(0, 5))
        self._system.start_daemon()

    def stop_daemon_breathing(self) -> None:
        """SIGSTOP: its sockets are open, and it says nothing."""
        assert self._system.daemon
        self._system.daemon.send_signal(signal.SIGSTOP)
        time.sleep(self._dice.uniform(2, 6))
        self._system.daemon.send_signal(signal.SIGCONT)

    def cut_link(self) -> None:
        """Reset the link to the manager interface, and refuse it for some seconds."""
        self._proxy.refuse(True)
        self._proxy.cut()
        time.sleep(self._dice.uniform(0, 8))
        self._proxy.refuse(False)

    def half_open_link(self) -> None:
        """Nothing passes on the link any more, and nobody says so."""
        self._proxy.freeze()
        time.sleep(self._dice.uniform(6, 15))
        self._proxy.thaw()

    def stop_database(self) -> None:
        """Stop the database server."""
        assert self._database
        self._database.stop()
        time.sleep(self._dice.uniform(3, 15))
        self._database.start()

    def fill_disk(self) -> None:
        """Fill the spool to its last byte."""
        ballast = self._memory / "ballast"
        try:
            with ballast.open("wb") as file:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
        except OSError:
            time.sleep(self._dice.uniform(2, 6))
        finally:
            ballast.unlink()

    def kill_asterisk(self) -> None:
        """kill -9 the exchange, and start it anew."""
        self._system.pbx.kill()
        time.sleep(self._dice.uniform(0, 2))
        self._system.pbx.start()
