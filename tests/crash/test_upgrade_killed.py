"""Kill -9 before every single statement of an upgrade: the register is as it was to the last row, or of our version and whole."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from ami_bridge.register import schema, upgrading
from tests.crash.switch import survives
from tests.postgresql import Server
from tests.register.conftest import DATABASES
from tests.register.older import Kept, engine, filled
from tests.register.test_upgrade import read, revision

pytestmark = pytest.mark.crash
OLD = "0002"
UPGRADED_AGAIN = 12
"""Every how many-th of the registers that are as they were is also upgraded: from equal ones the same comes."""


@pytest.mark.parametrize("kind", DATABASES)
def test_killed_before_any_statement_a_register_is_old_or_new_and_whole(
        tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    survived, step = False, 0
    template = Template(tmp_path, request.getfixturevalue("server") if kind == "postgresql" else None)
    with filled(template.url, OLD) as held:
        before = content(template.url)
        while not survived:
            step += 1
            url = template.copy(step)

            def prepare(url: str = url):
                return Engine, lambda: upgrading.upgrade(url)

            survived = survives(step, tmp_path / "nothing", prepare)
            assert revision(url) == (schema.HEAD if survived else OLD)
            assert survived or content(url) == before
            if survived or step % UPGRADED_AGAIN == 1:
                assert_whole(url, held)
            template.remove(step)
    template.remove(0)
    assert step > 25, "the kill switch found too few operations to be believed"


def content(url: str) -> dict[str, object]:
    """All tables of a register with their columns and rows, and all that hangs on them: indexes, constraints, triggers."""
    with engine(url) as used, used.connect() as connection:
        tables = inspect(connection).get_table_names()
        found: dict[str, object] = {
            table: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{table}"')).mappings())) for table in tables}
        hanging = HANGING[connection.dialect.name]
        return found | {"": sorted(map(repr, connection.execute(text(hanging)).all()))}


HANGING = {"sqlite": "SELECT type, name, sql FROM sqlite_master",
           "postgresql": "SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL"
                         " SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
                         " WHERE connamespace = 'public'::regnamespace UNION ALL"
                         " SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"}


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
