"""``ami-bridge resume``."""

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.pause import ask, of_which_call
from ami_bridge.config import Config
from ami_bridge.core.signs import Wish


@click.command("resume")
@of_which_call
@configured
def resume_command(config: Config, call: object, agent: str | None, by: str | None) -> None:
    """End the silence that somebody asked for in a call in progress."""
    ask(config, Wish.RESUME, call, agent, by)
