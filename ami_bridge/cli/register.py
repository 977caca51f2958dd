"""``ami-bridge register``."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ami_bridge.cli.configured import as_owner, configured
from ami_bridge.config import Config

if TYPE_CHECKING:
    from ami_bridge.register.upgrading import Plan


@click.group("register")
def register_command() -> None:
    """Look after the retention database."""


@register_command.command("upgrade")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@configured
@as_owner
def upgrade(config: Config, dry_run: bool) -> None:
    """Bring the register to the version of this program, wholly or not at all; it is made where there is none."""
    from ami_bridge.register import upgrading
    from ami_bridge.spool import Spool

    planned = upgrading.plan(config.register.url)
    if not planned.steps:
        click.echo(f"The register at {planned.place} is up to date (version {planned.found}).")
        put_back(config, dry_run)
        return
    if not dry_run:
        Spool(config.spool.directory).refuse_daemon()
        planned = upgrading.upgrade(config.register.url)
    show(planned, "would be" if dry_run else "was")


def put_back(config: Config, dry_run: bool) -> None:
    """Put back the triggers that guard the register, where somebody took one away; or say so."""
    from ami_bridge.register import Register

    with closing(Register.open(config.register.url)) as register:
        missing = register.unguarded() if dry_run else register.guard()
    if missing:
        click.echo(f"Triggers that guard it {'would be' if dry_run else 'were'} put back: {', '.join(missing)}.")


def show(plan: "Plan", tense: str) -> None:
    """Say what was, or would be, done."""
    if plan.found is None:
        click.echo(f"A new register {tense} made at {plan.place}, of version {plan.steps[-1][0]}.")
        return
    click.echo(f"The register at {plan.place} {tense} brought from version {plan.found} to {plan.steps[-1][0]}:")
    for version, purpose in plan.steps:
        click.echo(f"  {version}  {purpose}")
