"""A console that runs, with everybody who works with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.machine import Machine
from tests.ports import free_port
from tests.web.console import Console, console
from tests.web.office import staffed


def made(folder: Path, url: str = "") -> Machine:
    """Set up a machine; ``url``: an empty database for its register, else a file."""
    machine = Machine(folder, {"AMI_BRIDGE__AMI__PORT": str(free_port()), "AMI_BRIDGE__AGI__PORT": str(free_port()),
                               "AMI_BRIDGE__METRICS__PORT": "0", "AMI_BRIDGE__EXCHANGE__CONFIGURATION": str(folder / "none"),
                               **({"AMI_BRIDGE__REGISTER__URL": url} if url else {})})
    machine.init()
    return machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return made(tmp_path)


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


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The office of all tests of a file, for those that can bear what another has done in it."""
    with staffed(made(tmp_path_factory.mktemp("office"))) as running:
        yield running
