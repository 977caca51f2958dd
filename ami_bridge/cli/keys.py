"""``ami-bridge keys``."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import click

from ami_bridge.cli.configured import as_owner, configured
from ami_bridge.cli.tracing import afterwards
from ami_bridge.cli.words import print_json, print_table
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail

SHORT = 16


@click.group("keys")
def keys_command() -> None:
    """Make, publish, list and destroy the keys that recordings are sealed to: one for each day of expiry."""


@keys_command.command("make")
@click.option("--ahead", type=click.IntRange(1, 366), help="Days beyond those that calls of today need; else [keys] ahead.")
@configured
@as_owner
def make(config: Config, ahead: int | None) -> None:
    """Make the keys of the coming days that are not there yet. The nightly purge does so too, where the private keys are."""
    from ami_bridge.app import key_store
    from ami_bridge.services.keys import make_ahead

    made = make_ahead(key_store(config), datetime.now(UTC).date(), config.retention.days, ahead or config.keys.ahead)
    if made:
        afterwards(config, Action.KEYS_MADE, detail={Detail.FOUND: len(made)})
    click.echo(f"{len(made)} keys made, until {made[-1]}." if made else "All keys were there already.")


@keys_command.command("publish")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@configured
def publish(config: Config, directory: Path) -> None:
    """Mirror the public halves to DIRECTORY, for the exchange's host: all that it needs to seal."""
    from ami_bridge.app import key_store

    published = key_store(config).publish(directory)
    afterwards(config, Action.KEYS_PUBLISHED, detail={Detail.FOUND: published})
    click.echo(f"{published} public keys are in {directory}.")


@keys_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@configured
def list_keys(config: Config, as_json: bool) -> None:
    """List the keys, and which halves are on this host."""
    from ami_bridge.app import key_store

    pairs = key_store(config).pairs()
    if as_json:
        print_json([asdict(pair) for pair in pairs])
        return
    print_table(("Key", "Public", "Private", "Fingerprint"), [
        (pair.name, "here" if pair.public else "-", "here" if pair.private else "-", pair.fingerprint[:SHORT])
        for pair in pairs])


@keys_command.command("destroy")
@click.argument("days", nargs=-1, type=click.DateTime(["%Y-%m-%d"]), metavar="[DAY]...")
@click.option("--past", is_flag=True, help="Of all days that are over.")
@configured
@as_owner
def destroy(config: Config, days: tuple[datetime, ...], past: bool) -> None:
    """Destroy the keys of days that are over, where the private keys are kept apart. ('purge' does it elsewhere.)"""
    from ami_bridge.app import key_store
    from ami_bridge.services.keys import days_over, destroy_days

    if not days and not past:
        raise click.UsageError("Say which: one or more days, or --past.")
    store, now = key_store(config), datetime.now(UTC)
    doomed: list[date] = [day.date() for day in days]
    gone = destroy_days(store, [*doomed, *(days_over(store, now) if past else ())], now)
    if gone:
        afterwards(config, Action.KEY_DESTROYED, *gone)
    names = ", ".join(one[:SHORT] for one in gone)
    click.echo(f"{len(gone)} keys destroyed: {names}." if gone else "They were gone already.")
