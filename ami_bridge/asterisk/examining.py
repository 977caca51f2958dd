"""The doctor's visit to the exchange: one short connection, questions that change nothing, and what was heard meanwhile."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ami_bridge.asterisk.actions import mute, value_of
from ami_bridge.asterisk.ami import AmiLink, AmiSettings
from ami_bridge.asterisk.questions import ACTIONS_PERMITTED, SETTINGS, dialplan_of, global_variable, trial, tried
from ami_bridge.asterisk.translate import CLOCK_HEADER
from ami_bridge.core.errors import AmiBridgeError, AuthenticationRefused, ExchangeError, NotPermitted

NO_CHANNEL = "ami-bridge/doctor"
PATIENCE = 3.0
"""Seconds for one event to come back."""


@dataclass
class Visit:
    """A link that is up, and the doctor's own user events as they come. ``token``: what they carry."""

    link: AmiLink
    token: str
    heard: asyncio.Queue[dict[str, str]] = field(default_factory=asyncio.Queue)


@dataclass(frozen=True)
class Examined:
    """What the exchange said of itself and of our user. ``version``: empty when our user may not ask for it.

    ``actions``: those permitted, name -> description; empty when not told. ``contexts``: context -> whether it is loaded;
    empty when that may not be asked. ``globals``: variables of the dialplan. ``hears``: whether our own user event came
    back; ``timestamped``: whether it carried the time.
    """

    name: str
    version: str
    may_mute: bool
    actions: dict[str, str]
    contexts: dict[str, bool]
    globals: dict[str, str]
    hears: bool
    timestamped: bool


@asynccontextmanager
async def visiting(settings: AmiSettings) -> AsyncIterator[Visit]:
    """Hold a link up. AuthenticationRefused or ExchangeError when it does not come up in time."""
    loop, token = asyncio.get_running_loop(), secrets.token_hex(8)
    up: asyncio.Future[None] = loop.create_future()
    heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    def failed(problem: AmiBridgeError) -> None:
        if isinstance(problem, AuthenticationRefused) and not up.done():
            up.set_exception(problem)

    def take(messages: list[bytes]) -> None:
        for said in filter(None, (tried(message, token) for message in messages)):
            heard.put_nowait(said)

    link = AmiLink(settings, take, lambda _: None if up.done() else up.set_result(None), lambda _: None, failed)
    running = asyncio.create_task(link.run())
    try:
        await _came_up(up, settings)
        yield Visit(link, token, heard)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _came_up(up: "asyncio.Future[None]", settings: AmiSettings) -> None:
    try:
        async with asyncio.timeout(2 * settings.connect_patience):
            await up
    except TimeoutError:
        raise ExchangeError(f"the manager port {settings.port} of {settings.host} does not speak AMI",
                            "See [ami] host and port, and what listens there.") from None


async def examined(settings: AmiSettings, contexts: Iterable[str], variables: Iterable[str]) -> Examined:
    """Ask all questions. Errors as of ``visiting``; what our user may not ask is empty."""
    async with visiting(settings) as visit:
        said = await _settings(visit.link)
        echo = await _echo(visit)
        return Examined(
            name=said.get("SystemName", ""), version=said.get("AsteriskVersion", ""), may_mute=await _may_mute(visit.link),
            actions=await _actions(visit.link), contexts=await _contexts(visit.link, contexts),
            globals=await _globals(visit.link, variables), hears=bool(echo), timestamped=CLOCK_HEADER in echo)


async def _settings(link: AmiLink) -> dict[str, str]:
    try:
        return await link.do(SETTINGS)
    except NotPermitted:
        return {}


async def _echo(visit: Visit) -> dict[str, str]:
    try:
        await visit.link.do(trial(visit.token, "echo"))
        async with asyncio.timeout(PATIENCE):
            return await visit.heard.get()
    except (ExchangeError, TimeoutError):
        return {}


async def _may_mute(link: AmiLink) -> bool:
    """Tell whether our user may silence recordings: asked of a channel that there cannot be."""
    try:
        await link.do(mute(NO_CHANNEL, "", on=False))
    except NotPermitted:
        return False
    except ExchangeError:
        return True
    return True


async def _actions(link: AmiLink) -> dict[str, str]:
    try:
        told = await link.do(ACTIONS_PERMITTED)
    except ExchangeError:
        return {}
    return {name: description for name, description in told.items() if "(Priv: " in str(description)}


async def _contexts(link: AmiLink, contexts: Iterable[str]) -> dict[str, bool]:
    loaded = {}
    for context in contexts:
        try:
            await link.do(dialplan_of(context))
        except NotPermitted:
            return {}
        except ExchangeError:
            loaded[context] = False
        else:
            loaded[context] = True
    return loaded


async def _globals(link: AmiLink, variables: Iterable[str]) -> dict[str, str]:
    values = {}
    for name in variables:
        try:
            values[name] = value_of(await link.do(global_variable(name)))
        except ExchangeError:
            return {}
    return values
