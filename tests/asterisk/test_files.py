"""WAV files as a crash leaves them: measured, cut and repaired, or refused."""

import io
import struct
import wave
from array import array
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_bridge.asterisk.files import HEADER, UNWRITTEN, Part, Stereo, Wav, measure, segments
from ami_bridge.core.errors import AudioError
from tests.samples import wav

each_example_writes = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@each_example_writes
@given(frames=st.integers(0, 3000), cut=st.integers(0, 6100), closed=st.booleans())
def test_a_file_torn_anywhere_is_repaired_up_to_its_last_whole_frame(tmp_path: Path, frames: int, cut: int, closed: bool) -> None:
    path = wav(tmp_path / "x.wav", frames, closed=closed)
    whole = path.read_bytes()
    torn = whole[:cut]
    path.write_bytes(torn)
    if not torn:
        assert measure(path) == UNWRITTEN
    elif len(torn) < HEADER.size:
        with pytest.raises(AudioError, match="ends within its header"):
            measure(path)
    else:
        found = measure(path)
        assert found == Wav((len(torn) - HEADER.size) // 2, 8000, closed=closed and cut >= len(whole))
        assert repaired(torn, found) == wav(tmp_path / "y.wav", frames).read_bytes()[HEADER.size:][:found.frames * 2]


def repaired(torn: bytes, found: Wav) -> bytes:
    part = Part(io.BytesIO(torn), range(found.frames))
    content = part.read(7) + part.read(100) + part.read()
    assert struct.unpack_from("<4sI", content) == (b"RIFF", len(content) - 8)
    assert struct.unpack_from("<4sI", content, 36) == (b"data", len(content) - HEADER.size)
    part.seek(0)
    assert part.read() + part.read() == content
    return content[HEADER.size:]


@each_example_writes
@given(st.binary(max_size=100))
def test_a_file_of_any_content_is_measured_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with suppress(AudioError):
        assert measure(path).frames >= 0


@given(st.integers(0, 10_000), st.integers(1, 3000))
def test_parts_follow_each_other_without_gap_or_overlap(frames: int, most: int) -> None:
    parts = segments(Wav(frames, 8000, closed=True), most)
    assert [frame for part in parts for frame in part] == list(range(frames))
    assert all(0 < len(part) <= most for part in parts)


@each_example_writes
@given(left=st.integers(0, 2000), right=st.integers(0, 2000), sizes=st.lists(st.integers(1, 4096), min_size=1, max_size=5),
       first=st.integers(0, 500))
def test_two_sides_become_two_channels_whatever_their_lengths_and_however_they_are_read(
        tmp_path: Path, left: int, right: int, sizes: list[int], first: int) -> None:
    frames = range(first, max(left, right, first))
    one, other = wav(tmp_path / "l.wav", left), wav(tmp_path / "r.wav", right)
    with one.open("rb") as l_file, other.open("rb") as r_file:
        joined = Stereo(l_file, r_file, frames)
        for _ in range(2):
            pieces, turn = [], 0
            while piece := joined.read(sizes[turn % len(sizes)]):
                pieces.append(piece)
                turn += 1
            assert joined.seek(0) == 0
    with wave.open(io.BytesIO(b"".join(pieces))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (2, 2, 8000, len(frames))
        both = array("h", file.readframes(len(frames)))
    for channel, path, length in ((0, one, left), (1, other, right)):
        sound = array("h", path.read_bytes()[HEADER.size:])
        assert list(both[channel::2]) == list(sound[first:]) + [0] * (len(frames) - max(0, length - first))
