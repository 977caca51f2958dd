"""``ami-bridge calls``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.tracing import looking
from ami_bridge.cli.words import (
    SHORT_ID,
    Moment,
    agents_of,
    duration,
    entry_as_dict,
    heard,
    in_zone,
    on_screen,
    print_json,
    print_table,
)
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.parties import Direction

if TYPE_CHECKING:
    from ami_bridge.services.remarks import Remarked

HEADINGS = ("Start", "Direction", "Caller", "Callee", "Agent", "Length", "State", "Notice", "Amiss", "Id")


@click.command("calls")
@click.option("--number", help="The caller's or callee's number, in any notation.")
@click.option("--agent", help="The whole name of a participant.")
@click.option("--queue", help="The whole name of the queue that the call was of.")
@click.option("--direction", type=click.Choice([str(direction) for direction in Direction]))
@click.option("--from", "since", type=Moment(), help="Calls that began then or later (controller's time).")
@click.option("--to", "until", type=Moment(ends=True), help="Calls that began before; a date means all of that day.")
@click.option("--shortest", type=click.FloatRange(0), metavar="SECONDS", help="Calls that lasted at least so long.")
@click.option("--longest", type=click.FloatRange(0), metavar="SECONDS", help="Calls that lasted at most so long.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def calls_command(config: Config, as_json: bool, **wanted: Any) -> None:
    """List registered calls, newest first."""
    found = find(config, **wanted)
    if as_json:
        print_json([entry_as_dict(one.entry) | {"gap": one.gap, "findings": one.findings} for one in found])
    elif found:
        print_table(HEADINGS, [row(one, config) for one in found])
    else:
        click.echo("No such calls.")


def find(config: Config, since: datetime | None, until: datetime | None, direction: str | None,
         **wanted: Any) -> "list[Remarked]":
    """Return the calls that fit, newest first."""
    from ami_bridge.register import CallFilter
    from ami_bridge.services import search
    from ami_bridge.services.remarks import remarked

    zone = config.controller.zone
    terms = CallFilter(now=datetime.now(UTC), since=in_zone(since, zone), until=in_zone(until, zone),
                       direction=Direction(direction) if direction else None, **wanted)
    with looking(config, Action.CALLS_SEARCHED) as look:
        with look.register.reading() as work:
            found = remarked(work, search.find(work, terms))
        look.detail |= {Detail.FOUND: len(found), **search.asked(terms, zone)}
    return found


def row(one: "Remarked", config: Config) -> tuple[str, ...]:
    """Return the cells of one call, in the order of ``HEADINGS``."""
    entry = one.entry
    return (on_screen(entry.started_at, config.controller.zone), str(entry.direction), entry.caller or "withheld",
            entry.callee, agents_of(entry), duration(entry.seconds), str(entry.state), heard(entry),
            one.amiss, str(entry.id)[:SHORT_ID])
