"""Connections to the console: none that says nothing stays, and nobody takes all of them.

Source: CWE-400 (uncontrolled consumption), and what is known as Slowloris: requests that never become whole.
"""

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ami_bridge.config.endpoints import is_loopback

AT_ONCE = 200
"""Connections that are answered at one time; more are told to come again (503)."""

MOST = 2 * AT_ONCE
"""Connections that are taken at one time, those among them on which TLS is not agreed on yet; more are let go at once."""

OF_ONE = 50
"""Connections of one address, but this machine's own: a proxy brings everybody's. A browser has six."""

PATIENCE = 15.0
"""Seconds in which TLS is agreed on, and then a whole request has come, since that or since the request began."""

FAREWELL = 2.0
"""Seconds in which a peer says that it ends TLS too; asyncio would wait for half a minute."""


class Listening(socket.socket):
    """A socket that listens. It counts connections from their first moment, and lets go of those that are too many."""

    def __init__(self, family: int, kind: int, proto: int) -> None:
        super().__init__(family, kind, proto)
        self._taken: list[tuple[str, socket.socket]] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """Take the next connection; ConnectionAbortedError, which asyncio passes over, when that was one too many."""
        connection, address = super().accept()
        peer = address[0]
        self._taken = [(whose, one) for whose, one in self._taken if one.fileno() >= 0]
        greedy = not is_near(peer) and sum(whose == peer for whose, _ in self._taken) >= OF_ONE
        if greedy or len(self._taken) >= MOST:
            connection.close()
            raise ConnectionAbortedError
        self._taken.append((peer, connection))
        return connection, address


def listening(host: str, port: int) -> list[Listening]:
    """Return sockets bound to all addresses of a host. OSError."""
    found: list[Listening] = []
    try:
        for family, kind, proto, _, address in dict.fromkeys(socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)):
            found.append(Listening(family, kind, proto))
            found[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                found[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            found[-1].bind(address)
    except OSError:
        for one in found:
            one.close()
        raise
    return found


class Connection(H11Protocol):
    """One connection. It is cut off when its peer is too slow to ask."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, its TLS agreed on."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take some bytes of a request."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let a connection go."""
        self._wait_no_more()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End a connection, as the console does."""
        super().shutdown()
        self._end_soon()

    def on_response_complete(self) -> None:
        """Go on when all was answered, or end a connection that was to end with its answer."""
        super().on_response_complete()
        self._end_soon()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection on which nothing more was asked."""
        super().timeout_keep_alive_handler()
        self._end_soon()

    def _end_soon(self) -> None:
        if self.transport.is_closing():
            self.loop.call_later(FAREWELL, self.transport.abort)

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(PATIENCE, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def is_near(peer: str) -> bool:
    """Tell whether a peer is this machine."""
    return is_loopback(peer)
