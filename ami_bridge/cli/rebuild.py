"""``ami-bridge rebuild``."""

from contextlib import closing
from datetime import UTC, datetime

import click

from ami_bridge.cli.configured import as_owner, configured
from ami_bridge.cli.tracing import afterwards
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, Detail


@click.command("rebuild")
@click.option("--add", is_flag=True, help="Add what is missing to a register that is not empty; the rest of it stays.")
@configured
@as_owner
def rebuild_command(config: Config, add: bool) -> None:
    """Fill an empty register from the vault and the keys. The exit code is 1 when something could not be restored.

    After restoring a backup run 'ami-bridge purge' first: it removes what is past its time.
    """
    from ami_bridge.app import vault_of
    from ami_bridge.register import Register
    from ami_bridge.services.rebuild import rebuild

    with closing(Register.open(config.register.url)) as register:
        done = rebuild(vault_of(config), register, datetime.now(UTC), add=add)
    afterwards(config, Action.REGISTER_REBUILT, detail={Detail.CALLS: min(done.calls, MOST)})
    for problem in done.problems:
        click.echo(problem, err=True)
    click.echo(f"{done.calls} calls and {done.holds} holds restored; {done.past} calls past their time left out; "
               f"{f'{done.erased} erased ones left out; ' if done.erased else ''}"
               f"{len(done.problems)} could not be restored.")
    if done.problems:
        raise SystemExit(1)
