"""``ami-bridge dialplan``."""

from pathlib import Path

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.config import load
from ami_bridge.dialplan_globals import render
from ami_bridge.services.setup import generated_file, write_dialplan


@click.command("dialplan")
@click.option("--write", is_flag=True, help="Write it beside the configuration instead of printing it.")
@with_file
def dialplan_command(file: Path, write: bool) -> None:
    """Print the part of the dialplan that follows from the configuration (it holds the AGI secret)."""
    config = load(file)
    if not write:
        click.echo(render(config), nl=False)
    elif write_dialplan(config, file):
        click.echo(f"Wrote {generated_file(file)}. Now: asterisk -rx 'dialplan reload'")
    else:
        click.echo(f"{generated_file(file)} is up to date.")
