"""The life of a recording: its states, and the table of moves between them. The picture in the docs is made from it."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from ami_bridge.core.facts import Fact, Taken

BEFORE = 0.2
"""Seconds before another channel was said to have taken a recorded one's place in which it may have done so."""


class State(StrEnum):
    """Where a recording stands. Side exits last."""

    EXPECTED = "expected"
    RECORDING = "recording"
    CLOSED = "closed"
    SEALED = "sealed"
    RECOVERED = "recovered"
    NO_AUDIO = "no-audio"
    MISSING = "missing"
    UNANNOUNCED = "unannounced"


class Why(StrEnum):
    """Why a recording is silent on purpose for a while. The first that holds is the one that is noted."""

    PAUSED = "paused"
    UNTOLD = "untold"
    ALONE = "alone"
    HELD = "held"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.EXPECTED: frozenset({State.RECORDING, State.MISSING}),
    State.RECORDING: frozenset({State.CLOSED, State.RECOVERED, State.MISSING}),
    State.CLOSED: frozenset({State.SEALED, State.NO_AUDIO}),
    State.SEALED: frozenset(),
    State.RECOVERED: frozenset(),
    State.NO_AUDIO: frozenset(),
    State.MISSING: frozenset(),
    State.UNANNOUNCED: frozenset(),
}
"""UNANNOUNCED has no way in or out: such a call never has a recording. What is destroyed leaves no state behind."""

KEPT = frozenset({State.SEALED, State.RECOVERED})
"""The states with audio in the vault. RECOVERED: the exchange died before it closed the file; its header was repaired."""

REGISTERED = KEPT | frozenset({State.NO_AUDIO, State.MISSING, State.UNANNOUNCED})
"""The states in which an entry may stand in the register."""


def own_frames(facts: Iterable[Fact], frames: int, rate: int, changed: datetime) -> int:
    """Return how many of a file's frames are of its own call, when it was written until ``changed``.

    All, unless another channel took the place of the recorded one. What was written from then on is of that channel's call,
    which has a recording of its own; how much it is depends on how soon the exchange was told to stop. Counted from the end,
    because a file may lack what was silent before anybody answered.
    """
    taken = min((fact.at for fact in facts if isinstance(fact, Taken)), default=None)
    if taken is None:
        return frames
    return max(0, frames - round((changed.timestamp() - taken + BEFORE) * rate)) if changed.timestamp() > taken else frames
