"""Asking the running daemon for silence in a recording, over the manager interface: the way of our commands."""

import asyncio
import secrets
from dataclasses import replace

from ami_bridge.asterisk.actions import answered, ask
from ami_bridge.asterisk.ami import AmiLink, AmiSettings
from ami_bridge.core.errors import AmiBridgeError, ExchangeError
from ami_bridge.core.signs import Wish

PATIENCE = 5.0
"""Seconds in which the daemon should answer."""


async def asked(settings: AmiSettings, wish: Wish, *, call: str = "", interface: str = "", seconds: int = 0, by: str) -> str:
    """Ask, and return the daemon's word (``asterisk.controls``). ExchangeError: nobody answered."""
    token, loop = secrets.token_hex(16), asyncio.get_running_loop()
    word: asyncio.Future[str] = loop.create_future()
    up: asyncio.Future[None] = loop.create_future()

    def failed(problem: AmiBridgeError) -> None:
        if not up.done():
            up.set_exception(problem)

    def heard(messages: list[bytes]) -> None:
        for found in filter(None, (answered(message, token) for message in messages)):
            if not word.done():
                word.set_result(found)

    link = AmiLink(replace(settings, events="user"), heard, lambda _: None if up.done() else up.set_result(None),
                   lambda _: None, failed)
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(PATIENCE):
            await up
            await link.do(ask(wish, token, call=call, interface=interface, seconds=seconds, by=by))
            return await word
    except TimeoutError:
        raise ExchangeError("the daemon did not answer", "See 'ami-bridge doctor': do daemon and Asterisk run?") from None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
