"""``ami-bridge capture``."""

from pathlib import Path

import click

from ami_bridge.cli.configured import configured
from ami_bridge.config import Config


@click.command("capture")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--seconds", type=click.FloatRange(min=1), help="How long; else until Ctrl-C.")
@configured
def capture_command(config: Config, file: Path, seconds: float | None) -> None:
    """Record the exchange's events into FILE as a test fixture: numbers and names are replaced before they are written."""
    import asyncio

    from ami_bridge.app import ami_settings
    from ami_bridge.asterisk.capture import capture

    try:
        kept = asyncio.run(capture(ami_settings(config), file, seconds))
    except KeyboardInterrupt:
        click.echo(f"Stopped; what was heard is in {file}, if there was a link.", err=True)
        return
    click.echo(f"{kept} events kept in {file}.")
