"""``ami-bridge hold``."""

import getpass
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from ami_bridge.cli.configured import as_owner, configured
from ami_bridge.cli.show import WIDTH, lines
from ami_bridge.cli.tracing import looking, refusals
from ami_bridge.cli.words import SHORT_ID, Moment, entry_as_dict, harmless, in_zone, on_screen, print_json, print_table
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.holds import Hold
from ami_bridge.services.invoker import invoker

BY = click.option("--by", help="Who does it; else your account on this machine.")


@click.group("hold")
def hold_command() -> None:
    """Keep a call beyond its time, for a reason, until a date. Every hold ends."""


@hold_command.command("place")
@click.argument("call", metavar="CALL_ID")
@click.option("--reason", required=True, help="Why; name no caller and no number here.")
@click.option("--basis", required=True, help="The statute or the request it rests on.")
@click.option("--until", required=True, type=Moment(ends=True), help="When it ends at the latest; a date means its end.")
@click.option("--remind", type=Moment(), help="When to be reminded; else seven days before the end.")
@BY
@configured
@as_owner
def place(config: Config, call: str, reason: str, basis: str, until: datetime, remind: datetime | None,
          by: str | None) -> None:
    """Hold a call: it is sealed anew to a key of its own. CALL_ID is its id or the beginning of it."""
    from ami_bridge.app import holding
    from ami_bridge.services.holds import Wish

    zone = config.controller.zone
    ends = in_zone(until, zone)
    assert ends
    wish = Wish(call=call, reason=reason, basis=basis, by=by or getpass.getuser(), until=ends,
                remind_at=in_zone(remind, zone))
    with refusals(config, Action.HOLD_PLACED):
        hold = holding(config, invoker()).place(wish)
    click.echo(f"Call {hold.call} is held until {on_screen(hold.until, zone)} as {hold.id}.")


@hold_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def list_holds(config: Config, as_json: bool) -> None:
    """List the holds, also those that have ended and wait for the next purge."""
    with looking(config, Action.HOLDS_LISTED) as look, look.register.reading() as work:
        holds = work.holds.all()
        look.detail[Detail.FOUND] = len(holds)
    if as_json:
        print_json([asdict(hold) for hold in holds])
        return
    now, zone = datetime.now(UTC), config.controller.zone
    print_table(("Hold", "Call", "Until", "State", "Placed by", "Basis", "Reason"), [
        (str(hold.id)[:SHORT_ID], str(hold.call)[:SHORT_ID], on_screen(hold.until, zone), state(hold, now), hold.placed_by,
         hold.basis, hold.reason) for hold in holds])


@hold_command.command("show")
@click.argument("hold", metavar="HOLD_ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def show(config: Config, hold: str, as_json: bool) -> None:
    """Show a hold and the call it holds, opened with the hold's key."""
    from ami_bridge.app import holding

    with looking(config, Action.HOLD_VIEWED) as look:
        found, entry = holding(config, invoker()).show(hold)
        look.object = str(found.id)
    if as_json:
        print_json({"hold": asdict(found), "call": entry_as_dict(entry)})
        return
    for name, value in [*told(found, config.controller.zone), *lines(entry, config.controller.zone)]:
        click.echo(f"{name:<{WIDTH}}{harmless(value)}".rstrip())


@hold_command.command("release")
@click.argument("hold", metavar="HOLD_ID")
@BY
@configured
@as_owner
def release(config: Config, hold: str, by: str | None) -> None:
    """Release a hold. The next purge destroys its copy, and the call too if its time has come."""
    from ami_bridge.app import holding

    with refusals(config, Action.HOLD_RELEASED):
        released = holding(config, invoker()).release(hold, by or getpass.getuser())
    click.echo(f"Hold {released.id} is released; the next purge destroys its copy.")


def state(hold: Hold, now: datetime) -> str:
    """Return how a hold stands, in a word."""
    return "released" if hold.released_at else "stands" if hold.active(now) else "ended"


def told(hold: Hold, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield name and value of all that is known of a hold."""
    yield "hold", str(hold.id)
    yield "reason", hold.reason
    yield "basis", hold.basis
    yield "placed", f"{on_screen(hold.placed_at, zone)} by {hold.placed_by}"
    yield "until", f"{on_screen(hold.until, zone)}; reminder {on_screen(hold.remind_at, zone)}"
