"""Kill -9 before every single file operation and SQL statement of intake: the next run ends as if nothing had been."""

import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from ami_bridge.core.recordings import State
from tests.samples import TICKET, wav
from tests.services.test_intake import Place

WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.link", "os.truncate"}
MOST_STEPS = 200


def take_and_die(root: Path, step: int) -> bool:
    """Run intake in a child that dies before operation ``step``; tell whether it came to its end alive."""
    child = os.fork()
    if child == 0:
        _die_at(root, step)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _die_at(root: Path, step: int) -> None:
    place = Place(root)
    count = iter(range(1, MOST_STEPS))

    def tick(*_: object) -> None:
        if next(count) == step:
            os._exit(9)

    def watch(name: str, arguments: tuple) -> None:
        if name in WATCHED and any(str(root) in str(argument) for argument in arguments):
            tick()

    sys.addaudithook(watch)
    engine = place.register._engine
    event.listen(engine, "before_cursor_execute", tick)
    event.listen(engine, "commit", tick)
    place.intake.take(TICKET.call)


@pytest.mark.parametrize("told", [True, False], ids=["told", "scanned"])
def test_killed_before_any_step_nothing_is_lost_or_doubled(tmp_path: Path, told: bool) -> None:
    survived, step = False, 0
    while not survived:
        step += 1
        root = tmp_path / str(step)
        root.mkdir()
        place = Place(root)
        place.put(facts=None) if not told else place.put()
        content = wav(place.spool.audio(TICKET.recording)).read_bytes()
        os.utime(place.spool.audio(TICKET.recording), (0, 0))
        place.register.close()
        survived = take_and_die(root, step)
        assert_converges(root, content)
    assert step > 15, "the kill switch found too few operations to be believed"


def assert_converges(root: Path, content: bytes) -> None:
    """Run intake again, twice; then I1, I2 and I6 hold."""
    place = Place(root)
    try:
        place.intake.take(TICKET.call)
        place.intake.take(TICKET.call)
        (entry,) = place.entries()
        assert entry.state is State.STORED and entry.recordings[0].audio
        kept = place.vault.path(entry.recordings[0].audio.file)
        assert kept.read_bytes() == content
        assert [p for p in place.vault.root.rglob("*") if p.is_file()] == [kept]
        assert place.leftovers() == []
    finally:
        place.register.close()
