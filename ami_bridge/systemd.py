"""Telling systemd how we are (sd_notify(3)): ready, alive, stopping. Without systemd nothing happens."""

import os
import socket


def notify(state: str) -> None:
    """Send one state, such as ``READY=1``, to the socket named by the environment; does nothing without one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def watchdog_interval() -> float | None:
    """Return how often systemd wants a sign of life, in seconds: half of WatchdogSec; None when it does not ask."""
    micros = os.environ.get("WATCHDOG_USEC", "")
    return int(micros) / 2_000_000 if micros.isdigit() else None
