"""``ami-bridge certificate``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ami_bridge.cli.configured import configured, with_file
from ami_bridge.cli.words import on_screen, print_json, print_table
from ami_bridge.config import Config, load
from ami_bridge.core.errors import AudioError, NotFound

if TYPE_CHECKING:
    from ami_bridge.certificates import Certificates


@click.group("certificate")
def certificate_command() -> None:
    """List and verify the certificates of destruction. They name nobody."""


@certificate_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def list_certificates(config: Config, as_json: bool) -> None:
    """List what was destroyed, and when."""
    found = of(config).all()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    print_table(("Number", "Key", "Calls", "Files", "Fate of the key", "Issued"), [
        (f"{one.number:06}", one.key, str(one.calls), str(one.files), one.key_fate,
         on_screen(one.issued_at, config.controller.zone)) for one in found])


@certificate_command.command("show")
@click.argument("number", type=click.IntRange(min=1))
@configured
def show(config: Config, number: int) -> None:
    """Show one certificate whole, as JSON."""
    try:
        print_json(asdict(of(config).read(number)))
    except FileNotFoundError:
        raise NotFound(f"there is no certificate {number:06}", "List them with 'ami-bridge certificate list'.") from None
    except ValueError as error:
        raise AudioError(f"certificate {number:06} cannot be read ({error})",
                         "Run 'ami-bridge certificate verify'.") from None


@certificate_command.command("verify")
@click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--public-key", "public_keys", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The public key, as you once got it; else the one beside the certificates.")
@click.option("--head", default="", metavar="SHA256", help="The head that was once written down: it must still be there.")
@with_file
def verify_command(file: Path, directory: Path | None, public_keys: tuple[Path, ...], head: str) -> None:
    """Verify signatures, chain and digest lists. With DIRECTORY it needs no configuration and no database.

    The exit code is 1 when something is wrong. A key that comes from the same folder proves only that the certificates
    agree with each other: get it by another way, and write the head down now and then.
    """
    from ami_bridge.certificates import Certificates, verify

    folder = directory or load(file).certificates.directory
    problems = verify(folder, public_keys, head)
    for problem in problems:
        click.echo(problem)
    if problems:
        raise SystemExit(1)
    number, sha256 = Certificates(folder, folder).head()
    click.echo(f"{number} certificates are good. Head: {sha256}")


def of(config: Config) -> "Certificates":
    """Return the configured certificates."""
    from ami_bridge.certificates import Certificates

    return Certificates(config.certificates.directory, config.certificates.key)
