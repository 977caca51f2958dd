"""``ami-bridge verify``."""

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.words import print_json
from ami_bridge.config import Config


@click.command("verify")
@click.option("--all", "everything", is_flag=True, help="Open every call, not just tonight's share of one in 31.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@configured
def verify_command(config: Config, everything: bool, as_json: bool) -> None:
    """Compare register, vault, holds, certificates and trail, and open a share of the calls. It changes nothing.

    The exit code is 1 when something does not agree.
    """
    from ami_bridge.app import verify
    from ami_bridge.register import Register

    found = []
    with closing(Register.open(config.register.url)) as register:
        job = verify(config, register, everything=everything)
        for disagreement in job.run(datetime.now(UTC)):
            found.append(disagreement)
            if not as_json:
                click.echo(f"{disagreement.what} -> {disagreement.remedy}")
    if as_json:
        print_json({"disagreements": [asdict(one) for one in found], **asdict(job.seen)})
    else:
        seen = job.seen
        click.echo(f"{seen.calls} calls compared, {seen.opened} opened"
                   + (f", {seen.unopened} not opened for want of private keys on this host" if seen.unopened else "")
                   + (f"; {len(found)} things do not agree." if found else "; all agree."))
    if found:
        raise SystemExit(1)
