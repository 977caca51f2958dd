"""A console that runs, with everybody who works with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import free_port
from tests.cli.machine import Machine
from tests.web.console import Console, console
from tests.web.office import staffed


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path, {"AMI_BRIDGE__AMI__PORT": str(free_port()), "AMI_BRIDGE__AGI__PORT": str(free_port()),
                              "AMI_BRIDGE__METRICS__PORT": "0", "AMI_BRIDGE__EXCHANGE__CONFIGURATION": str(tmp_path / "none")})
    made.init()
    return made


@pytest.fixture
def empty(machine: Machine) -> Iterator[Console]:
    """A console without accounts."""
    with console(machine) as running:
        yield running


@pytest.fixture
def office(machine: Machine) -> Iterator[Console]:
    """A console with all of ``NAMES``."""
    with staffed(machine) as running:
        yield running
