"""Kill -9 before every single operation of an erasure: nothing of anybody else is lost, and in the end all of it is gone."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from ami_bridge.certificates import verify
from ami_bridge.core.requests import Answer, Kind, SubjectRequest
from tests.crash.switch import survives
from tests.register.conftest import DATABASES, copied, databases
from tests.services.bureau import Bureau
from tests.services.test_purge import EXPIRES, House

NOW = EXPIRES - timedelta(days=10)
DAY = "2026-12-24"

pytestmark = pytest.mark.crash


def furnish(root: Path, url: str) -> SubjectRequest:
    """A call that was agreed to be erased, and on its day one of somebody else: two destructions, of the hold and of the call."""
    house = House(root, url)
    house.take(1)
    house.take(2, caller="0509999999")
    bureau = Bureau(house, NOW)
    request = bureau.open(Kind.ERASURE)
    bureau.search(request)
    bureau.erasing().propose(request.id)
    bureau.agree(request)
    house.register.close()
    return request


@pytest.mark.parametrize("kind", DATABASES)
def test_killed_before_any_step_an_erasure_converges(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    survived, step = False, 0
    template = tmp_path / "template"
    template.mkdir()
    with databases(request, kind, template) as furnished:
        asked = furnish(template, furnished)
        while not survived:
            step += 1
            root = shutil.copytree(template, tmp_path / str(step))
            with copied(request, furnished, root) as url:
                survived = killed_and_converged(step, root, url, asked)
            shutil.rmtree(root)
    assert step > 60, "the kill switch found too few operations to be believed"


def killed_and_converged(step: int, root: Path, url: str, asked: SubjectRequest) -> bool:
    def prepare():
        bureau = Bureau(House(root, url, furnished=True), NOW, staffed=True)
        return bureau.house.register._engine, lambda: bureau.erasing().erase(asked.id)

    survived = survives(step, root, prepare)
    house = House(root, url, furnished=True)
    try:
        bureau = Bureau(house, NOW, staffed=True)
        theirs = [entry for entry in house.alive() if entry.caller == "0509999999"]
        assert len(theirs) == 1 and house.keys.has_identity(DAY)
        if bureau.calls(asked)[0].answer is not Answer.ERASED:
            assert len(house.alive()) == 2 and len(house.sealed()) == 7, "not begun: all of it is there"
            bureau.erasing().erase(asked.id)
        elif step % 2:
            house.purge(NOW)
        else:
            house.job(NOW)._destroying.resume()
        assert_erased(bureau)
    finally:
        house.register.close()
    return survived


def assert_erased(bureau: Bureau) -> None:
    house = bureau.house
    assert [entry.caller for entry in house.alive()] == ["0509999999"] and len(house.sealed()) == 2
    assert bureau.holds() == 0 and verify(house.certificates.directory) == []
    certified = [certificate.key for certificate in house.certificates.all()]
    assert len([key for key in certified if key.startswith("hold-")]) == certified.count(DAY) == 1
    with house.register.reading() as work:
        assert work.destructions.unfinished() == []
