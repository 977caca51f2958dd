"""Ports that are free: each worker draws from a range of its own, below those that the system gives away."""

import os
import socket
from contextlib import suppress
from itertools import cycle

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
PORTS = cycle(range(20_000 + 1000 * WORKER, 21_000 + 1000 * WORKER))


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError
