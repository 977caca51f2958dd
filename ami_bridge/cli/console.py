"""``ami-bridge console``."""

import click

from ami_bridge.cli.configured import configured
from ami_bridge.config import Config


@click.command("console")
@configured
def console_command(config: Config) -> None:
    """Run the console in the foreground until SIGTERM; the log goes to stderr."""
    from ami_bridge.daemon.logs import log_to_stderr
    from ami_bridge.web.serving import serve

    log_to_stderr()
    serve(config)
