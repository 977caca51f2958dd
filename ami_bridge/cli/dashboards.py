"""``ami-bridge dashboards``."""

from pathlib import Path

import click

from ami_bridge.cli.configured import with_file


@click.command("dashboards")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--runbook", default="", help="Where your copy of docs/runbook.md is read, for the links in the alerts.")
@with_file
def dashboards_command(file: Path, directory: Path, runbook: str) -> None:
    """Write alert rules for Prometheus and a dashboard for Grafana to DIRECTORY, over what is there by their names."""
    from ami_bridge.services.dashboards import write

    for path in write(directory, runbook):
        click.echo(path)
