"""``ami-bridge audit``."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.tracing import looking
from ami_bridge.cli.words import Moment, in_zone, on_screen, print_each, print_table
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, Detail
from ami_bridge.core.audit_check import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ami_bridge.core.audit_check import Place, Verdict
    from ami_bridge.register import TrailFilter


@click.group("audit")
def audit_command() -> None:
    """Read and verify the trail of who looked at what, and did what. It holds nothing of a caller."""


@audit_command.command("list")
@click.option("--from", "since", type=Moment(), help="Entries of then or later (controller's time).")
@click.option("--to", "until", type=Moment(ends=True), help="Entries of before; a date means all of that day.")
@click.option("--actor", default="", help="Of one actor only: a log-in name, os:NAME, daemon or nobody.")
@click.option("--object", "object", default="",
              help="About one thing only: the whole id of a call, request, hold..., or a log-in name.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="The newest so many.")
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def list_entries(config: Config, since: datetime | None, until: datetime | None, actor: str, object: str,
                 limit: int, everything: bool, as_json: bool) -> None:
    """List entries of the trail, oldest first. That you read it is an entry too."""
    from ami_bridge.register import TrailFilter
    from ami_bridge.services.trail_reading import actor_of, object_of, terms_of

    zone = config.controller.zone
    with looking(config, Action.TRAIL_READ) as look, look.register.reading() as work:
        wanted = TrailFilter(since=in_zone(since, zone), until=in_zone(until, zone), actor=actor_of(work, actor),
                             object=object_of(work, object), limit=limit)
        look.detail |= terms_of(wanted)
        logins = {str(one.id): one.login for one in work.accounts.all()}
        found = [] if everything else work.audit.find(wanted)[::-1]
        wanted = replace(wanted, before=work.audit.head().number + 1)
        look.detail[Detail.FOUND] = min(work.audit.count(wanted) if everything else len(found), MOST)
    shown = every(config, wanted) if everything else iter(found)
    if as_json:
        print_each(as_json_of(place) for place in shown)
    else:
        print_table(("Number", "Time", "Actor", "Action", "Object", "Outcome", "Detail"),
                    [row(one, zone, logins) for one in shown])


def every(config: Config, wanted: "TrailFilter") -> "Iterator[Place]":
    """Yield every place that is wanted, oldest first; that they are read was recorded."""
    from ami_bridge.register import Register
    from ami_bridge.services.trail_keeping import every_place

    with closing(Register.open(config.register.url)) as register:
        yield from every_place(register, wanted)


@audit_command.command("verify")
@click.option("--head", "heads", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A head that was kept elsewhere; may be given more than once.")
@click.option("--public-key", "public_keys", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The public key, as you once got it; else those beside the heads. May be given more than once.")
@configured
def verify_command(config: Config, heads: tuple[Path, ...], public_keys: tuple[Path, ...]) -> None:
    """Verify the chain against all heads that were written down: it finds a changed, removed, moved or cut-off entry.

    The exit code is 1 when something is wrong. Whoever has all rights on this machine could sign new heads: only copies that
    are kept elsewhere, and a public key that was got early, prove that nobody did. It shows no entry and leaves no trace.
    """
    from ami_bridge.app import heads as heads_of
    from ami_bridge.app import now
    from ami_bridge.register import Register
    from ami_bridge.services.trail_keeping import verify_trail

    with closing(Register.open(config.register.url)) as register:
        verdict = verify_trail(register, heads_of(config), now(), heads, public_keys)
    if str(verdict):
        click.echo(f"{str(verdict)[0].upper()}{str(verdict)[1:]}.")
        raise SystemExit(1)
    click.echo(f"{verdict.entries} entries are good, up to number {verdict.head.number}. Head: {verdict.head.digest}")
    if verdict.entries:
        click.echo(vouched(verdict))


def vouched(verdict: "Verdict") -> str:
    """Say for which entries of a whole trail a signed head stands."""
    if not verdict.vouched:
        return "No signed head vouches for any of them yet; the first is written within the hour."
    later = "; later ones hang by the chain only" if verdict.vouched < verdict.head.number else ""
    return f"Vouched for by a signed head up to entry {verdict.vouched}{later}."


def as_json_of(place: "Place") -> dict[str, Any]:
    """Return one place of the chain for JSON; one that is no entry any more has its number only."""
    if isinstance(place, Unreadable):
        return {"number": place.number, "unreadable": True}
    return asdict(place.entry) | {"previous": place.previous, "digest": place.digest}


def row(place: "Place", zone: ZoneInfo, logins: Mapping[str, str]) -> tuple[str, ...]:
    """Return the cells of one place of the chain. ``logins``: id of an account -> its log-in name, shown in place of it."""
    if isinstance(place, Unreadable):
        return str(place.number), "", "", "cannot be read", "", "", "run 'ami-bridge audit verify'"
    entry = place.entry
    said = ", ".join(f"{name} {value}" for name, value in entry.detail.items())
    outcome = f"{entry.outcome}: {entry.reason}" if entry.reason else entry.outcome
    kind, _, name = entry.actor.partition(":")
    actor = f"{kind}:{logins.get(name, name)}" if kind == "account" else entry.actor
    object = f"account:{logins[entry.object]}" if entry.object in logins else entry.object
    return (str(entry.number), on_screen(entry.at, zone), actor, entry.action, object, outcome,
            ", ".join(part for part in (entry.purpose, said) if part))
