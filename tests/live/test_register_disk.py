"""The disk of the register fails in mid-run and becomes read-only; when it is mended, all that waited is taken in, in order."""

import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ami_bridge.core.recordings import State
from tests.pbx.phones import answer, call
from tests.pbx.system import System
from tests.pbx.tones import heard
from tests.soak.absence import ends_in_order

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ = 440, 660


class Disk:
    """A file system of its own on a loop device, which can fail as the kernel makes it fail."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.image, self.place = folder, folder / "image", folder / "disk"
        self.place.mkdir()
        self._share()
        with self.image.open("wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True)
        self.mount()

    def _share(self) -> None:
        """What is mounted there later reaches the daemon, which has mounts of its own: as on any machine that systemd has started."""
        subprocess.run(["mount", "--bind", str(self.folder), str(self.folder)], check=True)
        subprocess.run(["mount", "--make-shared", str(self.folder)], check=True)

    def mount(self) -> None:
        """On a device of its own each time: an exchange's mount namespace may still hold the one that failed."""
        made = subprocess.run(["losetup", "--find", "--show", str(self.image)], check=True, capture_output=True, text=True)
        device = made.stdout.strip()
        subprocess.run(["mount", device, str(self.place)], check=True)
        subprocess.run(["losetup", "--detach", device], check=True)  # when nobody uses it any more

    def fail(self) -> None:
        """What a write error does to ext4: from now on nothing can be written, whoever has files open."""
        subprocess.run(["mount", "-o", "remount,abort", str(self.place)], check=True)

    def mend(self) -> None:
        """As an admin does: take it off (nobody may keep files open there), check it, put it back."""
        until = time.monotonic() + 60
        while subprocess.run(["umount", str(self.place)], capture_output=True).returncode:
            assert time.monotonic() < until, subprocess.run(["fuser", "-vm", str(self.place)], capture_output=True, text=True)
            time.sleep(0.05)
        subprocess.run(["e2fsck", "-fp", str(self.image)], stdout=subprocess.DEVNULL)
        self.mount()

    def remove(self) -> None:
        for mounted in (self.place, self.folder):
            subprocess.run(["umount", "-l", str(mounted)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        disk = Disk(tmp_path)
    except subprocess.CalledProcessError as error:
        subprocess.run(["umount", "-l", str(tmp_path)], capture_output=True)
        pytest.skip(f"no loop device can be mounted here: {error}")
    yield disk
    disk.remove()


def talk(system: System) -> None:
    agent = answer(system.pbx, "6001", tone=AGENT_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=4.0)
    assert caller.wait().ok and agent.wait().ok


def test_a_register_that_became_read_only_makes_calls_wait_and_has_them_all_in_order_when_it_is_mended(tmp_path: Path, disk: Disk) -> None:
    with System(tmp_path / "system", url=f"sqlite:///{disk.place}/register.db") as system:
        talk(system)
        system.registered(1)
        disk.fail()
        for _ in range(3):
            talk(system)
        system.wait_for(lambda: "alarm=register-unavailable" in system.log(), "the alarm", 30)
        assert len(list(system.spool.open_calls())) == 3 and "action=intake_waits" in system.log()
        disk.mend()
        entries = system.registered(4, 60)
        system.wait_for(lambda: not list(system.spool.leftovers()), "an empty spool")
        system.wait_for(lambda: "action=alarm_ended alarm=register-unavailable" in system.log(), "the end of the alarm")
        assert [entry.state for entry in entries] == [State.SEALED] * 4
        assert all(heard(system.audio(entry), hz) for entry in entries for hz in (CALLER_HZ, AGENT_HZ))
        ends = ends_in_order(system.log(), entries)
        assert len(ends) == 4 and all(one <= other for one, other in pairwise(ends))
        assert "all agree" in system.command("verify", "--all")
