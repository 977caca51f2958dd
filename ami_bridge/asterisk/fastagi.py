"""The FastAGI server: takes Asterisk's connections, checks them, runs the scripts. One call's trouble stays its own.

Source: Asterisk 22 ``res/res_agi.c`` (launch_netscript, setup_env, run_agi). Facts 63-70 and 72-76 decide what is here.
"""

import asyncio
import hmac
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from ami_bridge.asterisk.conversation import Conversant, Ending
from ami_bridge.core.agi import Script, parse_environment
from ami_bridge.core.errors import AgiHangup, ExchangeError

HEADER_END = b"\n\n"
LONGEST_HEADER = 1 << 16
WINDOW = 4096
"""Bytes read at once. A header has about 800; asyncio's own 256 KiB a read cost more than all the rest."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FastAgiLimits:
    """How much the server bears: conversations at once, seconds for the header, threads for blocking work.

    ``workers`` 0: work is done on the event loop, where it is quick for sure (tickets in memory); a thread costs more then.
    """

    sessions: int = 2000
    header_patience: float = 2.0
    workers: int = 8
    backlog: int = 1024


class FastAgiServer:
    """Listens on ``host``:``port`` (0: any, see ``port`` after ``start``); runs ``scripts`` by the AGI address's path.

    ``secret``: what the dialplan gives as first argument; empty: not asked for. ``allowed``: peers, as addresses or
    networks. ``endings`` counts how conversations ended, ``accepted`` how many began. ``on_finished`` is told each that came
    to its end, by its script's name, and its length in seconds without the time that was the party's.
    """

    def __init__(self, host: str, port: int, secret: str, scripts: Mapping[str, Script], *,
                 allowed: Collection[str] = ("127.0.0.0/8", "::1"), limits: FastAgiLimits | None = None) -> None:
        self.host, self.port = host, port
        self.limits = limits or FastAgiLimits()
        self.accepted = 0
        self.endings: Counter[Ending] = Counter()
        self.on_finished: Callable[[str, float], object] = lambda script, seconds: None
        self._secret = secret.encode()
        self._scripts = dict(scripts)
        self._allowed = [ip_network(network) for network in allowed]
        self._sessions: set[Session] = set()
        self._server: asyncio.Server | None = None
        workers = self.limits.workers
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="agi-work") if workers else None

    @property
    def sessions(self) -> int:
        """Return how many conversations are going on."""
        return len(self._sessions)

    async def start(self) -> None:
        """Begin to listen; ExchangeError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Session(self), self.host, self.port, backlog=self.limits.backlog)
        except OSError as error:
            raise ExchangeError(f"cannot listen for FastAGI on {self.host}:{self.port} ({error.strerror})",
                                "Is another daemon running?") from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self, grace: float = 5.0) -> None:
        """Stop listening, let conversations end within ``grace`` seconds, then hang up on the rest and let them end."""
        if self._server:
            self._server.close()
        await self._emptied(grace)
        for session in list(self._sessions):
            session.hang_up()
        await self._emptied(grace)
        for session in list(self._sessions):
            session.end(Ending.SILENCE)
        if self._workers:
            self._workers.shutdown(wait=False, cancel_futures=True)

    async def _emptied(self, grace: float) -> None:
        until = time.monotonic() + grace
        while self._sessions and time.monotonic() < until:
            await asyncio.sleep(0.01)

    def admit(self, session: "Session", peer: str) -> Ending | None:
        """Take a new session in, or return why not."""
        if not self._is_allowed(peer):
            return Ending.FOREIGN_PEER
        if len(self._sessions) >= self.limits.sessions:
            return Ending.TOO_MANY
        self._sessions.add(session)
        self.accepted += 1
        return None

    def ended(self, session: "Session", ending: Ending) -> None:
        """Count how a session ended and forget it."""
        self._sessions.discard(session)
        self.endings[ending] += 1
        if ending is not Ending.FINISHED:
            log.warning("A FastAGI conversation ended early: %s", ending, extra={"action": f"agi_{ending}"})

    def script_for(self, environment: dict[str, str]) -> Script | Ending:
        """Return the script a call asks for, or why it gets none. The secret is taken out of ``environment``."""
        if self._secret:
            given = environment.pop("agi_arg_1", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._secret):
                return Ending.WRONG_SECRET
        return self._scripts.get(script_name(environment), Ending.UNKNOWN_SCRIPT)

    def submit(self, conversant: Conversant) -> None:
        """Have a conversant's work done: by a thread, or at once where there is none."""
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._workers, conversant.work) if self._workers else _done(loop, conversant)
        work.add_done_callback(conversant.worked)

    def _is_allowed(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._allowed)


