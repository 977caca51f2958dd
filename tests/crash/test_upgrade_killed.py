"""Kill -9 before every single statement of an upgrade: the register is of the old version or of ours, and all is in it."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ami_bridge.register import schema, upgrading
from tests.crash.switch import survives
from tests.postgresql import Server
from tests.register.conftest import DATABASES
from tests.register.older import Kept, engine, filled
from tests.register.test_upgrade import read, revision

pytestmark = pytest.mark.crash
OLD = "0002"


@pytest.mark.parametrize("kind", DATABASES)
def test_killed_before_any_statement_a_register_is_old_or_new_and_whole(
        tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    survived, step = False, 0
    template = Template(tmp_path, request.getfixturevalue("server") if kind == "postgresql" else None)
    with filled(template.url, OLD) as held:
        while not survived:
            step += 1
            url = template.copy(step)

            def prepare(url: str = url):
                return Engine, lambda: upgrading.upgrade(url)

            survived = survives(step, tmp_path / "nothing", prepare)
            assert revision(url) == (schema.HEAD if survived else OLD)
            assert_whole(url, held)
            template.remove(step)
    template.remove(0)
    assert step > 25, "the kill switch found too few operations to be believed"


def assert_whole(url: str, held: Kept) -> None:
    """Upgrade again, or for nothing; then our reader finds all, and the tables are as they should be."""
    upgrading.upgrade(url)
    assert read(url) == held
    with engine(url) as used, used.connect() as connection:
        assert upgrading.differences(connection) == []


class Template:
    """A register to copy from, on SQLite or on a server."""

    def __init__(self, folder: Path, server: Server | None) -> None:
        self._folder, self._server = folder, server
        self.url = server.make("upgrade_0") if server else f"sqlite:///{folder}/register.db"

    def copy(self, step: int) -> str:
        if self._server:
            return self._server.make(f"upgrade_{step}", "upgrade_0")
        (self._folder / str(step)).mkdir()
        return f"sqlite:///{shutil.copy(self._folder / 'register.db', self._folder / str(step))}"

    def remove(self, step: int) -> None:
        if self._server:
            self._server.drop(f"upgrade_{step}")
        elif step:
            shutil.rmtree(self._folder / str(step))
