"""Questions: somebody asks for silence, or an end to it, and is answered when the recordings stand so. Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from uuid import UUID

from ami_bridge.core.orders import Do, Order
from ami_bridge.core.signs import Asked, Wish
from ami_bridge.core.silence import Pause
from ami_bridge.core.steered import Steered

ANSWERED = 1.5
"""Seconds in which a question must be answered: our dialplan waits for two, and then says that nothing was done."""


class _Question(NamedTuple):
    """Somebody waits for an answer about some calls; ``before``: the pauses that there were."""

    asker: str
    at: float
    before: dict[UUID, Pause | None]


class Questions:
    """The questions that wait for an answer."""

    def __init__(self) -> None:
        self._open: list[_Question] = []
        self._refused: list[str] = []

    def ask(self, asked: Asked, meant: list[Steered], longest: float) -> None:
        """Set or end a pause of what is ``meant``, of ``longest`` seconds at most; where nothing is, it is refused."""
        if not meant:
            self._refused.append(asked.asker)
            return
        self._open.append(_Question(asked.asker, asked.at, {one.call: one.pause for one in meant}))
        begin = asked.wish is Wish.PAUSE or (asked.wish is Wish.TOGGLE and not all(one.pause for one in meant))
        until = asked.at + min(asked.seconds or longest, longest)
        for one in meant:
            one.pause, one.ordered = Pause(asked.by, until) if begin else None, None

    def refusals(self) -> list[Order]:
        """Return what is to be told to those who may not ask, or ask for what is not there."""
        refused, self._refused = self._refused, []
        return [Order(Do.ANSWER, None, "", asker) for asker in refused]

    def answers(self, now: float, calls: Mapping[UUID, Steered],
                stands: Callable[[Steered], bool]) -> tuple[list[Order], set[UUID]]:
        """Answer the questions whose calls stand as they should; return also the calls whose question came to nothing.

        A question that was not answered in time is withdrawn: whoever heard that nothing was done finds nothing done later.
        """
        found, open, withdrawn = [], [], set()
        for question in self._open:
            meant = [calls[call] for call in question.before if call in calls]
            if all(map(stands, meant)):
                found.append(_answer(question, meant))
            elif now > question.at + ANSWERED:
                for one in meant:
                    one.pause = question.before[one.call]
                    withdrawn.add(one.call)
            else:
                open.append(question)
        self._open = open
        return found, withdrawn


def _answer(question: _Question, calls: list[Steered]) -> Order:
    """Return the answer: silent, and why, when all the recordings are."""
    whys = [one.silent for one in calls]
    why = next((one[0] for one in whys if one), None) if all(whys) else None
    return Order(Do.ANSWER, calls[0].call if calls else None, "", question.asker, why)
