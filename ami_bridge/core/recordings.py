"""The life of a recording: its states, and the table of moves between them. The picture in the docs is made from it."""

from enum import StrEnum


class State(StrEnum):
    """Where a recording stands. Side exits last."""

    EXPECTED = "expected"
    RECORDING = "recording"
    CLOSED = "closed"
    STORED = "stored"
    NO_AUDIO = "no-audio"
    MISSING = "missing"
    UNANNOUNCED = "unannounced"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.EXPECTED: frozenset({State.RECORDING, State.MISSING}),
    State.RECORDING: frozenset({State.CLOSED, State.MISSING}),
    State.CLOSED: frozenset({State.STORED, State.NO_AUDIO}),
    State.STORED: frozenset(),
    State.NO_AUDIO: frozenset(),
    State.MISSING: frozenset(),
    State.UNANNOUNCED: frozenset(),
}
"""UNANNOUNCED has no way in or out: such a call never has a recording."""

REGISTERED = frozenset({State.STORED, State.NO_AUDIO, State.MISSING, State.UNANNOUNCED})
"""The states in which an entry may stand in the register."""
