"""``ami-bridge run``."""

import logging
from pathlib import Path

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.config import load, outdated

LOG = logging.getLogger(__name__)


@click.command("run")
@with_file
def run_command(file: Path) -> None:
    """Run the daemon in the foreground until SIGTERM; the log goes to stderr."""
    from ami_bridge.daemon import run
    from ami_bridge.daemon.logs import log_to_stderr

    config = load(file)
    log_to_stderr()
    for sentence in outdated(file):
        LOG.warning("%s: %s", file, sentence, extra={"action": "setting_renamed"})
    run(config)
