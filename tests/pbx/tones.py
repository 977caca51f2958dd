"""Making tones as WAV files, and finding them again in a recording. All of it mono, 8000 samples a second."""

import math
import sys
import wave
from array import array
from collections.abc import Iterable
from pathlib import Path

RATE = 8000
WINDOW = 800  # samples: 100 ms, so that frequencies 10 Hz apart and more are told from each other
PRESENT = 300.0  # smallest amplitude, of 32767, that counts as a tone
SHARE = 0.05  # a tone has at least this share of a window's energy: another's clicks and edges have less

Span = tuple[float, float]


def tone_wav(path: Path, hz: float, seconds: float, *, amplitude: int = 8000) -> Path:
    """Write a sine tone as 16 bit WAV."""
    return write_wav(path, sine(hz, seconds, amplitude))


def silence_wav(path: Path, *, seconds: float) -> Path:
    return write_wav(path, array("h", bytes(2 * round(seconds * RATE))))


def sine(hz: float, seconds: float, amplitude: int = 8000) -> array:
    """Signed 16 bit samples of a tone; with whole hertz and whole seconds it loops without a click."""
    step = 2 * math.pi * hz / RATE
    return array("h", (round(amplitude * math.sin(step * n)) for n in range(round(seconds * RATE))))


def tones(path: Path, candidates: Iterable[int]) -> dict[int, list[Span]]:
    """For each candidate frequency (Hz) the spans (from, to; seconds) in which it is clearly heard."""
    samples = read_samples(path)
    windows = [samples[start:start + WINDOW] for start in range(0, len(samples) - WINDOW + 1, WINDOW)]
    energies = [sum(s * s for s in window) for window in windows]
    return {hz: _spans([_present(w, e, hz) for w, e in zip(windows, energies, strict=True)]) for hz in candidates}


def heard(path: Path, hz: int, at_least: float = 1.0) -> bool:
    """Is the tone there for `at_least` seconds altogether?"""
    return seconds_of(tones(path, [hz])[hz]) >= at_least


def joined(spans: Iterable[Span], within: float) -> list[Span]:
    """The spans, those made one that are no further apart than `within` seconds: a busy machine sends a packet late."""
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] <= within:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def seconds_of(spans: Iterable[Span]) -> float:
    return sum(end - start for start, end in spans)


def read_samples(path: Path) -> array:
    """The signed 16 bit samples of a mono 8 kHz WAV file, whatever length its header claims."""
    raw = path.read_bytes()
    if raw[:4] != b"RIFF" or b"data" not in raw[:200]:
        raise ValueError(f"{path} is not a WAV file ({len(raw)} bytes): was anything recorded?")
    body = raw[raw.index(b"data") + 8:]
    samples = array("h", body[: len(body) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def amplitude(samples: array, hz: float) -> float:
    """Amplitude of one frequency in the samples, by Goertzel's algorithm."""
    omega = 2 * math.pi * hz / RATE
    factor = 2 * math.cos(omega)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    power = last * last + before * before - factor * last * before
    return 2 * math.sqrt(max(power, 0.0)) / len(samples)


def _present(window: array, energy: int, hz: int) -> bool:
    loud = amplitude(window, hz)
    return loud >= PRESENT and loud * loud / 2 * len(window) >= SHARE * energy


def _spans(present: list[bool]) -> list[Span]:
    """Runs of True as (from, to) in seconds."""
    seconds = WINDOW / RATE
    edges = [i for i, (a, b) in enumerate(zip([False, *present], [*present, False], strict=True)) if a != b]
    return [(start * seconds, end * seconds) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def write_wav(path: Path, samples: array) -> Path:
    """Write samples as a mono 16 bit WAV file."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return path
