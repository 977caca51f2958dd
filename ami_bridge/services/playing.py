"""The sound of a call that somebody may hear, opened in memory: bytes of it, and its waveform.

Nothing here asks for rights or leaves a trace: whoever calls this does.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from ami_bridge.core.entries import Audio, Entry, Recording
from ami_bridge.core.errors import AmiBridgeError, NotFound
from ami_bridge.core.loudness import Waveform, waveform
from ami_bridge.core.recordings import KEPT
from ami_bridge.core.spans import Asked, seconds, span
from ami_bridge.services.holds import Source, there
from ami_bridge.vault import Reader, Vault, audio_file, day_key


@dataclass(frozen=True, slots=True)
class Sound:
    """Some bytes of a WAV file of ``size`` bytes, from place ``first`` on; from and to which second they are."""

    size: int
    first: int
    content: bytes
    seconds: tuple[int, int]


class OutOfRange(AmiBridgeError):
    """None of the bytes that were asked for is there. ``size``: how many there are."""

    def __init__(self, size: int) -> None:
        super().__init__("the recording has no such bytes", "Ask for bytes within it.")
        self.size = size


def playable(entry: Entry) -> list[Recording]:
    """Return the recordings of a call that have sound."""
    return [recording for recording in entry.recordings if recording.state in KEPT and recording.audio]


def audio_of(source: Source, recording: UUID) -> Audio:
    """Return what is registered of a recording's sound; NotFound when the call has no such recording with sound."""
    for one in playable(source.entry):
        if one.id == recording and one.audio:
            return one.audio
    raise NotFound("there is no such recording", "Open the call anew.")


def opened(vault: Vault, source: Source, recording: UUID) -> Reader:
    """Open a recording; close it. It must be the one that was registered; a hold's copy is known by what it opens to."""
    audio, file = audio_of(source, recording), audio_file(source.key, recording)
    with there():
        if source.key == day_key(source.entry.expiry_day):
            return vault.reader(file, sealed_sha256=audio.sealed_sha256)
        return vault.reader(file, sha256=audio.sha256)


def part(vault: Vault, source: Source, recording: UUID, asked: Asked) -> Sound:
    """Return some of a recording's bytes, a minute of sound at most; NotFound, OutOfRange, AudioError or KeyMissing."""
    audio = audio_of(source, recording)
    with opened(vault, source, recording) as reader:
        places = span(asked, reader.size)
        if places is None:
            raise OutOfRange(reader.size)
        heard = seconds(places, reader.size, audio.frames, audio.rate)
        return Sound(reader.size, places.start, reader.read(places.start, len(places)), heard)


def drawing(vault: Vault, source: Source, recording: UUID) -> Waveform:
    """Return the waveform of a recording; NotFound, AudioError or KeyMissing."""
    audio = audio_of(source, recording)
    with opened(vault, source, recording) as reader:
        return waveform(reader.read, audio.frames, audio.rate)


def drawings(vault: Vault, sources: Iterable[Source]) -> dict[UUID, Waveform]:
    """Return the waveforms of some calls, by recording; none of one that cannot be opened."""
    found: dict[UUID, Waveform] = {}
    for source in sources:
        for recording in playable(source.entry):
            with suppress(AmiBridgeError):
                found[recording.id] = drawing(vault, source, recording.id)
    return found
