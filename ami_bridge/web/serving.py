"""Running the console until SIGTERM."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Any

import uvicorn

from ami_bridge import systemd
from ami_bridge.app import note_configuration, now, trail_keeping
from ami_bridge.config import Config
from ami_bridge.core.alarms import Alarm, Name, tidings
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.register import Register
from ami_bridge.services.alarm import Telling
from ami_bridge.services.health_reading import Examine
from ami_bridge.services.writing_heads import writing_heads
from ami_bridge.web.application import application
from ami_bridge.web.house import House

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Connections that are answered at one time; more are told to come again (503)."""


class Server(uvicorn.Server):
    """Tells systemd when it listens, and says where. ``beside``: what goes on for as long as it does."""

    def __init__(self, config: uvicorn.Config, beside: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        super().__init__(config)
        self._beside = beside
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            self._task = asyncio.create_task(self._beside()) if self._beside else None
            systemd.notify("READY=1")
            scheme = "https" if self.config.is_ssl else "http"
            log.info("The console listens on %s://%s:%d", scheme, self.config.host, self.config.port,
                     extra={"action": "console_ready"})

    async def shutdown(self, sockets: list | None = None) -> None:
        """End what goes on, and listen no more."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await super().shutdown(sockets)


def serve(config: Config, examine: Examine) -> None:
    """Run the console. ``examine``: the self-check of the notice.

    ConfigurationError when it cannot listen there, or the certificate cannot be used. RegisterError when the trail cannot be
    written: then nothing could be shown.
    """
    with closing(Register.open(config.register.url)) as register:
        note_configuration(config, register)
        server = Server(settings(config, register, examine), partial(write_heads, config, register))
        try:
            server.run()
        except SystemExit:
            raise ConfigurationError(f"the console cannot listen on {config.console.host}:{config.console.port}",
                                     "See the line above: is the port taken, or the address not of this machine?") from None


async def write_heads(config: Config, register: Register) -> None:
    """Write down the end of the trail every hour, until cancelled."""
    await writing_heads(trail_keeping(config, register), Told(Telling(config.alarm, config.exchange.name), now))


class Told:
    """The console's alarms: each is told when it begins, and again every day that it lasts. For one event loop."""

    def __init__(self, telling: Telling, now: Callable[[], datetime]) -> None:
        self._telling, self._now = telling, now
        self._standing: dict[Name, Alarm] = {}
        self._told: Mapping[Name, datetime] = {}

    def put_up(self, alarm: Alarm) -> None:
        """Raise an alarm."""
        self._standing[alarm.name] = alarm
        self._tell()

    def take_down(self, name: Name) -> None:
        """End an alarm."""
        self._standing.pop(name, None)
        self._tell()

    def _tell(self) -> None:
        found = tidings(self._standing.values(), self._told, self._now())
        self._told = found.told
        for name in found.ended:
            self._telling.ended(name)
        for alarm in found.tell:
            self._telling.log(alarm)
            asyncio.get_running_loop().run_in_executor(None, self._telling.send, alarm)


def settings(config: Config, register: Register, examine: Examine) -> uvicorn.Config:
    """Return how it is served. No line of the log names an address or what was asked."""
    console = config.console
    try:
        made = uvicorn.Config(
            application(House(config, register, examine)), host=console.host, port=console.port, log_config=None,
            access_log=False, server_header=False, proxy_headers=False, limit_concurrency=AT_ONCE, timeout_keep_alive=5,
            lifespan="off", ssl_certfile=console.certificate, ssl_keyfile=console.key, http="h11", ws="none", loop="asyncio")
        made.load()
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"the console's certificate or key cannot be used ({type(error).__name__})",
                                 "See [console] certificate and key: PEM files, readable by this user, that belong together."
                                 ) from None
    return made
