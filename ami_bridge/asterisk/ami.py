"""The AMI link: connects, logs in, watches, reconnects. Events are hints; the link says when it had a gap.

Source: Asterisk 22 ``main/manager.c`` (action_login, process_events). Facts 49-62 and 77-84 decide what is here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from random import SystemRandom
from ssl import SSLContext

from ami_bridge.asterisk.actions import PERMISSION, Action, login, outcome
from ami_bridge.asterisk.protocol import Protocol
from ami_bridge.asterisk.translate import EVENT_CLASSES, WANTED, sent_at, snapshot, version
from ami_bridge.core.errors import AmiBridgeError, AuthenticationRefused, ExchangeError, NotPermitted
from ami_bridge.core.events import Event
from ami_bridge.core.faults import fault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiSettings:
    """Where and how to log in. All times in seconds; ``events`` is the mask of event classes, ``tls`` None for plain TCP."""

    host: str
    username: str
    secret: str = field(repr=False)
    port: int = 5038
    tls: SSLContext | None = None
    events: str = EVENT_CLASSES
    keepalive: float = 5.0
    connect_patience: float = 5.0
    action_patience: float = 5.0
    first_retry: float = 0.5
    longest_retry: float = 30.0
    refused_retry: float = 60.0


def spread(seconds: float) -> float:
    """Return a random time between half of ``seconds`` and all of it, so that many clients do not come back at once."""
    return SystemRandom().uniform(seconds / 2, seconds)


class AmiLink:
    """The listener. All callbacks are sync, run on the event loop and must be quick.

    ``on_up(snapshot)``: logged in; who is in which bridge now. Events that came meanwhile follow after it, none is lost
    between. ``on_events(messages)``: wanted raw messages in order; it must not raise: what it raises is counted in
    ``events_lost`` and alarmed. ``on_down(reason)``: the link ended after it was up: a gap begins.
    ``on_alarm(error)``: something only a human can mend. ``clock`` gives seconds since 1970.
    """

    def __init__(self, settings: AmiSettings, on_events: Callable[[list[bytes]], None],
                 on_up: Callable[[list[Event]], None], on_down: Callable[[ExchangeError], None],
                 on_alarm: Callable[[AmiBridgeError], None], *, jitter: Callable[[float], float] = spread,
                 clock: Callable[[], float] = time.time, wanted: Container[bytes] = WANTED) -> None:
        self.settings = settings
        self._on_events, self._on_up, self._on_down, self._on_alarm = on_events, on_up, on_down, on_alarm
        self._jitter, self._clock, self._wanted = jitter, clock, wanted
        self._protocol: Protocol | None = None
        self._pause = settings.first_retry
        self._messages_before = 0
        self.connected_since: float | None = None
        self.logins = 0
        self.events_wanted = 0
        self.events_lost = 0
        self.lag = 0.0
        self.heard_until: float | None = None
        self.exchange_version = ""

    @property
    def last_bytes_at(self) -> float | None:
        """Return when the exchange was last heard (seconds since 1970); None without a connection."""
        return self._protocol.last_bytes_at if self._protocol else None

    @property
    def messages_seen(self) -> int:
        """Return how many messages came in all, wanted or not."""
        return self._messages_before + (self._protocol.messages_seen if self._protocol else 0)

    async def run(self) -> None:
        """Keep the link up until cancelled."""
        while True:
            try:
                await self._one_connection()
            except AuthenticationRefused as refusal:
                self._on_alarm(refusal)
                await asyncio.sleep(self.settings.refused_retry)
            except ExchangeError as reason:
                log.warning("No link to the exchange: %s", reason, extra={"action": "ami_link_down"})
                await asyncio.sleep(self._next_pause())

    async def action(self, name: str, **headers: str) -> list[dict[str, str]]:
        """Send an action; return the messages of its answer (header to value), the response first.

        Raises ExchangeError: no link, no answer within ``action_patience``, refused, or a value that cannot be sent.
        An action is sent once at most.
        """
        if self._protocol is None:
            raise ExchangeError(f"action {name} found no link to the exchange", "It was not sent: ask again later.")
        answer = await self._protocol.action(name, headers, self.settings.action_patience)
        success, message = outcome(answer[0])
        if not success:
            kind = NotPermitted if message == PERMISSION else ExchangeError
            raise kind(f"the exchange refused action {name}: {message}",
                       "Give the manager user the write classes of dialplan/manager_ami_bridge.conf.")
        return answer

    async def do(self, action: Action) -> dict[str, str]:
        """Send an action; return the first message of its answer. Errors as of ``action``."""
        return (await self.action(action.name, **action.headers))[0]

    async def version(self) -> str:
        """Return Asterisk's version, and keep it in ``exchange_version``. Errors as of ``action``."""
        self.exchange_version = version(await self.action("CoreSettings"))
        return self.exchange_version

    async def channels(self) -> list[Event]:
        """Return who is in which bridge now, as BridgeEntered events. Errors as of ``action``."""
        return snapshot(await self.action("CoreShowChannels"), self._clock())

    async def _one_connection(self) -> None:
        protocol = self._protocol = await self._connect()
        try:
            await self._login(protocol)
            self._on_up(await self._channels_or_alarm())
            protocol.release()
            await self._watch(protocol)
        finally:
            protocol.close()
            self._messages_before += protocol.messages_seen
            self.heard_until = protocol.last_bytes_at
            self._protocol = None
            if self.connected_since is not None:
                self.connected_since = None
                self._on_down(protocol.lost.result())

    async def _connect(self) -> Protocol:
        settings = self.settings
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.connect_patience):
                _, protocol = await loop.create_connection(
                    lambda: Protocol(self._wanted, self._take, self._fault, self._clock),
                    settings.host, settings.port, ssl=settings.tls)
        except OSError as error:
            raise ExchangeError(f"cannot reach the manager port {settings.port} of {settings.host} ({type(error).__name__})",
                                "Is Asterisk running, and manager enabled there?") from error
        return protocol

    async def _login(self, protocol: Protocol) -> None:
        fields = login(self.settings.username, self.settings.secret, self.settings.events)
        answer = await protocol.action("Login", fields, self.settings.action_patience)
        if not outcome(answer[0]).success:
            raise AuthenticationRefused(f"the exchange refuses manager user {self.settings.username!r}",
                                        "Compare name, secret and permit lines with manager.conf.")
        self._pause = self.settings.first_retry
        self.logins += 1
        self.connected_since = self._clock()
        log.info("The link to the exchange is up", extra={"action": "ami_link_up"})

    async def _channels_or_alarm(self) -> list[Event]:
        try:
            return await self.channels()
        except ExchangeError as error:
            if self._protocol is None or self._protocol.lost.done():
                raise
            self._on_alarm(ExchangeError(f"calls in progress are not known after a gap: {error}",
                                         "Give the manager user write=reporting."))
            return []

    async def _watch(self, protocol: Protocol) -> None:
        interval = self.settings.keepalive
        while not protocol.lost.done():
            protocol.ping()
            await asyncio.wait({protocol.lost}, timeout=interval)
            if protocol.silence > 2 * interval:
                protocol.drop(f"the exchange was silent for {2 * interval} s", "Is the network up?")
        raise protocol.lost.result()

    def _take(self, messages: list[bytes]) -> None:
        now = self._clock()
        self.lag = now - sent_at(messages[-1], now)
        self.events_wanted += len(messages)
        self._on_events(messages)

    def _fault(self, error: Exception) -> None:
        self.events_lost += 1
        alarm = AmiBridgeError(f"events of the exchange could not be taken ({fault(error)})",
                               "This is a bug: recordings are safe, agents may be missing. Report it.")
        asyncio.get_running_loop().call_soon(self._on_alarm, alarm)

    def _next_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, self.settings.longest_retry)
        return self._jitter(pause)
