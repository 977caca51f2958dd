"""The life of a recording: its states, and the table of moves between them. The picture in the docs is made from it."""

from enum import StrEnum


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
