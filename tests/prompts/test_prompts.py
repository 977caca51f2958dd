"""The prompt store, with the real sox and the real espeak-ng."""

import shutil
import subprocess
import wave
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from ami_bridge.core.errors import AudioError
from ami_bridge.prompts import PromptStore, shipped_texts
from ami_bridge.sound import ENDINGS, SPOKEN_LANGUAGES, measure, speak

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    for program in ("sox", "espeak-ng"):
        if not shutil.which(program):
            pytest.fail(f"{program} is not installed: apt install {program}")


@pytest.fixture
def store(tmp_path: Path) -> PromptStore:
    return PromptStore(tmp_path / "prompts", Path("/srv/prompts"))


def tone(path: Path, seconds: float = 1.0, hertz: int = 440, rate: int = 44100, channels: int = 2) -> Path:
    """Make a sound file by sox."""
    subprocess.run(["sox", "-n", "-r", str(rate), "-c", str(channels), str(path), "synth", str(seconds), "sine", str(hertz),
                    "gain", "-6"], check=True)
    return path


def silence(path: Path) -> Path:
    """Make two seconds of nothing."""
    subprocess.run(["sox", "-n", "-r", "8000", str(path), "trim", "0", "2"], check=True)
    return path


def listing(store: PromptStore) -> dict[str, bytes]:
    return {str(path.relative_to(store.directory)): path.read_bytes()
            for path in store.directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("name", "seconds", "rate", "channels"), [
    ("stereo.wav", 1.0, 44100, 2), ("high.flac", 1.2345, 48000, 1), ("phone.wav", 0.5, 8000, 1),
    ("odd.ogg", 0.777, 22050, 2), ("with space.wav", 1, 16000, 1), ("-n.wav", 1, 16000, 1), ("; rm -rf $(id).wav", 1, 16000, 1),
])
def test_all_formats_have_the_same_samples(store: PromptStore, tmp_path: Path, name: str, seconds: float, rate: int,
                                           channels: int) -> None:
    prompt = store.add(tone(tmp_path / name, seconds, rate=rate, channels=channels), "recorded", "fi", NOW)
    stem = store.directory / "fi" / "recorded-v1"
    assert {measure(stem.with_suffix(f".{ending}")) for ending in ENDINGS} == {prompt.samples}
    assert abs(prompt.samples - seconds * 8000) <= 160
    with wave.open(str(stem.with_suffix(".wav"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
    assert prompt.file == "/srv/prompts/fi/recorded-v1"
    assert prompt.sha256 == sha256(stem.with_suffix(".wav").read_bytes()).hexdigest()
    assert store.check() == []


def test_versions_grow_and_older_ones_stay(store: PromptStore, tmp_path: Path) -> None:
    first = store.add(tone(tmp_path / "a.wav", hertz=440), "recorded", "fi", NOW)
    second = store.add(tone(tmp_path / "b.wav", hertz=880), "recorded", "fi", NOW)
    other = store.add(tone(tmp_path / "c.wav", hertz=990), "recorded", "sv", NOW)
    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert store.current() == (second, other)
    assert [version.version for version in store.versions()] == [1, 2, 1]
    assert (store.directory / "fi" / "recorded-v1.wav").exists()
    for ending in ENDINGS:
        assert (store.directory / "fi" / f"recorded.{ending}").resolve().name == f"recorded-v2.{ending}"


def test_adding_the_same_again_changes_nothing(store: PromptStore, tmp_path: Path) -> None:
    sound = tone(tmp_path / "a.wav")
    first = store.add(sound, "recorded", "fi", NOW)
    before = listing(store)
    assert store.add(sound, "recorded", "fi", NOW) == first
    assert listing(store) == before


@pytest.mark.parametrize(("make", "said"), [
    (lambda path: path, "there is no sound file"),
    (lambda path: path.mkdir() or path, "there is no sound file"),
    (lambda path: path.touch() or path, "is not a sound file"),
    (lambda path: path.write_text("#!/bin/sh\n") and path, "is not a sound file"),
    (lambda path: tone(path, 0.4), "is 0.4 seconds long"),
    (lambda path: tone(path, 121, rate=8000, channels=1), "is 121.0 seconds long"),
    (lambda path: silence(path), "is silent"),
])
def test_what_is_no_notice_is_refused_and_leaves_nothing(store: PromptStore, tmp_path: Path, make, said: str) -> None:
    with pytest.raises(AudioError, match=said):
        store.add(make(tmp_path / "source.wav"), "recorded", "fi", NOW)
    assert not store.directory.exists() or listing(store) == {}


def test_without_sox_the_remedy_is_named(store: PromptStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tone(tmp_path / "a.wav")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioError, match=r"sox is not installed.*apt install sox"):
        store.add(sound, "recorded", "fi", NOW)
    with pytest.raises(AudioError, match=r"espeak-ng is not installed.*apt install espeak-ng"):
        speak("hello", "en", tmp_path / "x.wav")


def test_harm_is_found(store: PromptStore, tmp_path: Path) -> None:
    store.add(tone(tmp_path / "a.wav"), "recorded", "fi", NOW)
    store.add(tone(tmp_path / "b.wav"), "unavailable", "fi", NOW)
    folder = store.directory / "fi"
    (folder / "recorded-v1.alaw").unlink()
    with (folder / "recorded-v1.ulaw").open("ab") as file:
        file.write(b"x")
    content = bytearray((folder / "recorded-v1.wav").read_bytes())
    content[-1] ^= 1
    (folder / "recorded-v1.wav").write_bytes(content)
    (folder / "unavailable-v1.wav").write_bytes(b"RIFF")
    (folder / "unavailable.ulaw").unlink()
    problems = store.check()
    for said in ("recorded-v1.alaw is missing", "recorded-v1.ulaw has not the length", "recorded-v1.wav was changed",
                 "unavailable-v1.wav cannot be read as sound", "unavailable.ulaw does not lead to the current version"):
        assert [problem for problem in problems if said in problem], said
    assert len(problems) == 5
    store.point_to_current()
    assert len(store.check()) == 4


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', '{"format": 1, "prompts": [{}]}',
                                  '{"format": 1, "prompts": 3}'])
def test_a_damaged_manifest_is_named(store: PromptStore, text: str) -> None:
    store.directory.mkdir()
    (store.directory / "manifest.json").write_text(text)
    with pytest.raises(AudioError, match=r"the prompt manifest in .* is damaged"):
        store.current()


def test_a_manifest_of_tomorrow_is_refused(store: PromptStore) -> None:
    store.directory.mkdir()
    (store.directory / "manifest.json").write_text('{"format": 2, "prompts": []}')
    with pytest.raises(AudioError, match="a format this version does not know"):
        store.current()


def test_an_empty_store_has_no_prompts(store: PromptStore) -> None:
    assert store.current() == () and store.check() == []


@pytest.mark.parametrize("language", SPOKEN_LANGUAGES)
def test_shipped_notices_can_be_spoken(store: PromptStore, tmp_path: Path, language: str) -> None:
    texts = {name: text for (name, spoken), text in shipped_texts().items() if spoken == language}
    assert texts.keys() == {"recorded", "unavailable"}
    for name, text in texts.items():
        prompt = store.add(speak(text, language, tmp_path / f"{name}.wav"), name, language, NOW)
        assert prompt.samples > 2 * 8000


def test_a_language_without_voice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no voice is known for the language 'tlh'"):
        speak("nuqneH", "tlh", tmp_path / "x.wav")
