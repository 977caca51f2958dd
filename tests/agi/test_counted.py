"""What is counted of announcements: who is passed over, and which commands' time is the party's."""

import pytest

from agi_scripts.announce import Desk, announce
from ami_bridge.core.agi import Command
from ami_bridge.core.notice import Choice, Policy, Reason, Route
from ami_bridge.core.parties import Direction
from tests.agi.test_announce import ALL, FI, NOW, Conversation

CHOOSING = Route(name="choosing", days=31, languages=("fi",), choice=Choice.OPT_IN)


def counted(route: Route, obstacle: Reason | None = None, **values: str) -> tuple[list[tuple[Direction, Reason]], Conversation]:
    told: list[tuple[Direction, Reason]] = []
    conversation = Conversation(route, **values)
    policy = Policy(exchange="pbx", days=31, floor=0, routes=(route,), prompts=(FI,))
    desk = Desk(policy, conversation._keep, lambda: NOW, conversation._ids(), lambda: obstacle,
                lambda direction, reason: told.append((direction, reason)))
    conversation.script = announce(desk, {})
    return told, conversation.run({})


@pytest.mark.parametrize(("route", "values", "wanted"), [
    (Route(name="no", days=31, record=False), {}, (Direction.INBOUND, Reason.ROUTE_SAYS_NO)),
    (Route(name="asked", days=31, on_demand=True), {"direction": "outbound"}, (Direction.OUTBOUND, Reason.ROUTE_SAYS_NO)),
    (Route(name="other", days=31, dids=("2*",)), {"direction": "internal"}, (Direction.INTERNAL, Reason.NO_ROUTE))])
def test_who_is_passed_over_is_told_once_and_leaves_no_ticket(route: Route, values: dict[str, str],
                                                              wanted: tuple[Direction, Reason]) -> None:
    told, conversation = counted(route, **values)
    assert told == [wanted] and conversation.tickets == []


@pytest.mark.parametrize("obstacle", [None, Reason.NO_ROOM, Reason.NO_KEY])
def test_who_gets_a_ticket_is_not_passed_over(obstacle: Reason | None) -> None:
    told, conversation = counted(ALL, obstacle)
    assert told == [] and len(conversation.tickets) == 1


def test_answering_listening_and_choosing_are_the_partys_time_and_nothing_else_is() -> None:
    steps: list[Command] = []

    class Watching(Conversation):
        def _advance(self, step, replies):
            steps.extend([step] if isinstance(step, Command) else [])
            return super()._advance(step, replies)

    Watching(CHOOSING).run({})
    theirs = {step.line.partition('"')[0].strip() for step in steps if step.theirs}
    assert {words.rstrip(" 0123456789") for words in theirs} == {"ANSWER", "STREAM FILE", "WAIT FOR DIGIT"}
    assert len(steps) > len(theirs) + 2
