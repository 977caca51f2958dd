"""``ami-bridge console``."""

from functools import partial
from pathlib import Path

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.config import load


@click.command("console")
@with_file
def console_command(file: Path) -> None:
    """Run the console in the foreground until SIGTERM; the log goes to stderr."""
    from ami_bridge.cli import VERBS
    from ami_bridge.daemon.logs import log_to_stderr
    from ami_bridge.services.promises import examine
    from ami_bridge.web.serving import serve

    config = load(file)
    log_to_stderr()
    serve(config, partial(examine, config, file, verbs=tuple(VERBS)))
