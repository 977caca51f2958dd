"""``ami-bridge hold``."""

import getpass
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from ami_bridge.cli import purposes
from ami_bridge.cli.configured import as_owner, configured
from ami_bridge.cli.show import WIDTH, lines
from ami_bridge.cli.tracing import looking, refusals
from ami_bridge.cli.words import SHORT_ID, Moment, entry_as_dict, harmless, in_zone, on_screen, print_json, print_table
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.holds import Hold
from ami_bridge.core.proposals import State
from ami_bridge.services.invoker import invoker


@click.group("hold")
def hold_command() -> None:
    """Keep a call beyond its time, for a reason, until a date. Every hold ends."""


@hold_command.command("place")
@click.argument("call", metavar="CALL_ID")
@click.option("--reason", required=True, help="Why; name no caller and no number here.")
@click.option("--basis", required=True, help="The statute or the request it rests on.")
@click.option("--until", required=True, type=Moment(ends=True), help="When it ends at the latest; a date means its end.")
@click.option("--remind", type=Moment(), help="When to be reminded; else seven days before the end.")
@click.option("--by", help="Who does it; else your account on this machine.")
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
    with refusals(config, Action.HOLD_PLACED) as register:
        hold = holding(config, register, invoker()).place(wish)
    click.echo(f"Call {hold.call} is held until {on_screen(hold.until, zone)} as {hold.id}.")


@hold_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def list_holds(config: Config, as_json: bool) -> None:
    """List the holds, also those that have ended and wait for the next purge."""
    with looking(config, Action.HOLDS_LISTED) as look, look.register.reading() as work:
        holds = work.holds.all()
        proposed = {one.object for one in work.proposals.of(Action.HOLD_RELEASED, *(str(hold.id) for hold in holds))
                    if one.state(datetime.now(UTC)) in (State.WAITING, State.APPROVED)}
        look.detail[Detail.FOUND] = len(holds)
    if as_json:
        print_json([asdict(hold) | {"release_proposed": str(hold.id) in proposed} for hold in holds])
        return
    now, zone = datetime.now(UTC), config.controller.zone
    print_table(("Hold", "Call", "Until", "State", "Placed by", "Basis", "Reason"), [
        (str(hold.id)[:SHORT_ID], str(hold.call)[:SHORT_ID], on_screen(hold.until, zone),
         state(hold, now, str(hold.id) in proposed), hold.placed_by, hold.basis, hold.reason) for hold in holds])


@hold_command.command("show")
@click.argument("hold", metavar="HOLD_ID")
@purposes.option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def show(config: Config, hold: str, purpose: str | None, as_json: bool) -> None:
    """Show a hold and the call it holds, opened with the hold's key."""
    from ami_bridge.app import holding

    with looking(config, Action.HOLD_VIEWED, purposes.purpose_of(config, purpose)) as look:
        found, entry = holding(config, look.register, invoker()).show(hold)
        look.object = str(found.id)
    if as_json:
        print_json({"hold": asdict(found), "call": entry_as_dict(entry)})
        return
    for name, value in [*told(found, config.controller.zone), *lines(entry, config.controller.zone)]:
        click.echo(f"{name:<{WIDTH}}{harmless(value)}".rstrip())


@hold_command.command("release")
@click.argument("hold", metavar="HOLD_ID")
@configured
@as_owner
def release(config: Config, hold: str) -> None:
    """Propose the release of a hold; run by a second person within seven days, release it.

    The next purge then destroys its copy, and the call too if its time has come.
    """
    from ami_bridge.app import agreeing, machine_rights
    from ami_bridge.register import Register
    from ami_bridge.services.releasing import release as proposed_or_done

    with closing(Register.open(config.register.url)) as register:
        came = proposed_or_done(agreeing(register, machine_rights(config, register, invoker())), hold)
    if came.done:
        click.echo(f"Hold {came.hold.id} is released; the next purge destroys its copy.")
    elif came.proposal:
        ends = on_screen(came.proposal.ends_at, config.controller.zone)
        click.echo(f"The release of hold {came.hold.id} is proposed; it is not released yet. Another person must agree by "
                   f"{ends}: with the same command from their own account, or in the console.")


def state(hold: Hold, now: datetime, proposed: bool) -> str:
    """Return how a hold stands, in a word or two; ``proposed``: whether its release waits for a second person."""
    if hold.released_at or not hold.active(now):
        return "released" if hold.released_at else "ended"
    return "release proposed" if proposed else "stands"


def told(hold: Hold, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield name and value of all that is known of a hold."""
    yield "hold", str(hold.id)
    yield "reason", hold.reason
    yield "basis", hold.basis
    yield "placed", f"{on_screen(hold.placed_at, zone)} by {hold.placed_by}"
    yield "until", f"{on_screen(hold.until, zone)}; reminder {on_screen(hold.remind_at, zone)}"
