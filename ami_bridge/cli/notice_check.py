"""``ami-bridge notice-check``."""

from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.cli.words import harmless, on_screen, print_json
from ami_bridge.config import load

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ami_bridge.core.promises import Line

STYLES = {"kept": "green", "not kept": "bold red", "not checkable": "yellow"}
WIDTH = 120


@click.command("notice-check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_file
def notice_check_command(file: Path, as_json: bool) -> None:
    """Say clause by clause whether the promises of the privacy notice are kept. It changes nothing.

    The exit code is 1 when one is not kept. What no program can see is said to be not checkable, and where to look.
    """
    from ami_bridge.cli import VERBS
    from ami_bridge.core.promises import all_kept
    from ami_bridge.services.promises import examine

    config, now = load(file), datetime.now(UTC)
    lines = examine(config, file, now, tuple(VERBS))
    if as_json:
        print_json([asdict(line) for line in lines])
    else:
        _print(lines, now, config.controller.zone)
    if not all_kept(lines):
        raise SystemExit(1)


def _print(lines: "list[Line]", now: datetime, zone: "ZoneInfo") -> None:
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ami_bridge.core.promises import CLAUSES, verdict_of

    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(f"The promises of the privacy notice, as of {on_screen(now, zone)}", style="bold", markup=False)
    for clause, found in groupby(lines, key=lambda line: line.clause):
        of_clause = list(found)
        verdict = verdict_of(of_clause)
        console.print(Text.assemble(f"\n{clause} ", (f"{verdict}", STYLES[verdict]), f": {CLAUSES[clause]}"))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, min_width=15)
        grid.add_column(no_wrap=True, min_width=16)
        grid.add_column(overflow="fold")
        for line in of_clause:
            said = f"{line.reason}. -> {line.look}" if line.look else f"{line.reason}."
            grid.add_row(Text(f"  {line.verdict}", style=STYLES[line.verdict]), line.about, Text(harmless(said)))
        console.print(grid)
    console.print(f"\n{_counted(lines)}", markup=False)


def _counted(lines: "list[Line]") -> str:
    from ami_bridge.core.promise_evidence import Verdict

    counts = {verdict: sum(line.verdict is verdict for line in lines) for verdict in Verdict}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + "."
