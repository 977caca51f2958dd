"""Running the console until SIGTERM."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from typing import Any

import uvicorn

from ami_bridge import systemd
from ami_bridge.app import note_configuration, now, trail_keeping
from ami_bridge.config import Config
from ami_bridge.core.errors import ConfigurationError, RegisterError
from ami_bridge.core.faults import fault
from ami_bridge.credentials import Codes
from ami_bridge.register import Register
from ami_bridge.services.alarm import Telling
from ami_bridge.services.certificate_pair import PAIR, why_not
from ami_bridge.services.health_reading import Examine
from ami_bridge.services.writing_heads import writing_heads
from ami_bridge.web import connections
from ami_bridge.web.alarms import Told
from ami_bridge.web.application import application
from ami_bridge.web.house import House

log = logging.getLogger(__name__)

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, those that RFC 9325, section 4.2, recommends; TLS 1.3 has no others."""


class Server(uvicorn.Server):
    """Tells systemd when it listens, and says where. ``beside``: what goes on for as long as it does.

    At its end it records what it had gathered.
    """

    def __init__(self, house: House, beside: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        super().__init__(settings(house))
        self._house, self._beside = house, beside
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list | None = None) -> None:
        """Listen; ConfigurationError. Uvicorn's own would wait a minute for TLS, and count nobody before that."""
        config, loop = self.config, asyncio.get_running_loop()
        tls: dict[str, Any] = {"ssl": config.ssl, "ssl_handshake_timeout": connections.PATIENCE} if config.ssl else {}
        try:
            self.servers = [await loop.create_server(self._connection, sock=one, backlog=config.backlog, **tls)
                            for one in connections.listening(config.host, config.port)]
        except OSError as error:
            raise ConfigurationError(f"the console cannot listen on {self._house.config.console.where} ({error.strerror})",
                                     "Is the port taken, or the address not of this machine?") from None
        self.started = True
        if self._beside:
            self._task = asyncio.create_task(self._beside())
            self._task.add_done_callback(_ended)
        systemd.notify("READY=1")
        log.info("The console listens on %s://%s", "https" if config.is_ssl else "http", self._house.config.console.where,
                 extra={"action": "console_ready"})

    async def shutdown(self, sockets: list | None = None) -> None:
        """End what goes on, and listen no more.

        This is the last that is sure to be done: a signal that was caught is raised again afterwards.
        """
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await super().shutdown(sockets)
        try:
            await asyncio.to_thread(self._house.tries.record, self._house.register, self._house.now())
        except RegisterError as problem:
            log.error("Tries to sign in were not recorded: %s", problem, extra={"action": "tries_unrecorded"})

    def _connection(self) -> connections.Connection:
        return connections.Connection(self.config, self.server_state, self.lifespan.state)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("What the console does besides has ended: %s", fault(error), extra={"action": "console_beside_ended"})


def serve(config: Config, examine: Examine) -> None:
    """Run the console. ``examine``: the self-check of the notice.

    ConfigurationError when it cannot listen there, or the certificate cannot be used. RegisterError when the trail cannot be
    written: then nothing could be shown.
    """
    with closing(Register.open(config.register.url)) as register:
        note_configuration(config, register)
        tell_unreadable_codes(config, register)
        server = Server(House(config, register, examine), partial(write_heads, config, register))
        server.run()


def tell_unreadable_codes(config: Config, register: Register) -> None:
    """Log an error where the key of the one-time codes does not open those of some accounts: they cannot sign in."""
    with register.reading() as work:
        kept = [(one.id, one.codes) for one in work.accounts.all() if one.disabled_at is None]
    count, problem = Codes(config.accounts.key).unreadable(kept)
    if problem:
        log.error("%d accounts cannot sign in: %s", count, problem, extra={"action": "codes_unreadable"})


async def write_heads(config: Config, register: Register) -> None:
    """Write down the end of the trail every hour, until cancelled."""
    await writing_heads(trail_keeping(config, register), Told(Telling(config.alarm, config.exchange.name), now))


def settings(house: House) -> uvicorn.Config:
    """Return how it is served. No line of the log says what was asked; one of a refused sign-in, from where."""
    console = house.config.console
    wrong = why_not(console.certificate, console.key) if console.certificate and console.key else ""
    if wrong:
        raise ConfigurationError(f"the console has no TLS: {wrong}", f"See [console] certificate and key. {PAIR}")
    made = uvicorn.Config(
        application(house), host=console.host, port=console.port, log_config=None,
        access_log=False, server_header=False, proxy_headers=False, limit_concurrency=connections.AT_ONCE,
        timeout_keep_alive=5, lifespan="off", ssl_certfile=console.certificate, ssl_keyfile=console.key, ssl_ciphers=CIPHERS,
        http=connections.Connection, ws="none", loop="asyncio")
    made.load()
    if made.ssl:
        made.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
