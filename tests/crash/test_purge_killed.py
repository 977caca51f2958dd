"""Kill -9 before every single operation of purge: never a key alive whose rows are gone, nothing younger lost, and in the
end all that is past its time is gone, with one certificate for each key."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.certificates import verify
from ami_bridge.services.holds import Holding
from tests.crash.switch import survives
from tests.register.conftest import DATABASES, copied, databases
from tests.services.test_purge import EXPIRES, House
from tests.services.two_persons import released

LATER = datetime(2026, 12, 25, 1, tzinfo=UTC)
OLD, YOUNG, HELD = "2026-12-24", "2026-12-29", UUID(int=2 << 64)

pytestmark = pytest.mark.crash


def furnish(root: Path, url: str) -> None:
    """Two calls of a day that will be over, one of them held; one younger call; one hold that was released."""
    house = House(root, url)
    house.take(1, 2)
    house.take(3, days=36)
    house.hold(str(HELD))
    released(house.register, house.hold(str(UUID(int=1 << 64))), EXPIRES - timedelta(hours=2))
    house.keys.destroy("2026-11-30")
    house.register.close()


@pytest.mark.parametrize("kind", DATABASES)
def test_killed_before_any_step_purge_converges(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    survived, step = False, 0
    template = tmp_path / "template"
    template.mkdir()
    with databases(request, kind, template) as furnished:
        furnish(template, furnished)
        while not survived:
            step += 1
            root = shutil.copytree(template, tmp_path / str(step))
            with copied(request, furnished, root) as url:
                survived = killed_and_converged(step, root, url)
            shutil.rmtree(root)
    assert step > 60, "the kill switch found too few operations to be believed"


def killed_and_converged(step: int, root: Path, url: str) -> bool:
    """Kill purge before one operation, look, run it again, look; tell whether it came to its end before the kill."""

    def prepare():
        house = House(root, url, furnished=True)
        return house.register._engine, lambda: house.purge(LATER)

    survived = survives(step, root, prepare)
    assert_never_half(root, url)
    assert_converges(root, url)
    return survived


def assert_never_half(root: Path, url: str) -> None:
    """Rows and files go only after the key; what is younger is whole."""
    house = House(root, url, furnished=True)
    try:
        rows = [entry.expiry_day.isoformat() for entry in house.alive()]
        if rows.count(OLD) < 2 or len([file for file in house.sealed() if file.startswith(OLD)]) < 4:
            assert not house.keys.has_identity(OLD)
        assert rows.count(YOUNG) == 1 and len([file for file in house.sealed() if file.startswith(YOUNG)]) == 2
        assert house.keys.has_identity(YOUNG)
    finally:
        house.register.close()


def assert_converges(root: Path, url: str) -> None:
    """Run purge again, twice; then I2, I4, I5 and I7 hold."""
    house = House(root, url, furnished=True)
    try:
        house.purge(LATER + timedelta(minutes=1))
        house.purge(LATER + timedelta(minutes=2))
        assert [entry.expiry_day.isoformat() for entry in house.alive()] == [YOUNG]
        folders = {file.partition("/")[0] for file in house.sealed()}
        (held,) = folders - {YOUNG}
        assert len(house.sealed()) == 5 and not house.keys.has_identity(OLD) and house.keys.has_identity(held)
        holding = Holding(house.vault, house.register, lambda: LATER, lambda at: UUID(int=9))
        assert holding.show(held.removeprefix("hold-"))[1].id == HELD
        assert verify(house.certificates.directory) == []
        certified = [certificate.key for certificate in house.certificates.all()]
        assert len(certified) == len(set(certified)) == 2
        with house.register.reading() as work:
            assert work.destructions.unfinished() == []
            assert [intent.calls for intent in work.destructions.certified() if intent.key == OLD] == [2]
    finally:
        house.register.close()
