"""Bridges: who entered and left which, by the times of the moves and not by the order in which they were heard of. Pure."""

from collections.abc import Collection, Iterable

from ami_bridge.core.facts import Entered, Move


class Bridges:
    """What is known of bridges: the moves of whoever is inside, and of whoever left not long ago."""

    def __init__(self) -> None:
        self._moves: dict[str, dict[Move, None]] = {}
        self._visitors: dict[str, set[str]] = {}
        self._locals: dict[str, str] = {}

    def add(self, move: Move) -> bool:
        """Note a move; False when it is known."""
        known = self._moves.setdefault(move.bridge, {})
        if move in known:
            return False
        known[move] = None
        self._visitors.setdefault(move.channel, set()).add(move.bridge)
        return True

    def call_local(self, channel: str, name: str) -> None:
        """Note the name of a Local channel."""
        self._locals[channel] = name

    def moves(self, bridge: str) -> Iterable[Move]:
        """Return what happened in a bridge, as it was heard."""
        return self._moves.get(bridge, {})

    def visitors(self, bridge: str) -> dict[str, None]:
        """Return who is, was or will be in a bridge."""
        return {move.channel: None for move in self.moves(bridge)}

    def of(self, channel: str) -> set[str]:
        """Return in which bridges a channel is or was."""
        return self._visitors.get(channel, set())

    def knows(self, channel: str) -> bool:
        """Tell whether a channel is or was in any bridge."""
        return channel in self._visitors

    def company(self, channel: str, bridges: Iterable[str]) -> dict[str, Entered]:
        """Return who shares one of these bridges with a channel now, and how they entered it."""
        found: dict[str, Entered] = {}
        for moves in map(self.moves, bridges):
            inside = _inside(moves)
            if channel in inside:
                found |= {move.channel: move for move in moves if isinstance(move, Entered) and move.channel in inside}
        found.pop(channel, None)
        return found

    def behind(self, local: str) -> dict[str, Entered]:
        """Return who shares a bridge with the other end of a Local channel."""
        name = self._locals.get(local, "")
        other = next((id for id, one in self._locals.items() if id != local and one[:-1] == name[:-1]), "") if name else ""
        return self.company(other, self.of(other)) if other else {}

    def forget(self) -> None:
        """Drop all: after a gap it may be wrong."""
        self._moves.clear()
        self._visitors.clear()

    def forget_absent(self, present: Collection[str], before: float) -> list[str]:
        """Drop the bridges in which nobody is who is present, and nobody moved since; return them."""
        empty = [bridge for bridge, moves in self._moves.items()
                 if not any(move.channel in present for move in moves) and max(move.at for move in moves) < before]
        for bridge in empty:
            self._drop(bridge)
        return empty

    def prune(self, before: float) -> list[str]:
        """Forget whoever left before that time; return the bridges in which nobody is left."""
        return [bridge for bridge in list(self._moves) if self._prune(bridge, before)]

    def _prune(self, bridge: str, before: float) -> bool:
        moves = self._moves[bridge]
        inside, last = _inside(moves), {move.channel: 0.0 for move in moves}
        for move in moves:
            last[move.channel] = max(last[move.channel], move.at)
        gone = {channel for channel, at in last.items() if channel not in inside and at < before}
        kept = {move: None for move in moves if move.channel not in gone}
        for channel in gone:
            self._leave(channel, bridge)
        if kept:
            self._moves[bridge] = kept
        else:
            self._drop(bridge)
        return not kept

    def _drop(self, bridge: str) -> None:
        for move in self._moves.pop(bridge):
            self._leave(move.channel, bridge)

    def _leave(self, channel: str, bridge: str) -> None:
        bridges = self._visitors.get(channel, set())
        bridges.discard(bridge)
        if not bridges:
            self._visitors.pop(channel, None)
            self._locals.pop(channel, None)


def _inside(moves: Iterable[Move]) -> set[str]:
    """Return who is in a bridge: whoever entered it later than they left it."""
    last: dict[str, tuple[float, bool]] = {}
    for move in moves:
        last[move.channel] = max(last.get(move.channel, (0.0, False)), (move.at, isinstance(move, Entered)))
    return {channel for channel, (_, entered) in last.items() if entered}
