"""What every session of the tests has."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from ami_bridge import credentials
from tests import furnished

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HASHING = credentials.HASHING


@pytest.fixture(scope="session", autouse=True)
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Machines that want the same are set up once, whichever worker comes first."""
    ours = tmp_path_factory.getbasetemp()
    furnished.PATTERNS = (ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours) / "furnished"
    yield
    furnished.PATTERNS = None


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Within the tests' own process the hash of a password costs little, but where that is what is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "HASHING", {"memory_cost": 64, "time_cost": 1, "parallelism": 1})
        yield


@pytest.fixture
def passwords_as_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash of a password costs what it costs to users."""
    monkeypatch.setattr(credentials, "HASHING", HASHING)
