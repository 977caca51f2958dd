"""A console at which everybody works already: the accounts are made once in a run of the tests, and copied."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager

from ami_bridge.register import Register
from tests.cli.machine import Machine
from tests.furnished import furnish
from tests.web.console import NAMES, Console, console

KNOWN = "known.json"
"""What the tests know of the accounts and the register does not: the secrets of the one-time codes."""


@contextmanager
def staffed(machine: Machine) -> Iterator[Console]:
    """Run the console of a machine that ``init`` has set up, with all of ``NAMES``."""
    furnish(machine.folder, machine.ports["AMI_BRIDGE__AGI__PORT"], ("office", machine.settings), lambda: _employ(machine))
    with console(machine) as running:
        known = json.loads((machine.folder / KNOWN).read_text(encoding="utf-8"))
        running.secrets, running.hash = known["secrets"], known["hash"]
        yield running


def _employ(machine: Machine) -> None:
    config = machine.config
    with closing(Register.open(config.register.url)) as register:
        staff = Console(config, register, None, machine.folder)  # type: ignore[arg-type]
        staff.employ(*NAMES)
    known = {"secrets": staff.secrets, "hash": staff.hash}
    (machine.folder / KNOWN).write_text(json.dumps(known), encoding="utf-8")
