"""``ami-bridge run``."""

import click

from ami_bridge.cli.configured import configured
from ami_bridge.config import Config


@click.command("run")
@configured
def run_command(config: Config) -> None:
    """Run the daemon in the foreground until SIGTERM; the log goes to stderr."""
    from ami_bridge.daemon import run

    run(config)
