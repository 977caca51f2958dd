"""``ami-bridge init``."""

from datetime import UTC, datetime
from pathlib import Path

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.config import load
from ami_bridge.services.setup import next_steps, set_up, write_configuration


@click.command("init")
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path),
              help="Folder for spool, vault, prompts and register, in a new configuration.")
@with_file
def init_command(file: Path, directory: Path | None) -> None:
    """Make configuration, folders, register, prompts and dialplan, each where it is not there yet. Asks nothing."""
    made = [*write_configuration(file, directory)]
    for line in made:
        click.echo(line)
    config = load(file)
    for line in set_up(config, file, datetime.now(UTC)):
        made.append(line)
        click.echo(line)
    click.echo("\n" + next_steps(config, file) if made else "Everything is in place; nothing was changed.")
