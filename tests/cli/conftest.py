"""A machine that ``init`` has set up; its ports lead nowhere, and there is no Asterisk on it."""

from pathlib import Path

import pytest

from tests.cli.machine import Machine
from tests.ports import free_port


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    return Machine(tmp_path, {"AMI_BRIDGE__AMI__PORT": str(free_port()), "AMI_BRIDGE__AGI__PORT": str(free_port()),
                              "AMI_BRIDGE__EXCHANGE__CONFIGURATION": str(tmp_path / "no-asterisk")})


@pytest.fixture
def machine(bare: Machine) -> Machine:
    bare.init()
    return bare
