"""``ami-bridge pause``."""

import getpass
from collections.abc import Callable

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.tracing import afterwards
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.errors import NotFound
from ami_bridge.core.signs import Wish


def of_which_call(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the ways to say which call, and who asks."""
    for option in (
        click.argument("call", metavar="[CALL_ID]", required=False, type=click.UUID),
        click.option("--agent", help="Instead of the call: the device of an agent who is in it, such as PJSIP/6001."),
        click.option("--by", help="Who asks; else your account on this machine."),
    ):
        verb = option(verb)
    return verb


@click.command("pause")
@of_which_call
@click.option("--for", "seconds", type=click.IntRange(1, 7200), help="Seconds; else, and at most, as configured.")
@configured
def pause_command(config: Config, call: object, agent: str | None, by: str | None, seconds: int | None) -> None:
    """Silence the recording of a call in progress, for a private passage; it goes on by itself in time."""
    ask(config, Wish.PAUSE, call, agent, by, seconds or 0)


def ask(config: Config, wish: Wish, call: object, agent: str | None, by: str | None, seconds: int = 0) -> None:
    """Ask the daemon and say how the recording stands."""
    import asyncio

    from ami_bridge.app import ami_settings
    from ami_bridge.asterisk.asking import asked
    from ami_bridge.asterisk.controls import REFUSED, SILENT

    if bool(call) is bool(agent):
        raise click.UsageError("say which call: its id, or --agent with the device of an agent who is in it")
    word = asyncio.run(asked(ami_settings(config), wish, call=str(call or ""), interface=agent or "", seconds=seconds,
                             by=by or getpass.getuser()))
    if word == REFUSED:
        raise NotFound("no recorded call in progress fits", "It is found by its whole id, or by --agent PJSIP/6001.")
    action = Action.RECORDING_PAUSED if wish is Wish.PAUSE else Action.RECORDING_RESUMED
    afterwards(config, action, str(call or ""), detail={Detail.SECONDS: seconds} if seconds else {})
    click.echo("The recording is silent." if word == SILENT else "The call is recorded again.")
