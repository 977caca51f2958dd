"""A TCP proxy that a test can cut, freeze (half-open) and mend again; it runs in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Self

from tests.pbx.settings import Address

MESSAGE_END = b"\r\n\r\n"
TIDY = 0.05
"""Seconds in which the loop closes the sockets that were aborted."""


class Proxy:
    """`with Proxy() as proxy` listens on `proxy.port`; set `proxy.target` before anybody connects."""

    def __init__(self) -> None:
        self.target: Address = ("127.0.0.1", 0)
        self.port = 0
        self._flows = asyncio.Event()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._flood: Callable[[], bytes] | None = None
        self._pouring: set[asyncio.Future[None]] = set()
        self._answers_left = -1
        self._then: Callable[[], object] = lambda: None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Reset all connections, in the middle of whatever passes."""
        self._do(self._abort)

    def refuse(self, refusing: bool) -> None:
        """Whether new connections are closed at once."""
        self._refusing = refusing

    def freeze(self) -> None:
        """Half-open: the connections stay, and nothing passes any more."""
        self._do(self._flows.clear)

    def thaw(self) -> None:
        """Cut what was frozen, and let new connections pass."""
        self._do(lambda: (self._abort(), self._flows.set()))

    def after_answers(self, lines: int, then: Callable[[], object]) -> None:
        """Do something when whoever connected has answered so many lines, before the next of them passes."""
        self._answers_left, self._then = lines, then

    def flood(self, burst: Callable[[], bytes] | None) -> None:
        """Pour in what `burst` gives, again and again, between the messages of whom we pass on; None ends it.

        It comes as fast as whoever connected takes it.
        """
        self._flood = burst

    async def _start(self) -> None:
        self._flows.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._server = server

    async def _stop(self) -> None:
        self._server.close()
        self._abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(TIDY)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError), closing(writer.transport):
            if self._refusing:
                writer.transport.abort()
                return
            there, back = await asyncio.open_connection(*self.target)
            self._writers |= {writer, back}
            try:
                await asyncio.gather(self._pass(reader, back, self._count), self._pass(there, writer, self._pour(writer)))
            finally:
                back.transport.abort()

    def _count(self, content: bytes) -> None:
        if self._answers_left < 0:
            return
        self._answers_left -= content.count(b"\n200 ") + content.startswith(b"200 ")
        if self._answers_left < 0:
            self._then()

    def _pour(self, writer: asyncio.StreamWriter) -> Callable[[bytes], object]:
        """Flood one connection. Returns what must look at each piece before it is passed on: only after whole messages."""
        whole = False

        def look(content: bytes) -> None:
            nonlocal whole
            whole = content.endswith(MESSAGE_END)

        async def pouring() -> None:
            with suppress(OSError):
                while not writer.transport.is_closing():
                    if whole and self._flood:
                        writer.write(self._flood())
                        await writer.drain()
                    await asyncio.sleep(0 if self._flood else 0.02)

        self._pouring.add(asyncio.ensure_future(pouring()))
        return look

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                    look: Callable[[bytes], object] = lambda content: None) -> None:
        with suppress(OSError):
            while content := await reader.read(1 << 16):
                await self._flows.wait()
                look(content)
                writer.write(content)
                await writer.drain()
        self._writers.discard(writer)
        writer.transport.abort()

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def _do(self, work: Callable[[], object]) -> None:
        async def working() -> None:
            work()

        asyncio.run_coroutine_threadsafe(working(), self._loop).result(10)
