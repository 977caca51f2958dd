"""What verbs do to leave a trace under the account of this machine that runs them."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.errors import RegisterError
from ami_bridge.services.invoker import invoker

if TYPE_CHECKING:
    from ami_bridge.register import Register
    from ami_bridge.services.trail import Look


@contextmanager
def looking(config: Config, action: Action, purpose: str = "") -> "Iterator[Look]":
    """Open the register for a look, and record it at the end of the block: print only after that. TrailError otherwise."""
    from ami_bridge.app import trail
    from ami_bridge.register import Register

    with closing(Register.open(config.register.url)) as register, \
            trail(config, register, invoker()).looking(action, purpose=purpose) as look:
        yield look


@contextmanager
def refusals(config: Config, action: Action) -> "Iterator[Register]":
    """Open the register for a block that records what it does by itself; record that it was refused."""
    from ami_bridge.app import trail
    from ami_bridge.register import Register
    from ami_bridge.services.trail import Look

    with closing(Register.open(config.register.url)) as register, \
            trail(config, register, invoker()).refusals(action, Look(register)):
        yield register


def afterwards(config: Config, action: Action, *objects: str, detail: Mapping[Detail, int | str] | None = None) -> None:
    """Record what is done already and could not wait, once for each object. Where that cannot be, it is said, no more."""
    from ami_bridge.app import trail
    from ami_bridge.register import Register

    try:
        with closing(Register.open(config.register.url)) as register:
            for one in objects or ("",):
                trail(config, register, invoker()).done(action, one, detail)
    except RegisterError as problem:
        click.echo(f"ami-bridge: the trail has no entry of this ({action}): {problem}", err=True)
