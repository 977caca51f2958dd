"""``ami-bridge findings``."""

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.words import SHORT_ID, Moment, duration, in_zone, on_screen, print_json, print_table
from ami_bridge.config import Config
from ami_bridge.core.findings import Finding
from ami_bridge.core.gaps import Gap

A_WEEK = timedelta(days=7)


@click.command("findings")
@click.option("--from", "since", type=Moment(), help="What was found then or later; else within a week.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def findings_command(config: Config, since: datetime | None, as_json: bool) -> None:
    """List what was found amiss, and the times in which the exchange was not heard."""
    from ami_bridge.register import Register

    now, zone = datetime.now(UTC), config.controller.zone
    first = in_zone(since, zone) or now - A_WEEK
    with closing(Register.open(config.register.url)) as register, register.reading() as work:
        found, gaps = work.findings.since(first), work.gaps.between(first, now)
    if as_json:
        print_json({"findings": [asdict(one) for one in found], "gaps": [asdict(gap) for gap in gaps]})
        return
    if not found and not gaps:
        click.echo("Nothing was found amiss, and everything was heard.")
    if found:
        print_table(("Found", "What", "Outcome", "Happened", "Call"), [
            (on_screen(one.found_at, zone), str(one.kind), str(one.outcome), on_screen(one.at, zone), _call(one))
            for one in found])
    if gaps:
        print_table(("Not heard from", "To", "Length", "Cause"), [
            (on_screen(gap.began_at, zone), on_screen(gap.ended_at, zone) or "it lasts", _length(gap, now), str(gap.cause))
            for gap in gaps])


def _call(finding: Finding) -> str:
    return str(finding.call)[:SHORT_ID] if finding.call else ""


def _length(gap: Gap, now: datetime) -> str:
    return duration(((gap.ended_at or now) - gap.began_at).total_seconds())
