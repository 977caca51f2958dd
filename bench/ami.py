"""An AMI stream of real calls: our listener (down to the facts) against panoramisk with an empty callback."""

import asyncio
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from ami_bridge.asterisk.protocol import Protocol
from ami_bridge.asterisk.translate import WANTED, sent_at, translate
from ami_bridge.core.calls import Follower
from ami_bridge.core.events import Event, RecordingStarted
from ami_bridge.core.signs import SIGNS, Sign
from ami_bridge.core.steering import Steering, SteeringRules
from ami_bridge.services.follow import Follow
from ami_bridge.services.steer import Told
from ami_bridge.spool import Spool
from bench import stream as streams
from bench.pbx import memory_folder
from bench.report import Comparison, Figure

Receiver = Callable[[bytes], None]
WANTED_RATIO = 5.0
RULES = SteeringRules(longest=300.0)
NOBODY = Told(orders=lambda orders: None, revived=lambda call: None, given_up=lambda call: None, later=lambda seconds: None)


def run(*, quick: bool) -> Iterator[Comparison]:
    """Give one line for each size of chunk, without and with the journal of facts (in memory)."""
    stream = streams.lengthened(streams.take(each=1 if quick else 3), 20_000 if quick else 100_000)
    folder = memory_folder()
    try:
        for size in (4096, 65536):
            yield from asyncio.run(_compared(stream, size, folder, runs=3 if quick else 7))
    finally:
        shutil.rmtree(folder)


async def _compared(stream: bytes, size: int, folder: Path, runs: int) -> list[Comparison]:
    """Let the three take turns, so that a busy moment of the machine hits all of them."""
    chunks = list(streams.chunks(stream, size))
    count = stream.count(streams.END)
    makers = {"facts": _ours, "journal": partial(_ours_journaled, _spool_for(stream, folder / str(size))), "peer": _peer}
    rates: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(runs):
        for name, make in makers.items():
            rates[name].append(count / _seconds(make(), chunks))
    figures = {name: Figure.of(rate) for name, rate in rates.items()}
    remark = f"{count:,} messages, {len(stream) / 1e6:.0f} MB, {runs} runs"
    return [Comparison(name=f"ami, chunks of {size} B, down to the {what}", unit="events/s", ours=figures[what],
                       peer_name="panoramisk", peer=figures["peer"], wanted=WANTED_RATIO, remark=remark)
            for what in ("facts", "journal")]


def _seconds(receive: Receiver, chunks: Iterable[bytes]) -> float:
    begun = time.perf_counter()
    for chunk in chunks:
        receive(chunk)
    return time.perf_counter() - begun


def _ours() -> Receiver:
    """Return our listener, ending in the pure fold and the steering of recordings in progress."""
    follower = Follower()
    steering = Steering(follower, RULES)

    def fold(events: Iterable[Event | Sign]) -> None:
        for event in events:
            if isinstance(event, SIGNS):
                steering.take(event)
            else:
                follower.apply(event)

    return _listener(fold)


def _ours_journaled(spool: Spool) -> Receiver:
    """Return our listener as the daemon has it: facts are written beside the tickets."""
    for journal in spool.tickets.glob("*.facts"):
        journal.unlink()
    follow = Follow(spool, lambda call: None, RULES, frozenset(), NOBODY)

    def take(events: Iterable[Event | Sign]) -> None:
        follow.take(events)
        follow.steer.look(time.time())

    return _listener(take)


def _listener(take: Callable[[Iterable[Event | Sign]], None]) -> Receiver:
    def heard(messages: list[bytes]) -> None:
        received = time.time()
        sent_at(messages[-1], received)
        take(event for message in messages if (event := translate(message, received)) is not None)

    def fault(error: Exception) -> None:
        raise error

    protocol = Protocol(WANTED, heard, fault, time.time)
    protocol.connection_made(_Wire())
    protocol.release()
    protocol.data_received(streams.GREETING)
    return protocol.data_received


def _peer() -> Receiver:
    """Return panoramisk's own protocol and dispatch, as its Manager sets them up after connecting."""
    manager = Manager(loop=asyncio.get_running_loop())
    manager.register_event("*", lambda manager, event: None)
    connected: asyncio.Future[Any] = manager.loop.create_future()
    protocol = AMIProtocol()
    protocol.connection_made(_Wire())
    connected.set_result((protocol.transport, protocol))
    manager.connection_made(connected)
    manager.pinger.cancel()
    protocol.data_received(streams.GREETING)
    return protocol.data_received


class _Wire(asyncio.Transport):
    """A connection that takes everything and sends nothing."""

    def __init__(self) -> None:
        super().__init__({"socket": socket.socket()})

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


def _spool_for(stream: bytes, folder: Path) -> Spool:
    """Return a spool with a ticket for each call of the stream: without one, nothing is journaled."""
    spool = Spool(folder)
    spool.create()
    events = (translate(message, 0.0) for message in stream.split(streams.END))
    for started in events:
        if isinstance(started, RecordingStarted):
            (spool.tickets / f"{started.call}.json").touch()
    return spool
