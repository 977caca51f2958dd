"""``ami-bridge register``."""

import click

from ami_bridge.cli.configured import configured
from ami_bridge.config import Config


@click.group("register")
def register_command() -> None:
    """Look after the retention database."""


@register_command.command("upgrade")
@configured
def upgrade(config: Config) -> None:
    """Bring the register to the version of this program; it is made where there is none."""
    from ami_bridge.register import Register

    register = Register.create(config.register.url)
    register.close()
    click.echo(f"The register at {register.place} is up to date.")
