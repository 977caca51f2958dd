"""The ear of the live tests: what it must not take for somebody's voice."""

from array import array
from pathlib import Path

import pytest

from tests.pbx.asterisk import MUSIC_HZ
from tests.pbx.system import NOTICE_HZ
from tests.pbx.tones import heard, silence_wav, sine, write_wav

INDICATIONS = Path(__file__).parent / "conf" / "indications.conf"
VOICES = (440, 660, 770, 880, MUSIC_HZ, NOTICE_HZ)
SECOND = array("h", bytes(2 * 8000))


def indications() -> set[int]:
    """The tones (Hz) with which the exchange itself tells that it rings, is busy and so on."""
    lines = INDICATIONS.read_text().partition("ringcadence")[2].splitlines()[1:]
    parts = [part for line in lines for part in line.partition(" = ")[2].split(",")]
    return {int(part.lstrip("!").partition("/")[0]) for part in parts} - {0}


@pytest.mark.parametrize("ms", range(10, 200, 10))
def test_a_moment_of_ringing_is_nobodys_voice(tmp_path: Path, ms: int) -> None:
    """A tone that begins or ends within a window spreads over its neighbours: 425 Hz was heard as a caller's 440."""
    assert indications()
    for hz in indications():
        burst = write_wav(tmp_path / f"{hz}.wav", SECOND + sine(hz, ms / 1000) + SECOND)
        assert [voice for voice in VOICES if heard(burst, voice, at_least=0.1)] == [], hz


def test_a_moment_of_a_voice_is_heard_and_silence_is_not(tmp_path: Path) -> None:
    said = write_wav(tmp_path / "said.wav", SECOND + sine(440, 0.1) + SECOND)
    assert heard(said, 440, at_least=0.1) and not heard(silence_wav(tmp_path / "silence.wav", seconds=1), 440, at_least=0.1)
