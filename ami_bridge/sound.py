"""Sound files of notices: conversion by sox, measuring, speaking by espeak-ng. No shell, no option from a file name."""

import array
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

from ami_bridge.core.errors import AudioError

RATE = 8000
"""Samples a second of everything Asterisk plays for us."""

ENDINGS = ("wav", "alaw", "ulaw")
SHORTEST = 0.5
LONGEST = 120.0
QUIETEST = 64
"""The loudest sample of a prompt must exceed this, of 32767: below it nobody hears anything."""

PATIENCE = 60.0
SPOKEN_LANGUAGES = {"fi": "fi", "sv": "sv", "en": "en-gb"}
"""Language of a shipped text -> voice of espeak-ng."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A converted sound: ending -> file, and the number of samples (8 kHz) that each of them holds."""

    files: dict[str, Path]
    samples: int


def convert(source: Path, folder: Path) -> Sound:
    """Make a WAV (PCM 16 bit), an A-law and a mu-law file of ``source`` in ``folder``, 8 kHz mono, equally long.

    Raises AudioError when ``source`` is no sound, silent, or not between 0.5 and 120 seconds long.
    """
    if not source.is_file():
        raise AudioError(f"there is no sound file {source}", "Check the path.")
    files = {ending: folder / f"prompt.{ending}" for ending in ENDINGS}
    pcm = ["-r", str(RATE), "-c", "1", "-b", "16", "-e", "signed-integer", "-t", "wav"]
    _sox(source, ["-R", "-G", str(source.absolute()), *pcm, str(files["wav"])])
    _judge(source, files["wav"])
    for ending, kind in (("alaw", "al"), ("ulaw", "ul")):
        _sox(source, ["-R", "-D", str(files["wav"]), "-t", kind, str(files[ending])])
    lengths = {measure(path) for path in files.values()}
    if len(lengths) != 1:
        raise AudioError(f"sox made files of different length of {source}", "Convert it to WAV first and try again.")
    return Sound(files, lengths.pop())


def measure(path: Path) -> int:
    """Return the samples in a prompt file; AudioError when it is not 8 kHz mono."""
    if path.suffix != ".wav":
        return path.stat().st_size
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
                raise AudioError(f"{path} is not 8 kHz mono with 16 bits")
            return file.getnframes()
    except (wave.Error, EOFError) as error:
        raise AudioError(f"{path} is not a whole WAV file") from error


def speak(text: str, language: str, target: Path) -> Path:
    """Speak ``text`` into a WAV file by espeak-ng; AudioError when it is absent or has no voice for the language."""
    if language not in SPOKEN_LANGUAGES:
        raise AudioError(f"no voice is known for the language {language!r}",
                         f"Record it and use 'ami-bridge notice add'; spoken are {', '.join(SPOKEN_LANGUAGES)}.")
    argv = ["espeak-ng", "-v", SPOKEN_LANGUAGES[language], "-s", "150", "-w", str(target), "--stdin"]
    done = _run(argv, text)
    if done.returncode or not target.exists():
        raise AudioError(f"espeak-ng could not speak {language!r}", "Install its voices (Debian: espeak-ng-data).")
    return target


def _judge(source: Path, wav: Path) -> None:
    samples = measure(wav)
    if not SHORTEST <= samples / RATE <= LONGEST:
        raise AudioError(f"{source} is {samples / RATE:.1f} seconds long",
                         f"A notice lasts from {SHORTEST} to {LONGEST:.0f} seconds.")
    if _loudest(wav) <= QUIETEST:
        raise AudioError(f"{source} is silent", "Record the notice again.")


def _loudest(wav: Path) -> int:
    with wave.open(str(wav), "rb") as file:
        samples = array.array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return max(max(samples), -min(samples))


def _sox(source: Path, arguments: list[str]) -> None:
    done = _run(["sox", "-V1", *arguments])
    if done.returncode:
        raise AudioError(f"{source} is not a sound file that sox can read",
                         "Save it as WAV, FLAC, OGG or MP3 (the last needs libsox-fmt-mp3).")


def _run(argv: list[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(argv, input=text, capture_output=True, text=True, encoding="utf-8", errors="replace",
                              timeout=PATIENCE, check=False)
    except FileNotFoundError:
        raise AudioError(f"the program {argv[0]} is not installed", f"Install it (Debian: apt install {argv[0]}).") from None
    except subprocess.TimeoutExpired:
        raise AudioError(f"{argv[0]} did not end within {PATIENCE:.0f} seconds", "Try a shorter file.") from None
