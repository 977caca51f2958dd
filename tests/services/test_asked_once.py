"""What a list asks of the register does not grow with what stands in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from ami_bridge.core.actions import Action
from ami_bridge.core.holds import Hold
from ami_bridge.core.proposals import Proposal
from ami_bridge.core.requests import FoundCall, SubjectRequest
from ami_bridge.register import Register
from tests.services.bureau import OUTI, SEPPO, Bureau
from tests.services.test_purge import EXPIRES, House, house  # noqa: F401
from tests.services.two_persons import Team

DAY = timedelta(days=1)
FEW, MANY = 2, 60


@pytest.fixture
def bureau(house: House) -> Bureau:  # noqa: F811
    return Bureau(house, EXPIRES - DAY)


@contextmanager
def counting(register: Register) -> Iterator[list[str]]:
    """The statements that the register is asked."""
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        asked.append(statement)

    event.listen(register._engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(register._engine, "before_cursor_execute", note)


def asked_by(register: Register, look: Callable[[], object]) -> int:
    with counting(register) as asked:
        look()
    return len(asked)


def hold(number: int, bureau: Bureau) -> Hold:
    return Hold(id=UUID(int=number), call=UUID(int=number), exchange="pbx", expires_at=bureau.now, reason="a", basis="b",
                placed_by="c", placed_at=bureau.now, until=bureau.now + DAY, remind_at=bureau.now)


def add(bureau: Bureau, numbers: range, request: SubjectRequest) -> None:
    """Add holds, each with a proposal to release it, and frozen for a request; and proposals to close requests."""
    others = [bureau.open() for _ in numbers]
    with bureau.house.register.writing() as work:
        for number, other in zip(numbers, others, strict=True):
            work.holds.add(hold(number, bureau))
            work.requests.found(FoundCall(request=request.id, call=UUID(int=number), hold=UUID(int=number), found_at=bureau.now))
            for place, object in enumerate((UUID(int=number), other.id)):
                work.proposals.add(Proposal(id=UUID(int=2 * number + place), action=Action.HOLD_RELEASED, object=str(object),
                                            made_by=f"account:{bureau.rights(SEPPO).account.id}", made_at=bureau.now))


def test_lists_of_holds_and_proposals_and_a_request_ask_as_much_for_many_as_for_few(bureau: Bureau) -> None:
    register, request = bureau.house.register, bureau.open()
    keeping = Team(register, bureau.house.vault, bureau.now).keeping(OUTI)
    looks = (keeping.all, bureau.agreeing(OUTI).all, lambda: bureau.requests().view(request.id))
    add(bureau, range(1000, 1000 + FEW), request)
    few = [asked_by(register, look) for look in looks]
    add(bureau, range(2000, 2000 + MANY), request)
    assert [asked_by(register, look) for look in looks] == few
    held, proposed = keeping.all(), bureau.agreeing(OUTI).all()
    assert len(held) == FEW + MANY and {one.release.made_by for one in held if one.release} == {"Seppo"}
    assert all(one.release and one.release.proposal.object == str(one.hold.id) for one in held)
    assert len(proposed) == 2 * (FEW + MANY) and sum(one.request is not None for one in proposed) == FEW + MANY
    dossier = bureau.requests().view(request.id)
    assert len(dossier.calls) == FEW + MANY and all(one.hold and one.hold.id == one.found.hold for one in dossier.calls)
