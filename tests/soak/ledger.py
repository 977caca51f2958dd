"""The ledger: what was dialled, told apart from all that our software says; and its comparison with the register."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ami_bridge.core.entries import Entry
from ami_bridge.core.recordings import KEPT
from tests.pbx.sipp import Phone
from tests.pbx.tones import WINDOW, amplitude, read_samples

LOUD = 300.0
WINDOWS = 12
SHORT = 0.5
"""Seconds of sound in which no tone is looked for: the caller hung up as soon as the notice was over."""


@dataclass(frozen=True)
class Batch:
    """Some calls of one phone, all with one tone (Hz). A call's number is the prefix and its position, from 1."""

    prefix: str
    tone: int
    count: int
    phone: Phone

    def answered(self) -> list[str]:
        """The numbers of the callers who were answered."""
        return [f"{self.prefix}{position}" for position in sorted(self.phone.answered())]


@dataclass
class Verdict:
    """What became of the calls that were answered."""

    answered: int = 0
    kept: int = 0
    short: int = 0
    reported: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    doubled: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    deaf: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing is lost without a word, nothing is there twice, and what is there can be heard."""
        return not (self.silent or self.doubled or self.deaf)


def compare(batches: Iterable[Batch], entries: Iterable[Entry], found: set, audio: Callable[[Entry], Path], agent_tone: int) -> Verdict:
    """Compare the ledger with the register, and each call's tone with the decoded sound.

    `found`: the calls with a finding. A call that says why it has no sound is reported; one that says nothing is silent.
    """
    verdict = Verdict()
    by_caller: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_caller[entry.caller].append(entry)
    for batch in batches:
        for caller in batch.answered():
            verdict.answered += 1
            judge(verdict, caller, batch.tone, by_caller.get(caller, []), found, audio, agent_tone)
    verdict.doubled += [caller for caller, several in by_caller.items() if len(several) > 1]
    return verdict


def judge(verdict: Verdict, caller: str, tone: int, entries: list[Entry], found: set, audio: Callable[[Entry], Path],
          agent_tone: int) -> None:
    """Judge one call that was answered."""
    if not entries:
        verdict.silent.append(caller)
        return
    entry = entries[0]
    verdict.states[str(entry.state)] += 1
    if entry.state not in KEPT:
        if entry.id in found or not entry.recordings or left_at_once(entry):
            verdict.reported[str(entry.reason) if not entry.recordings else str(entry.state)] += 1
        else:
            verdict.silent.append(caller)
        return
    verdict.kept += 1
    if sum(one.audio.seconds for one in entry.recordings if one.audio) < SHORT:
        verdict.short += 1
        return
    heard = tones_in(audio(entry), [tone, agent_tone])
    if tone not in heard and entry.id not in found:
        verdict.deaf.append(caller)


def left_at_once(entry: Entry) -> bool:
    """Whether the caller hung up as the notice ended, so that there was nothing to record."""
    return entry.notice is not None and (entry.ended_at - entry.notice.at).total_seconds() < SHORT


def tones_in(path: Path, candidates: list[int]) -> set[int]:
    """The tones that are clearly heard in at least one of some short windows, spread over the recording."""
    samples = read_samples(path)
    last = max(len(samples) - WINDOW, 0)
    starts = sorted({last * n // (WINDOWS - 1) for n in range(WINDOWS)})
    return {hz for hz in candidates if any(amplitude(samples[start:start + WINDOW], hz) > LOUD for start in starts if len(samples) >= WINDOW)}
