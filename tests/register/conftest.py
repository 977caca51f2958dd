"""Every test that asks for ``url``, ``empty_url`` or ``register`` runs on SQLite and on PostgreSQL."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from ami_bridge.register import Register
from tests import postgresql
from tests.postgresql import Server

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for the session, with a database ``made`` to copy from."""
    programs = postgresql.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with postgresql.running(programs, in_memory=True) as server:
        Register.create(server.make("made")).close()
        yield server


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register file to copy from."""
    file = tmp_path_factory.mktemp("made") / "register.db"
    Register.create(f"sqlite:///{file}").close()
    return file


def _database(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    server: Server = request.getfixturevalue("server")
    name = f"test_{next(NUMBERS)}"
    yield server.make(name, template)
    server.drop(name)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh register nobody has open."""
    if request.param == "postgresql":
        yield from _database(request, "made")
    else:
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('made_file'), tmp_path)}"


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "postgresql":
        yield from _database(request, "template0")
    else:
        file = tmp_path / "empty.db"
        file.touch()
        yield f"sqlite:///{file}"


@pytest.fixture
def register(url: str) -> Iterator[Register]:
    """A fresh register, open."""
    register = Register.open(url)
    yield register
    register.close()


@contextmanager
def databases(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of a fresh register of a kind; for tests that need many."""
    if kind == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('made_file'), folder)}"
    else:
        yield from _database(request, "made")


@contextmanager
def copied(request: pytest.FixtureRequest, url: str, folder: Path) -> Iterator[str]:
    """Give the URL of a copy of a register that nobody has open; of SQLite's, the file was copied with its folder."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{folder / 'register.db'}"
    else:
        yield from _database(request, make_url(url).database or "")