def script_name(environment: Mapping[str, str]) -> str:
    """Return which script a call asks for: the path of the AGI address."""
    return environment.get("agi_network_script", "").partition("?")[0].strip("/")


def _done(loop: asyncio.AbstractEventLoop, conversant: Conversant) -> "asyncio.Future[Any]":
    future = loop.create_future()
    try:
        future.set_result(conversant.work())
    except Exception as error:  # noqa: BLE001 - as in a thread: it goes to the script whose work it was
        future.set_exception(error)
    return future


class Session(asyncio.BufferedProtocol):
    """One connection: first its header, then its script's conversation."""

    def __init__(self, server: FastAgiServer) -> None:
        self._server = server
        self._window = bytearray(WINDOW)
        self._buffer = b""
        self._conversant: Conversant | None = None
        self._script = ""
        self._begun = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the peer; called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._begun = asyncio.get_running_loop().time()
        refusal = self._server.admit(self, (transport.get_extra_info("peername") or ("",))[0])
        if refusal:
            self.end(refusal)
            return
        patience = self._server.limits.header_patience
        self._deadline = asyncio.get_running_loop().call_later(patience, self.end, Ending.HEADER_LATE)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where the next bytes go; called by asyncio."""
        return self._window

    def buffer_updated(self, nbytes: int) -> None:
        """Take the bytes that came; called by asyncio."""
        data = bytes(self._window[:nbytes])
        if self._conversant:
            self._conversant.received(data)
        elif not self._ended:
            self._buffer += data
            header, end, rest = self._buffer.partition(HEADER_END)
            if len(header) > LONGEST_HEADER:
                self.end(Ending.HEADER_TOO_LONG)
            elif end:
                self._begin(header.decode("utf-8", "surrogateescape"), rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the hangup; called by asyncio."""
        if self._conversant:
            self.hang_up()
        else:
            self.end(Ending.HEADER_TORN if self._buffer else Ending.EMPTY)

    def hang_up(self) -> None:
        """Tell the script that the channel is gone; it may still write its ticket."""
        if self._conversant:
            self._conversant.fail(AgiHangup("the exchange closed the conversation"), Ending.HUNG_UP)
        else:
            self.end(Ending.HUNG_UP)

    def end(self, ending: Ending) -> None:
        """Close the connection and count its ending, once."""
        if self._ended:
            return
        self._ended = True
        self._buffer = b""
        if self._deadline:
            self._deadline.cancel()
        self._transport.close()
        self._server.ended(self, ending)
        if ending is Ending.FINISHED and self._conversant:
            lasted = asyncio.get_running_loop().time() - self._begun
            self._server.on_finished(self._script, lasted - self._conversant.theirs)

    def _begin(self, header: str, rest: bytes) -> None:
        if self._deadline:
            self._deadline.cancel()
        environment = parse_environment(header.split("\n"))
        script = self._server.script_for(environment)
        self._buffer = b""
        self._script = script_name(environment)
        if isinstance(script, Ending):
            self.end(script)
            return
        self._conversant = Conversant(script, environment, self._transport.write, self.end, self._server.submit)
        self._conversant.begin()
        if rest:
            self._conversant.received(rest)
