"""For what a verb shows details of a call: asked for each time, since the notice names what recordings are used for."""

import sys

import click

from ami_bridge.config import Config
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.purposes import BY_LAW

option = click.option("--purpose", metavar="NAME", help="For what: one of [purposes] names, data-subject-request or "
                                                         "authority-request. Asked for at a terminal where not given.")


def purpose_of(config: Config, given: str | None) -> str:
    """Return the purpose that was named, or is now at the terminal. ConfigurationError for none, and for another."""
    known = (*config.purposes.names, *BY_LAW)
    if given is None and sys.stdin.isatty():
        return str(click.prompt("For what is it shown", type=click.Choice(known), err=True))
    if given not in known:
        said = "this is no purpose for which" if given else "say for what"
        raise ConfigurationError(f"{said} a call is shown", f"Give --purpose with one of: {', '.join(known)}.")
    return given
