"""What every session of the tests has."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import furnished

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Machines that want the same are set up once, whichever worker comes first."""
    ours = tmp_path_factory.getbasetemp()
    furnished.PATTERNS = (ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours) / "furnished"
    yield
    furnished.PATTERNS = None
