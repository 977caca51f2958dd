"""A machine that ``init`` has set up; its ports lead nowhere, and there is no Asterisk on it."""

import socket
from pathlib import Path

import pytest

from tests.cli.machine import Machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    return Machine(tmp_path, {"AMI_BRIDGE__AMI__PORT": str(free_port()), "AMI_BRIDGE__AGI__PORT": str(free_port()),
                              "AMI_BRIDGE__EXCHANGE__CONFIGURATION": str(tmp_path / "no-asterisk")})


@pytest.fixture
def machine(bare: Machine) -> Machine:
    bare.init()
    return bare
