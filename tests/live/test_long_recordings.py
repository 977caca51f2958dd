"""A recording that grows past 2 GiB, on Asterisk 22 and 16: it goes on, and is kept whole, in parts that any program can read.

Nobody waits 37 hours: MixMonitor is told to append to a file that is already almost so long, all of it silence and sparse.
"""

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from ami_bridge.asterisk.files import BYTES_A_FRAME, HEADER, Part, Wav, measure, segments
from tests.pbx.asterisk import Pbx
from tests.pbx.phones import call
from tests.pbx.settings import Settings
from tests.pbx.sipp import Phone
from tests.pbx.tones import heard

pytestmark = pytest.mark.live

CALLER_HZ = 440
SHORT_OF_IT = 48_000
"""Bytes to the limit when the call begins: three seconds."""

DIALPLAN = """
[from-trunk]
exten => _X.,1,Answer()
 same => n,MixMonitor(${RECORDINGS}/${EXTEN}.wav,a)
 same => n,Wait(60)
 same => n,Hangup()
exten => h,1,StopMixMonitor()
"""
TWO_GIB, FOUR_GIB = 2**31, 2**32


@pytest.fixture(scope="module", params=["forky", "bullseye"], ids=["22", "16"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    with Pbx(tmp_path_factory.mktemp("long"), Settings(dialplan=DIALPLAN), release=request.param) as pbx:
        yield pbx


def almost(pbx: Pbx, number: str, limit: int) -> Path:
    """A recording that has been going on almost up to `limit` bytes, as Asterisk leaves it when it is stopped."""
    path, size = pbx.recordings / f"{number}.wav", limit - SHORT_OF_IT
    sizes = (size - 8) % FOUR_GIB, (size - HEADER.size) % FOUR_GIB
    with path.open("wb") as file:
        file.write(HEADER.pack(b"RIFF", sizes[0], b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", sizes[1]))
        file.truncate(size)
    assert measure(path) == Wav((size - HEADER.size) // BYTES_A_FRAME, 8000, closed=True)
    return path


def call_past(pbx: Pbx, number: str, seconds: float) -> Phone:
    return call(pbx, number, tone=CALLER_HZ, talk=seconds)


def sizes_in_header(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        fields = HEADER.unpack(file.read(HEADER.size))
    return fields[1], fields[-1]


def last_part(path: Path, kept: Path) -> Path:
    """The last part of a recording as a file of its own, read by Python's `wave` to the last frame."""
    parts = segments(measure(path))
    with path.open("rb") as file:
        first = Part(file, parts[0])
        header = HEADER.unpack(first.read(1))
        assert 0 < header[1] < TWO_GIB and header[-1] == len(parts[0]) * BYTES_A_FRAME
    with path.open("rb") as file, kept.open("wb") as out:
        part = Part(file, parts[-1])
        while piece := part.read(1 << 20):
            out.write(piece)
    with wave.open(str(kept)) as sound:
        assert (sound.getnframes(), sound.getframerate()) == (len(parts[-1]), 8000)
        assert len(sound.readframes(len(parts[-1]))) == len(parts[-1]) * BYTES_A_FRAME
    return kept


@pytest.mark.parametrize(("number", "limit"), [("2222", TWO_GIB), ("4444", FOUR_GIB)], ids=["2 GiB", "4 GiB"])
def test_a_recording_goes_on_past_the_limit_and_its_last_part_has_the_voice(running: Pbx, tmp_path: Path, number: str, limit: int) -> None:
    path = almost(running, number, limit)
    before = path.stat().st_size
    assert call_past(running, number, 8.0).wait().ok
    size = path.stat().st_size
    assert size > limit and size - before > 7 * 16_000
    assert sizes_in_header(path) == ((size - 8) % FOUR_GIB, (size - HEADER.size) % FOUR_GIB)
    found = measure(path)
    assert found == Wav((size - HEADER.size) // BYTES_A_FRAME, 8000, closed=True)
    parts = segments(found)
    assert len(parts) == limit // TWO_GIB + 1 and sum(map(len, parts)) == found.frames
    assert heard(last_part(path, tmp_path / "last.wav"), CALLER_HZ, at_least=6.0)


def test_a_recording_past_the_limit_that_a_crash_cut_is_kept_up_to_its_last_buffer(running: Pbx, tmp_path: Path) -> None:
    path = almost(running, "3333", TWO_GIB)
    phone = call_past(running, "3333", 60.0)
    while path.stat().st_size <= TWO_GIB + 32_768:
        assert not phone.ended
    running.kill()
    phone.stop()
    assert sizes_in_header(path) == (0, 0)
    found = measure(path)
    assert not found.closed and found.frames * BYTES_A_FRAME > TWO_GIB - HEADER.size
    assert heard(last_part(path, tmp_path / "last.wav"), CALLER_HZ, at_least=3.0)
    running.start()
