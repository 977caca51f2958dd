"""``ami-bridge status``."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.words import harmless, on_screen, print_json
from ami_bridge.config import Config

if TYPE_CHECKING:
    from ami_bridge.services.console_call import Answer
    from ami_bridge.services.disks import Disk
    from ami_bridge.services.said import Daemon
    from ami_bridge.services.status import Kepts, Standing

WIDTH = 80
UNITS = ("bytes", "kB", "MB", "GB", "TB")
UNKNOWN = "unknown"
RUNBOOK = "docs/runbook.md says of each alarm what to do."

Line = tuple[str, str, bool]
"""What it is about, what is said, and whether all is well with it."""


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def status_command(config: Config, as_json: bool) -> None:
    """Show on one screen how things stand. The exit code is 1 when an alarm holds, or the daemon is away."""
    from ami_bridge.services.status import look

    standing = look(config, datetime.now(UTC))
    if as_json:
        print_json({**asdict(standing), "healthy": standing.healthy})
    else:
        _print(standing, config.controller.zone)
    if not standing.healthy:
        raise SystemExit(1)


def lines(standing: "Standing", zone: ZoneInfo) -> Iterator[Line]:
    """Yield the screen, a line at a time."""
    daemon = standing.daemon
    yield "Daemon", _daemon(daemon, zone), daemon.running
    yield "Exchange", _exchange(standing), daemon.connected is not False and daemon.running
    yield "Calls", _calls(standing), True
    if standing.register:
        yield from _register(standing.register, standing, zone)
    else:
        yield "Register", "does not answer", False
    yield "Keys", f"for {standing.key_days} days" if standing.key_days else "none for today", standing.key_days > 0
    yield "Disks", "; ".join(f"{name} {_free(disk)}" for name, disk in standing.disks.items()), True
    yield "Console", _console(standing.console), standing.console.ours or not standing.console.answered
    if not standing.alarms:
        yield "Alarms", "none", True
    for name, alarm in standing.alarms.items():
        yield "Alarm", f"{name}: {alarm}", False


def _register(kept: "Kepts", standing: "Standing", zone: ZoneInfo) -> Iterator[Line]:
    others = ", ".join(f"{why} {count}" for why, count in kept.today.unrecorded.items())
    not_recorded = sum(kept.today.unrecorded.values())
    yield "Today", f"{kept.today.recorded} recorded, {not_recorded} not" + (f": {others}" if others else ""), True
    purge = kept.purge
    last = f"last good run {on_screen(purge.last_success, zone)}" if purge.last_success else "no good run yet"
    following = f"next {on_screen(purge.planned, zone)}" if purge.planned else f"due before {on_screen(purge.due, zone)}"
    yield "Purge", f"{last}, {following}", purge.due > standing.at
    gaps = "; ".join(f"{gap.cause} since {on_screen(gap.began_at, zone)}" for gap in kept.gaps)
    yield "Gaps", gaps or "none open: everything is heard", not gaps
    found = ", ".join(f"{kind} {count}" for kind, count in sorted(kept.findings.items()))
    yield "Findings", f"{found or 'none'} within a day", not found


def _daemon(daemon: "Daemon", zone: ZoneInfo) -> str:
    if not daemon.running:
        return "does not run: what follows is from register and spool"
    if not daemon.shown:
        return "runs, but shows no figures here: see [metrics]"
    return f"runs since {on_screen(daemon.since, zone)}, version {daemon.version}"


def _exchange(standing: "Standing") -> str:
    daemon = standing.daemon
    if daemon.connected is None:
        return f"{standing.exchange}: {UNKNOWN}, the daemon does not say"
    version = f", Asterisk {daemon.exchange_version}" if daemon.exchange_version else ""
    return f"{standing.exchange} is {'heard' if daemon.connected else 'not heard'}{version}"


def _calls(standing: "Standing") -> str:
    if not standing.daemon.running:
        return f"{_many(standing.waiting)} in the spool, in progress or finished"
    return f"{_many(standing.daemon.in_progress)} in progress, {_many(standing.waiting)} waiting for the register"


def _console(answer: "Answer") -> str:
    if not answer.answered:
        return f"does not run on {answer.address}"
    return f"answers on {answer.address}" if answer.ours else f"another program answers on {answer.address}"


def _many(count: int | None) -> str:
    return UNKNOWN if count is None else str(count)


def _free(disk: "Disk | None") -> str:
    if disk is None:
        return "cannot be asked"
    share = f" ({disk.free * 100 // disk.size} %)" if disk.size else ""
    return f"{size(disk.free)} free{share}"


def size(count: float) -> str:
    """Return bytes as people read them: 1.2 GB."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in UNITS[:3] else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {UNITS[-1]}"


def _print(standing: "Standing", zone: ZoneInfo) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for about, said, well in lines(standing, zone):
        grid.add_row(about, Text(harmless(said), style="" if well else "bold red"))
    console = Console(width=WIDTH, highlight=False)
    with console.capture() as screen:
        console.print(f"Status of {standing.exchange} at {on_screen(standing.at, zone)}", style="bold", markup=False)
        console.print(grid)
        if standing.alarms:
            console.print(RUNBOOK, markup=False)
    click.echo("\n".join(line.rstrip() for line in screen.get().splitlines()))
