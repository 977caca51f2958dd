"""Each duty with each action, by the page, by the API, and by its address alone: refused unless the table gives it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import AuditEntry, Link
from ami_bridge.core.duties import RECORDINGS, TABLE, Reach, reach
from ami_bridge.register import TrailFilter
from tests.register.conftest import DATABASES, server
from tests.web.asked import ASKS, EVERYBODY, ONLY_BY_COMMAND, Ask
from tests.web.conftest import made
from tests.web.console import DUTIES, Console
from tests.web.office import staffed
from tests.web.routes import SIGN_IN, doors
from tests.web.things import Things

__all__ = ["server"]
pytestmark = pytest.mark.xdist_group("matrix")
PEOPLE = ("listener", "trainer", "officer", "keeper", "admin", "auditor", "nobody")
IN_TABLE = {action for row in TABLE.values() for action in row}


@pytest.fixture(scope="module", params=DATABASES)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The office of this file, once on each database."""
    url = request.getfixturevalue("server").make("matrix", "template0") if request.param == "postgresql" else ""
    with staffed(made(tmp_path_factory.mktemp("office"), url)) as running:
        yield running


@pytest.fixture(scope="module")
def standing(shared: Console) -> Things:
    """What there is already; nobody who is refused changes it."""
    return Things(shared)


def far(login: str, action: Action) -> Reach:
    return reach({DUTIES[login]} if login in DUTIES else set(), action)


def is_granted(login: str, ask: Ask) -> bool:
    return all(far(login, action) is not Reach.NOWHERE for action in (ask.action, ask.also) if action)


def asks(login: str, *, granted: bool) -> Iterator[Ask]:
    return (ask for ask in ASKS if is_granted(login, ask) is granted)


@dataclass
class Person:
    """Somebody at work, in a browser and with a program."""

    office: Console
    actor: str
    browser: httpx.Client
    program: httpx.Client

    def asks(self, ask: Ask, things: Things) -> tuple[httpx.Response, list[AuditEntry]]:
        """Ask once; return the answer, and what the trail says of it."""
        ask.prepare(things)
        before = self._newest(1)[0].number
        answer = ask.by(self.program if ask.of_api else self.browser, things)
        return answer, [entry for entry in reversed(self._newest(30)) if entry.number > before and entry.actor == self.actor]

    def _newest(self, limit: int) -> list[AuditEntry]:
        with self.office.register.reading() as work:
            return [place.entry for place in work.audit.find(TrailFilter(limit=limit)) if isinstance(place, Link)]


@contextmanager
def at_work(office: Console, login: str) -> Iterator[Person]:
    with office.browser(login) as browser, office.program(login) as program:
        yield Person(office, f"account:{office.account(login).id}", browser, program)


def said_in(answer: httpx.Response) -> str:
    return re.sub(r"<[^>]*>|\s+", " ", answer.text[-900:])


def told(wrong: dict[Ask, tuple]) -> str:
    return "\n".join(f"{ask}: {said}" for ask, said in wrong.items())


# -- nothing is left out

def test_every_action_of_a_duty_is_asked_for_by_a_page_and_by_the_api() -> None:
    by_page, by_api = ({ask.action for ask in ASKS if ask.of_api is of_api} for of_api in (False, True))
    assert (IN_TABLE - ONLY_BY_COMMAND - by_page, IN_TABLE - ONLY_BY_COMMAND - by_api) == (set(), set())
    assert not (by_page | by_api) & ONLY_BY_COMMAND and (by_page | by_api) <= IN_TABLE


def test_there_is_no_door_that_no_line_leads_to_nor_a_line_that_leads_nowhere(shared: Console) -> None:
    there = [door for door in doors(shared) if door not in SIGN_IN | EVERYBODY and door.method != "HEAD"]
    assert [str(door) for door in there if not any(ask.is_at(door) for ask in ASKS)] == []
    assert [str(ask) for ask in ASKS if not any(ask.is_at(door) for door in there)] == []


# -- the matrix

@pytest.mark.parametrize("login", PEOPLE)
def test_what_a_duty_does_not_give_is_refused_everywhere_and_the_refusal_is_in_the_trail(shared: Console, standing: Things,
                                                                                        login: str) -> None:
    wrong = {}
    with at_work(shared, login) as person:
        for ask in asks(login, granted=False):
            answer, traces = person.asks(ask, standing)
            said = [(one.action, one.outcome, one.reason) for one in traces]
            if answer.status_code != 403 or said not in ([(action, "refused", "no-duty")] for action in (ask.action, ask.also)):
                wrong[ask] = answer.status_code, said
    assert told(wrong) == ""


@pytest.mark.parametrize("login", PEOPLE)
def test_what_a_duty_gives_is_done_everywhere_and_is_in_the_trail(shared: Console, login: str) -> None:
    wrong = {}
    with at_work(shared, login) as person:
        for ask in asks(login, granted=True):
            answer, traces = person.asks(ask, Things(shared))
            allowed = [one.action for one in traces if one.outcome == "allowed"]
            if answer.status_code >= 400 or (ask.trace and ask.trace not in allowed):
                wrong[ask] = answer.status_code, allowed, said_in(answer)
    assert told(wrong) == ""


@pytest.mark.parametrize("login", ["listener", "trainer"])
def test_a_call_of_another_team_is_not_there_and_the_trail_knows_why(shared: Console, login: str) -> None:
    things, wrong = Things(shared), {}
    things["call"] = things["foreign"]
    unknown = Things(shared)
    unknown.update(things, recording=things["recording"], call=str(uuid4()))
    with at_work(shared, login) as person:
        for ask in (ask for ask in ASKS if far(login, ask.action) is Reach.OWN_SCOPE and ask.trace and "{call}" in ask.path):
            answer, traces = person.asks(ask, things)
            guessed, _ = person.asks(ask, unknown)
            same = without_ids(answer, things["call"]) == without_ids(guessed, unknown["call"])
            if (answer.status_code, [one.reason for one in traces]) != (404, ["out-of-scope"]) or not same:
                wrong[ask] = answer.status_code, traces, guessed.status_code
    assert told(wrong) == ""


def without_ids(answer: httpx.Response, call: str) -> tuple[int, str]:
    return answer.status_code, answer.text.replace(call, "")


def test_whose_clearance_has_lapsed_hears_nothing(shared: Console) -> None:
    wrong = {}
    for ask in (ask for ask in asks("officer", granted=True) if ask.action in RECORDINGS):
        things = Things(shared)
        ask.prepare(things)
        with lapsed(shared, "officer"), at_work(shared, "officer") as person:
            answer, traces = person.asks(ask, things)
        if answer.status_code != 403 or [(one.action, one.reason) for one in traces] != [(ask.action, "clearance-lapsed")]:
            wrong[ask] = answer.status_code, traces
    assert told(wrong) == ""


@contextmanager
def lapsed(office: Console, login: str) -> Iterator[None]:
    """Somebody whose clearance ended an hour ago."""
    account = office.account(login)
    for until in (datetime.now(UTC) - timedelta(hours=1), account.clearance_until):
        with office.register.writing() as work:
            work.accounts.change(account.id, clearance_until=until)
        if until != account.clearance_until:
            yield
