"""Kill -9 before every single file operation and SQL statement of intake: the next run ends as if nothing had been."""

import os
import shutil
from pathlib import Path

import pytest

from ami_bridge.core.recordings import State
from tests.crash.switch import survives
from tests.register.conftest import DATABASES, copied, databases
from tests.samples import TICKET, wav
from tests.services.test_intake import Place

pytestmark = pytest.mark.crash


@pytest.mark.parametrize("told", [True, False], ids=["told", "scanned"])
@pytest.mark.parametrize("kind", DATABASES)
def test_killed_before_any_step_nothing_is_lost_or_doubled(
        tmp_path: Path, request: pytest.FixtureRequest, kind: str, told: bool) -> None:
    survived, step = False, 0
    template = tmp_path / "template"
    template.mkdir()
    with databases(request, kind, template) as furnished:
        content = furnish(template, furnished, told)
        while not survived:
            step += 1
            root = shutil.copytree(template, tmp_path / str(step))
            with copied(request, furnished, root) as url:

                def prepare(root: Path = root, url: str = url):
                    place = Place(root, url, furnished=True)
                    return place.register._engine, lambda: place.intake.take(TICKET.call)

                survived = survives(step, root, prepare)
                assert_converges(root, url, content)
            shutil.rmtree(root)
    assert step > 25, "the kill switch found too few operations to be believed"


def furnish(root: Path, url: str, told: bool) -> bytes:
    """A call that waits in the spool, its facts ``told`` or not; return its sound."""
    place = Place(root, url)
    place.put() if told else place.put(facts=None)
    content = wav(place.spool.audio(TICKET.recording)).read_bytes()
    os.utime(place.spool.audio(TICKET.recording), (0, 0))
    place.register.close()
    return content


def assert_converges(root: Path, url: str, content: bytes) -> None:
    """Run intake again, twice; then I1, I2 and I6 hold."""
    place = Place(root, url, furnished=True)
    try:
        place.intake.take(TICKET.call)
        place.intake.take(TICKET.call)
        (entry,) = place.entries()
        assert entry.state is State.SEALED and entry.recordings[0].audio
        audio = entry.recordings[0].audio
        assert place.vault.read(audio.file) == content and place.vault.digest(audio.file).sha256 == audio.sealed_sha256
        with place.register.reading() as work:
            registered = {kept.file or f"{entry.expiry_day}/{kept.call}.json.age": kept.sealed_sha256
                          for kept in work.days.files(entry.expiry_day)}
        assert {file: place.vault.digest(file).sha256 for file in place.vault.files(str(entry.expiry_day))} == registered
        assert place.leftovers() == []
    finally:
        place.register.close()
