"""``ami-bridge doctor``."""

from dataclasses import asdict
from pathlib import Path

import click

from ami_bridge.cli.configured import with_file
from ami_bridge.cli.words import harmless, print_json

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--call/--no-call", default=None, help="Place the test call, or not; if not said: where this user may.")
@with_file
def doctor_command(file: Path, as_json: bool, call: bool | None) -> None:
    """Say what is wrong, and what to do about it. The exit code is 1 when there is an error.

    The test call calls nobody: by a call file Asterisk itself asks the daemon, and records two seconds of a tone.
    """
    from ami_bridge.services.doctor import Status, counted, examine

    findings = examine(file, call)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            status = click.style(f"{finding.status:<8}", fg=COLOURS[finding.status])
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            click.echo(f"{status}{finding.name:<18}{harmless_line(finding.reason + remedy)}")
        click.echo(counted(findings), err=True)
    if any(finding.status is Status.ERROR for finding in findings):
        raise SystemExit(1)


def harmless_line(text: str) -> str:
    """Return the text in one line, whatever an exchange or a file put into it."""
    return " ".join(harmless(line) for line in text.splitlines() if line.strip())
