"""``ami-bridge uninstall``."""

import os
from pathlib import Path

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.cli.init import asked_of
from ami_bridge.config import load
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services import uninstall
from ami_bridge.services.changes import carried_out
from ami_bridge.services.machine import Exchange, Given, find


@click.command("uninstall")
@asked_of
@click.option("--dry-run", is_flag=True, help="Show what would change, as a diff, and change nothing.")
@click.option("--force", is_flag=True, help="Also while the dialplan still calls ours.")
@with_file
def uninstall_command(file: Path, asterisk: Path | None, asterisk_user: str, asterisk_group: str, dry_run: bool,
                      force: bool) -> None:
    """Leave Asterisk's configuration as it was before init. Recordings, keys and register stay."""
    exchange = find(Given(folder=asterisk, user=asterisk_user, group=asterisk_group, version="unasked"))
    if exchange is None:
        raise ConfigurationError("no asterisk.conf was found", "Name Asterisk's configuration folder with --asterisk.")
    stays = uninstall.what_stays(load(file), file) if file.exists() else ""
    changes = uninstall.plan(file, exchange)
    if dry_run:
        click.echo("".join(change.shown() for change in changes) or "There is nothing of ours here.\n", nl=False)
        return
    refuse_while_used(exchange, force)
    for line in carried_out(changes):
        click.echo(line)
    click.echo("There is nothing of ours here." if not changes else
               "\nRestart Asterisk, and it is as it was.\n" + stays)


def refuse_while_used(exchange: Exchange, force: bool) -> None:
    """Refuse as another user than root, and while calls would be dropped at a line of the admin's that calls ours."""
    if os.geteuid() != 0:
        raise ConfigurationError("only root may change Asterisk's configuration", "Run it as root.")
    used = uninstall.users_of_ours(exchange)
    if used and not force:
        raise ConfigurationError(f"the dialplan still calls ami-bridge ({', '.join(used[:5])}): such calls would be dropped",
                                 "Take those lines out first, then 'dialplan reload'.")
