"""Kill -9 before every single operation of adopting a call: the next start ends as if nothing had been."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ami_bridge.core.recordings import State
from ami_bridge.services.adopt import Adopt
from tests.crash.switch import survives
from tests.samples import TICKET, wav
from tests.services.test_reconcile import ALONE, BEGAN, NOW, POLICY, House

pytestmark = pytest.mark.crash
assert TICKET.recording is not None
AGI = f"{TICKET.call}/{TICKET.recording}"


def marker_of_the_dialplan(house: House) -> None:
    """No script answered; the dialplan left a marker beside the sound."""
    house.write(f"/{ALONE}")
    line = house.csv.read_text().split(f"/{ALONE} ")[1].split('""}')[0]
    (house.spool.live / f"{ALONE}.txt").write_text(f"notice{line.removeprefix('recording')}\n{line}\n")
    sound(house.spool.live / f"{ALONE}.wav")


def lost_marker(house: House) -> None:
    """The same, and the marker could not be written."""
    house.write(f"/{ALONE}")
    sound(house.spool.live / f"{ALONE}.wav")


def torn_marker(house: House) -> None:
    """The same, and the marker is empty."""
    lost_marker(house)
    (house.spool.live / f"{ALONE}.txt").touch()


def lost_ticket(house: House) -> None:
    """A script announced the call, and its ticket is gone."""
    house.write(AGI)
    sound(house.spool.audio(TICKET.recording))


def sound(path: Path) -> None:
    wav(path, 8000 * 45)
    os.utime(path, ((NOW - timedelta(seconds=10)).timestamp(),) * 2)


def a_start(house: House) -> None:
    """What a daemon does when it starts, and every two seconds."""
    house.start()
    for _ in range(3):
        house.reconcile.listen()
        Adopt(house.spool, POLICY).run(house.now)
        house.reconcile.look()
        house.report.save()
        for call in list(house.spool.open_calls()):
            if house.intake.is_due(call, lambda uniqueid: True):
                house.intake.take(call)


@pytest.mark.parametrize("story", [marker_of_the_dialplan, lost_marker, torn_marker, lost_ticket])
def test_killed_before_any_step_there_is_one_entry_with_its_sound(tmp_path: Path, story: Callable[[House], None]) -> None:
    survived, step = False, 0
    template = tmp_path / "template"
    template.mkdir()
    house = House(template)
    story(house)
    house.register.close()
    while not survived:
        step += 1
        root = shutil.copytree(template, tmp_path / str(step))

        def prepare(root: Path = root):
            house = House(root)
            return house.register._engine, lambda: a_start(house)

        survived = survives(step, root, prepare)
        assert_converges(root)
        shutil.rmtree(root)
    assert step > 40, "the kill switch found too few operations to be believed"


def assert_converges(root: Path) -> None:
    house = House(root)
    try:
        house.now = max(NOW, BEGAN + timedelta(minutes=3))
        a_start(house)
        (entry,) = house.entries()
        assert entry.state is State.SEALED and entry.notice and entry.caller == "0401234567"
        (recording,) = entry.recordings
        assert recording.audio and recording.audio.seconds == 45.0
        assert [name for name in house.leftovers() if not name.endswith(".tmp")] == []  # the sweep removes those
    finally:
        house.register.close()
