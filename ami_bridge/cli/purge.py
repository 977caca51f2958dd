"""``ami-bridge purge``."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ami_bridge.cli.configured import as_owner, configured
from ami_bridge.cli.words import print_json, print_table
from ami_bridge.config import Config
from ami_bridge.services.invoker import invoker

if TYPE_CHECKING:
    from ami_bridge.core.retention import Planned
    from ami_bridge.services.purge import Progress, Report


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Say what would be destroyed, and destroy nothing.")
@click.option("--accept-clock", is_flag=True, help="You looked at the clock, and it is right.")
@click.option("--accept-size", type=click.IntRange(min=0), default=0, metavar="N",
              help="You looked at the plan, and up to N calls are right.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@configured
@as_owner
def purge_command(config: Config, dry_run: bool, accept_clock: bool, accept_size: int, as_json: bool) -> None:
    """Destroy what is past its time, and certify it: the nightly job.

    It may run as often as you like. The exit code is 10 when it refuses because a person must look first, 11 when another
    run is going on.
    """
    from ami_bridge.app import purge
    from ami_bridge.register import Register
    from ami_bridge.services.purge import Asked

    asked = Asked(dry=dry_run, accept_clock=accept_clock, accept_size=accept_size)
    with closing(Register.open(config.register.url)) as register, \
            progress_bar(show=not as_json and sys.stderr.isatty()) as progress:
        report = purge(config, register, invoker()).run(asked, progress)
    if as_json:
        print_json({"planned": [asdict(one) for one in report.planned], "resumed": report.resumed, "swept": report.swept,
                    "certificates": [asdict(certificate) for certificate in report.certificates]})
    elif dry_run:
        show_plan(report.planned)
    else:
        say(report)


def show_plan(planned: "tuple[Planned, ...]") -> None:
    """Print what would happen to whom; what just waits for its time is a number."""
    from ami_bridge.core.retention import Fate, Why

    shown = [one for one in planned if one.why is not Why.NOT_YET]
    if shown:
        print_table(("Key", "Fate", "Calls", "Why"), [
            (one.key, "keep" if one.fate is Fate.KEEP else "destroy", str(one.calls or ""), one.why) for one in shown])
    click.echo(f"{len(planned) - len(shown)} keys wait for their time. Nothing was destroyed.")


def say(report: "Report") -> None:
    """Print what was done."""
    if report.resumed:
        click.echo(f"Finished what an interrupted run had begun: {report.resumed} keys.")
    for certificate in report.certificates:
        click.echo(f"{certificate.key}: {certificate.calls} calls, {certificate.files} files; key {certificate.key_fate}; "
                   f"certificate {certificate.number:06}")
    swept = ", ".join(f"{count} {what}" for what, count in report.swept.items() if count)
    click.echo(f"Also cleared: {swept}." if swept else "Nothing else was past its time."
               if report.certificates else "Nothing was past its time.")


@contextmanager
def progress_bar(show: bool) -> "Iterator[Progress]":
    """Give what to call with the progress: a bar on a terminal, else nothing."""
    if not show:
        yield lambda key, done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def progress(key: str, done: int, of: int) -> None:
            if key not in tasks:
                tasks[key] = bar.add_task(key, total=of)
            bar.update(tasks[key], completed=done)

        yield progress
