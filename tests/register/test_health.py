"""How a database is set up is asked of the database."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ami_bridge.register import Register
from ami_bridge.register.health import PARAMETERS, PRAGMAS


def test_its_settings_and_its_clock(url: str) -> None:
    with closing(Register.open(url)) as register:
        found = register.health()
    asked = {"sqlite": PRAGMAS, "postgresql": PARAMETERS}[found.kind]
    assert set(found.settings) == set(asked) and all(found.settings.values()) and not found.damage
    assert found.clock is None or abs(found.clock - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_damaged_file_is_noticed(made_file: Path, tmp_path: Path) -> None:
    content = bytearray(made_file.read_bytes())
    content[4096 * 3:4096 * 5] = b"\xff" * (4096 * 2)
    (tmp_path / "register.db").write_bytes(content)
    with closing(Register.open(f"sqlite:///{tmp_path}/register.db")) as register:
        assert register.health().damage
