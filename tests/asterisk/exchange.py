"""A small Asterisk manager on a real TCP port: it speaks the bytes, and does what a test tells it."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ami_bridge.asterisk.ami import AmiLink, AmiSettings

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
SECRET = "open-sesame"


def event(name: str, **headers: str) -> bytes:
    """Return one raw event without its end; ``Cause_txt`` stands for ``Cause-txt``."""
    lines = [f"Event: {name}", "Privilege: call,all", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def ended(*messages: bytes) -> bytes:
    """Return messages as they go over the wire."""
    return b"".join(message + b"\r\n\r\n" for message in messages)


class Exchange:
    """Answers Login, Ping and CoreShowChannels; ``answers`` maps more action names to what comes after the ActionID.

    An action of ``silent`` gets no answer. ``in_bridge`` are CoreShowChannel events without their ActionID.
    """

    def __init__(self) -> None:
        self.port = 0
        self.actions: list[dict[str, str]] = []
        self.logins = 0
        self.connections = 0
        self.silent: set[str] = set()
        self.answers: dict[str, bytes] = {}
        self.in_bridge: list[bytes] = []
        self.before_answer: Callable[[str], None] = lambda action: None
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.server.close()
        self.hang_up()
        await asyncio.sleep(0.01)

    def hang_up(self) -> None:
        """Cut all links."""
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    def send(self, data: bytes) -> None:
        """Send bytes to all who are connected."""
        for writer in self.writers:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        writer.write(GREETING)
        try:
            while True:
                raw = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in raw.split("\r\n") if ": " in line)
                self.actions.append(action)
                self._answer(action, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        name = action["Action"]
        self.before_answer(name)
        if name in self.silent:
            return
        mark = f"ActionID: {action['ActionID']}\r\n".encode() if "ActionID" in action else b""
        if name == "Login" and action["Secret"] != SECRET:
            writer.write(b"Response: Error\r\n" + mark + b"Message: Authentication failed\r\n\r\n")
            writer.close()
            return
        self.logins += name == "Login"
        if name == "CoreShowChannels" and name not in self.answers:
            writer.write(b"Response: Success\r\n" + mark + b"EventList: start\r\nMessage: Channels will follow\r\n\r\n")
            for one in self.in_bridge:
                writer.write(one.replace(b"\r\n", b"\r\n" + mark, 1) + b"\r\n\r\n")
            writer.write(b"Event: CoreShowChannelsComplete\r\n" + mark + b"EventList: Complete\r\nListItems: 0\r\n\r\n")
            return
        writer.write(self.answers.get(name, b"Response: Success\r\n%s\r\n").replace(b"%s", mark))


class Listener:
    """An AmiLink and all it said."""

    def __init__(self, exchange: Exchange, secret: str = SECRET, **settings: float) -> None:
        self.events: list[bytes] = []
        self.story: list[str] = []
        self.snapshots: list[list] = []
        self.downs: list[Exception] = []
        self.alarms: list[Exception] = []
        quick = {"first_retry": 0.01, "longest_retry": 0.04, "refused_retry": 0.05} | settings
        self.link = AmiLink(
            AmiSettings(host="127.0.0.1", port=exchange.port, username="recorder", secret=secret, **quick),
            self.take, self.up, self.downs.append, self.alarms.append, jitter=lambda pause: pause)

    def take(self, events: list[bytes]) -> None:
        """Keep what came."""
        self.events += events
        self.story += ["event"] * len(events)

    def up(self, snapshot: list) -> None:
        """Keep the snapshot."""
        self.snapshots.append(snapshot)
        self.story.append("up")

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.link.run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition; the limit is only there so that a broken test ends."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)
