"""``ami-bridge init``."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.config import load
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services import install
from ami_bridge.services.changes import carried_out
from ami_bridge.services.machine import DEFAULT, Exchange, Given, find
from ami_bridge.services.setup import next_steps, set_up, write_configuration
from ami_bridge.services.system_user import working_as
from ami_bridge.services.units import BOOTED

NOTHING = "Everything is in place; nothing was changed."
LEFT = """\
What is left for you:
  1. In the dialplan, before the Dial() or Queue() of each entry point, one line:
       same => n,Gosub(recorded-call,s,1(inbound))            calls from outside
       same => n,Gosub(recorded-call,s,1(inbound,support))    calls from outside to the queue "support"
       same => n,Gosub(recorded-call,s,1(internal))           calls between extensions
       same => n,Gosub(recorded-call,s,1(outbound))           calls to outside; add U(recorded-callee) to their Dial()
  2. {restart}
  3. ami-bridge doctor
  4. For those who listen and answer callers: accounts, then the console (docs/howto-console.md)"""


def asked_of(verb: click.decorators.FC) -> click.decorators.FC:
    """Give a verb the options that say what would else be found out about Asterisk."""
    for option in reversed((
            click.option("--asterisk", type=click.Path(exists=True, file_okay=False, path_type=Path),
                         help="Asterisk's configuration folder."),
            click.option("--asterisk-user", default="", help="Whom Asterisk runs as."),
            click.option("--asterisk-group", default="", help="Its group, which shares spool and prompts."))):
        verb = option(verb)
    return verb


@click.command("init")
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path),
              help="Folder for spool, vault, prompts and register, in a new configuration; nothing outside is touched.")
@asked_of
@click.option("--asterisk-version", default="", help="Its version, as 22.10.")
@click.option("--name", default="", help="The exchange's name, in a new configuration.")
@click.option("--dry-run", is_flag=True, help="Show what would change, as a diff, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, on a terminal either.")
@with_file
def init_command(file: Path, directory: Path | None, asterisk: Path | None, asterisk_user: str, asterisk_group: str,
                 asterisk_version: str, name: str, dry_run: bool, yes: bool) -> None:
    """Set up everything that is not there yet: our own side and, as root, Asterisk's configuration and the units."""
    given = Given(folder=asterisk, user=asterisk_user, group=asterisk_group, version=asterisk_version)
    exchange = None if directory else exchange_here(file, given)
    if exchange is None:
        own_side(file, directory, name, dry_run)
    elif dry_run:
        show(install.plan(file, exchange, name), exchange)
    else:
        whole(file, exchange, name, yes)


def exchange_here(file: Path, given: Given) -> Exchange | None:
    """Return the Asterisk whose configuration is ours to write: of the machine's own set-up, or named; as root only."""
    if given.folder is None and (not install.default_place(file) or os.geteuid() != 0):
        return None
    found = find(given)
    if found is None:
        raise ConfigurationError(f"there is no asterisk.conf in {given.folder or DEFAULT}",
                                 "Name Asterisk's configuration folder with --asterisk. Where Asterisk is on another host: "
                                 "docs/howto-keys-elsewhere.md, 'On the key host'.")
    return found


def own_side(file: Path, directory: Path | None, name: str, dry_run: bool) -> None:
    """Make configuration, folders, register, prompts and generated dialplan only; say what is to be done by hand."""
    if dry_run:
        new = [] if file.exists() else [f"Write a new configuration {file}"]
        for line in [*new, *(install.unmade(load(file)) if file.exists() else [])] or [NOTHING]:
            click.echo(line)
        return
    made = list(write_configuration(file, directory, name))
    for line in made:
        click.echo(line)
    config = load(file)
    for line in set_up(config, file, datetime.now(UTC)):
        made.append(line)
        click.echo(line)
    click.echo("\n" + next_steps(config, file) if made else NOTHING)
    if made and install.default_place(file):
        click.echo("Run by root, 'ami-bridge init' does all of that but the Gosub lines and the restart.")


def show(plan: install.Plan, exchange: Exchange) -> None:
    """Show what would be changed."""
    click.echo(exchange.described)
    shown = [*(change.shown() for change in plan.changes), *(f"{line}\n" for line in install.unmade(plan.config))]
    click.echo("".join(shown) or f"{NOTHING}\n", nl=False)
    say(plan.remarks)


def whole(file: Path, exchange: Exchange, name: str, yes: bool) -> None:
    """Set up everything on this machine."""
    plan = install.plan(file, exchange, name)
    click.echo(exchange.described)
    if plan.changes and not yes and sys.stdin.isatty():
        click.confirm(f"{len(plan.changes)} changes ('--dry-run' shows them). Go on?", default=True, abort=True)
    done = 0
    for line in carried_out(plan.before):
        click.echo(line)
        done += 1
    with working_as():
        for line in set_up(load(file), file, datetime.now(UTC)):
            click.echo(line)
            done += 1
    for line in carried_out(plan.after):
        click.echo(line)
        done += 1
    say(plan.remarks)
    click.echo("\n" + left() if done else NOTHING)


def say(remarks: tuple[str, ...]) -> None:
    """Print what the admin should know of their own settings."""
    for remark in remarks:
        click.echo(f"Note: {remark}")


def left() -> str:
    """Return what the admin does next."""
    restart = ("systemctl restart asterisk ami-bridge      (ends the calls of this moment)" if BOOTED.is_dir() else
               "Start Asterisk anew, then the daemon: ami-bridge run")
    return LEFT.format(restart=restart)
