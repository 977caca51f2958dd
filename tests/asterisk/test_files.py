"""WAV files as a crash leaves them: measured, cut and repaired, or refused."""

import io
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_bridge.asterisk.files import HEADER, UNWRITTEN, Part, Wav, measure, segments
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
