"""The AMI wire: panoramisk's action machinery behind our own receiving side. The only file that imports panoramisk.

What panoramisk 1.4 does with received bytes loses letters, order and the link itself (facts 77-83); ``Protocol``
replaces that side whole. Its actions (ids, matching answers, lists) are used as they are, and never sent twice.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Container

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from ami_bridge.asterisk.translate import GREETING, LINE_END, MESSAGE_END, PING, action_id, headers
from ami_bridge.core.errors import ExchangeError

LONGEST_MESSAGE = 1 << 20
"""Bytes without an end of message after which the link is dropped; real messages have some 400."""

LONGEST_LINE = 1022
"""Bytes of one header of an action; Asterisk reads lines of 1024 with their end (main/manager.c, inbuf)."""

MOST_HEADERS = 128
"""Headers of one action (include/asterisk/manager.h, AST_MAX_MANHEADERS)."""

_FORBIDDEN = re.compile(r"[\x00\r\n]")
_NOT_SENT = "It was not sent again: check on the exchange whether it was done."


class _Action(Action):
    """panoramisk guesses by the wording of a response whether more is to come, and fails on what PlayDTMF answers."""

    @property
    def multi(self) -> bool:
        """Tell whether the response announces a list: Asterisk says so in a header (main/manager.c, astman_send_listack)."""
        return str(self.responses[0].get("EventList", "")).lower() == "start"


class Protocol(AMIProtocol):
    """One connection. Events whose name is in ``wanted`` go to ``on_events`` raw, in order, one list for a chunk.

    Until ``release()`` they are held back, so that a snapshot of the channels can go first. An exception in
    ``on_events`` is handed to ``on_fault`` and costs that list only. ``clock`` gives seconds since 1970.
    """

    def __init__(self, wanted: Container[bytes], on_events: Callable[[list[bytes]], None],
                 on_fault: Callable[[Exception], None], clock: Callable[[], float]) -> None:
        self._wanted, self._on_events, self._on_fault, self._clock = wanted, on_events, on_fault, clock
        self._rest = b""
        self._held: list[bytes] | None = []
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self.lost: asyncio.Future[ExchangeError] = self._loop.create_future()
        self.messages_seen = 0

    @property
    def silence(self) -> float:
        """Return for how many seconds no byte has come."""
        return self._loop.time() - self._heard

    @property
    def last_bytes_at(self) -> float:
        """Return when the last byte came, in seconds since 1970."""
        return self._clock() - self.silence

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the new connection; called by asyncio."""
        super().connection_made(transport)
        self.encoding = "utf-8"
        _notice_dead_peers(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Take a chunk; called by asyncio. Messages are cut out as bytes, decoded later and one by one."""
        self._heard = self._loop.time()
        stream = self._rest + data if self._rest else data
        if self.version is None:
            stream = self._after_greeting(stream)
        *messages, self._rest = stream.split(MESSAGE_END)
        if messages and (stream.startswith(LINE_END) or MESSAGE_END + LINE_END in stream):
            messages = [stripped for message in messages if (stripped := message.lstrip())]
        self.messages_seen += len(messages)
        if self.responses:
            self._answer(messages)
        events = [message for message in messages if message[7:message.find(LINE_END)] in self._wanted]
        if events:
            self._deliver(events)
        if len(self._rest) > LONGEST_MESSAGE:
            self.drop("the exchange sent a message of more than 1 MiB", "Is this the manager port of an Asterisk?")

    def release(self) -> None:
        """Give out the events held back since the connection was made, and from now on at once."""
        held, self._held = self._held, None
        if held:
            self._deliver(held)

    def drop(self, what: str, hint: str = "") -> None:
        """End the connection at once, for the reason given."""
        self._fail(ExchangeError(what, hint))
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the connection; called by asyncio."""
        self._fail(ExchangeError("the exchange closed the manager connection", "Is it restarting?"))

    def close(self) -> None:
        """Close; unlike panoramisk's this leaves no action behind to be sent again."""
        self.drop("the manager connection was closed by us")

    def ping(self) -> None:
        """Ask for a sign of life. Any byte that comes is one, so the answer itself is not waited for."""
        self.transport.write(PING)

    async def action(self, name: str, fields: dict[str, str], patience: float) -> list[dict[str, str]]:
        """Send an action; return the messages of its answer, the response first. ``patience``: seconds.

        Raises ExchangeError when no answer comes in time, the link ends, or a value cannot be sent. Never replayed.
        """
        action = _Action({"Action": name, **_checked(name, fields)})
        if self.lost.done():
            raise ExchangeError(f"action {name} found no link to the exchange", "It is sent by nobody: ask again later.")
        try:
            async with asyncio.timeout(patience):
                answer = await self.send(action, as_list=None)
        except TimeoutError as error:
            raise ExchangeError(f"the exchange did not answer action {name} within {patience} s", _NOT_SENT) from error
        finally:
            self.responses.pop(action.id, None)
        return [dict(message.items()) for message in (answer if isinstance(answer, list) else [answer])]

    def _after_greeting(self, stream: bytes) -> bytes:
        line, end, rest = stream.partition(LINE_END)
        if not end and GREETING.startswith(line[:len(GREETING)]) and len(line) < LONGEST_LINE:
            return stream
        if not end or not line.startswith(GREETING):
            self.drop("what answers is not an Asterisk manager", "Check host and port of the exchange.")
            return b""
        self.version = line[len(GREETING):].decode("ascii", "replace")
        return rest

    def _answer(self, messages: list[bytes]) -> None:
        for message in messages:
            if action_id(message) in self.responses:
                self.handle_message(Message(headers(message)))

    def _deliver(self, events: list[bytes]) -> None:
        if self._held is not None:
            self._held += events
            return
        try:
            self._on_events(events)
        except Exception as error:  # noqa: BLE001 - it must not reach asyncio, which would close the link
            self._on_fault(error)

    def _fail(self, reason: ExchangeError) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        while self.responses:
            _, action = self.responses.popitem()
            if not action.future.done():
                action.future.set_exception(ExchangeError(f"the link ended before action {action['Action']} was answered",
                                                          _NOT_SENT))


def _checked(name: str, fields: dict[str, str]) -> dict[str, str]:
    if len(fields) + 2 > MOST_HEADERS:
        raise ExchangeError(f"action {name} has more than {MOST_HEADERS} headers")
    for key, value in {"Action": name, **fields}.items():
        line = f"{key}: {value}"
        if _FORBIDDEN.search(line) or not _is_utf8(line):
            raise ExchangeError(f"action {name} holds a line break, NUL or broken text in {key!r}")
        if len(line.encode()) > LONGEST_LINE:
            raise ExchangeError(f"action {name} has a line of more than {LONGEST_LINE} bytes in {key!r}")
    return fields


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _notice_dead_peers(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 20_000)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
