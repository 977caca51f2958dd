"""Connections to the console: none that says nothing stays, and nobody takes all of them.

Source: CWE-400 (uncontrolled consumption), and what is known as Slowloris: requests that never become whole.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ami_bridge.config.endpoints import is_loopback

AT_ONCE = 200
"""Connections that are answered at one time; more are told to come again (503)."""

OF_ONE = 50
"""Connections of one address, but this machine's own: a proxy brings everybody's. A browser has six."""

PATIENCE = 15.0
"""Seconds in which a whole request has come, since the connection was made or the request began."""

FAREWELL = 2.0
"""Seconds in which a peer says that it ends TLS too; asyncio would wait for half a minute."""


class Connection(H11Protocol):
    """One connection. It is cut off when its peer has too many, or is too slow to ask."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, its TLS agreed on."""
        super().connection_made(transport)
        if self.peer and not is_near(self.peer) and sum(one.peer == self.peer for one in self._all()) > OF_ONE:
            transport.abort()
        else:
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

    @property
    def peer(self) -> str:
        """Return the address from which it comes; empty when that is not known."""
        return self.client[0] if self.client else ""

    def _all(self) -> list["Connection"]:
        return [one for one in self.connections if isinstance(one, Connection)]

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
