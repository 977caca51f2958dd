"""Evidence: which lines of the diary belong to one conversation, kept until the recorded calls in it are judged. Pure.

Channels that met in a bridge, and the two ends of a Local channel, belong together. Of a conversation without a recorded
call only the channels that are still there are remembered, so that a day of calls needs no more room than an hour.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from ami_bridge.core.witness import Line, What, pair_of

MOST = 100_000
"""Lines of one conversation beyond which its calls are not judged."""

STALE = 86_400.0
"""Seconds without a line after which a conversation is over, though no line says so: the exchange died."""


class Case(NamedTuple):
    """A recorded call whose end was read, and the lines to judge it by."""

    call: UUID
    lines: list[Line]


class _Conversation:
    """Lines that belong together; channels that are gone, the channel of each recorded call, where each channel began."""

    __slots__ = ("calls", "gone", "lines", "places")

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.gone: set[str] = set()
        self.calls: dict[UUID, str] = {}
        self.places: dict[str, Any] = {}


class Evidence:
    """What was read of the diary and is still needed. Lines come as they were written, each with its place there."""

    def __init__(self) -> None:
        self._by_key: dict[str, _Conversation] = {}
        self._ended: dict[UUID, _Conversation] = {}

    def hear(self, line: Line, place: Any) -> None:
        """Take one line, read at ``place`` (anything that has an order)."""
        one = self._joined(_keys(line))
        one.lines.append(line)
        one.places.setdefault(line.channel, place)
        if line.what is What.BEGUN and line.call is not None:
            one.calls[line.call] = line.channel
        elif line.what is What.CLOSED and line.call in one.calls:
            self._ended[line.call] = one
        elif line.what is What.GONE:
            one.gone.add(line.channel)
            self._ended |= {call: one for call, carrier in one.calls.items() if carrier == line.channel}
        if len(one.lines) > MOST:
            for call in list(one.calls):
                self.judged(call)
        if not one.calls and one.gone:
            self._forget_gone(one)

    def cases(self) -> Iterator[Case]:
        """Yield the recorded calls that are over and not judged."""
        for call, one in list(self._ended.items()):
            yield Case(call, one.lines)

    def judged(self, call: UUID) -> None:
        """Nothing more is needed of a call."""
        one = self._ended.pop(call, None) or next((c for c in self._by_key.values() if call in c.calls), None)
        if one is not None:
            one.calls.pop(call, None)
            if not one.calls:
                self._forget_gone(one)

    def needed_since(self, otherwise: Any) -> Any:
        """Return the first place in the diary that is still needed."""
        return min((place for one in self._conversations() for place in one.places.values()), default=otherwise)

    def forget_stale(self, now: float) -> None:
        """Forget conversations of which nothing was read for a day."""
        for one in self._conversations():
            if one.lines[-1].at < now - STALE:
                one.gone |= {line.channel for line in one.lines}
                for call in list(one.calls):
                    self.judged(call)
                self._forget_gone(one)

    def __len__(self) -> int:
        return sum(len(one.lines) for one in self._conversations())

    def _conversations(self) -> list[_Conversation]:
        return list({id(one): one for one in self._by_key.values()}.values())

    def _joined(self, keys: set[str]) -> _Conversation:
        """Return the conversation of these keys, made one where there were several."""
        found = {id(one): one for key in keys if (one := self._by_key.get(key))}
        into = max(found.values(), key=lambda one: len(one.lines), default=None) or _Conversation()
        for other in found.values():
            if other is not into:
                into.lines += other.lines
                into.gone |= other.gone
                into.calls |= other.calls
                into.places = other.places | into.places
                keys |= {key for line in other.lines for key in _keys(line)}
                self._ended |= {call: into for call in other.calls if call in self._ended}
        self._by_key |= dict.fromkeys(keys, into)
        return into

    def _forget_gone(self, one: _Conversation) -> None:
        for key in {key for line in one.lines for key in _keys(line)}:
            self._by_key.pop(key, None)
        one.lines = [line for line in one.lines if line.channel not in one.gone]
        one.places = {channel: place for channel, place in one.places.items() if channel not in one.gone}
        one.gone.clear()
        self._by_key |= {key: one for line in one.lines for key in _keys(line)}


def _keys(line: Line) -> set[str]:
    """Return what a line has in common with others of its conversation."""
    pair = pair_of(line.name)
    return {line.channel, *([line.bridge] if line.bridge else []), *([pair[0]] if pair else [])}
