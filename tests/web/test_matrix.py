"""Each duty with each action, by the page, by the API, and by its address alone: refused unless the table gives it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ami_bridge.core.actions import Action
from ami_bridge.core.duties import RECORDINGS, TABLE, Reach, reach
from tests.web.asked import ASKS, EVERYBODY, NOT_YET, ONLY_BY_COMMAND, Ask
from tests.web.console import DUTIES, Console
from tests.web.routes import SIGN_IN, doors
from tests.web.things import Things

pytestmark = pytest.mark.xdist_group("matrix")
PEOPLE = ("listener", "trainer", "officer", "keeper", "admin", "auditor", "nobody")
IN_TABLE = {action for row in TABLE.values() for action in row}


@pytest.fixture(scope="module")
def standing(shared: Console) -> Things:
    """What there is already; nobody who is refused changes it."""
    return Things(shared)


def far(login: str, action: Action) -> Reach:
    return reach({DUTIES[login]} if login in DUTIES else set(), action)


def asks(login: str, *, granted: bool) -> Iterator[Ask]:
    return (ask for ask in ASKS if (far(login, ask.action) is not Reach.NOWHERE) is granted)


def answered(office: Console, login: str, ask: Ask, things: Things) -> httpx.Response:
    with (office.program if ask.of_api else office.browser)(login) as client:
        return ask.by(client, things)


# -- nothing is left out

def test_every_action_of_a_duty_is_asked_for_by_a_page_and_by_the_api() -> None:
    by_page, by_api = ({ask.action for ask in ASKS if ask.of_api is of_api} for of_api in (False, True))
    told = ONLY_BY_COMMAND | NOT_YET
    assert (IN_TABLE - told - by_page, IN_TABLE - told - by_api) == (set(), set())
    assert not (by_page | by_api) & told and (by_page | by_api) <= IN_TABLE


def test_there_is_no_door_that_no_line_leads_to_nor_a_line_that_leads_nowhere(shared: Console) -> None:
    there = [door for door in doors(shared) if door not in SIGN_IN | EVERYBODY and door.method != "HEAD"]
    assert [str(door) for door in there if not any(ask.is_at(door) for ask in ASKS)] == []
    assert [str(ask) for ask in ASKS if not any(ask.is_at(door) for door in there)] == []


# -- the matrix

@pytest.mark.parametrize("login", PEOPLE)
def test_what_a_duty_does_not_give_is_refused_everywhere_and_the_refusal_is_in_the_trail(shared: Console, standing: Things,
                                                                                        login: str) -> None:
    actor, wrong = f"account:{shared.account(login).id}", {}
    for ask in asks(login, granted=False):
        _ = ask.path.format_map(standing)
        before = len(shared.trail())
        status = answered(shared, login, ask, standing).status_code
        traces = [(one.actor, one.action, one.outcome, one.reason) for one in shared.trail()[before:]]
        if status != 403 or traces != [(actor, ask.action, "refused", "no-duty")]:
            wrong[str(ask)] = status, traces
    assert wrong == {}


@pytest.mark.parametrize("login", PEOPLE)
def test_what_a_duty_gives_is_done_everywhere_and_is_in_the_trail(shared: Console, login: str) -> None:
    actor, wrong = f"account:{shared.account(login).id}", {}
    for ask in asks(login, granted=True):
        things = Things(shared)
        _ = ask.path.format_map(things), str(ask.sent).replace("{'", "").format_map(things) if ask.sent else ""
        before = len(shared.trail())
        answer = answered(shared, login, ask, things)
        allowed = [one.action for one in shared.trail()[before:] if one.actor == actor and one.outcome == "allowed"]
        if answer.status_code >= 400 or ask.action not in allowed:
            wrong[str(ask)] = answer.status_code, allowed, answer.text[-800:]
    assert wrong == {}


@pytest.mark.parametrize("login", ["listener", "trainer"])
def test_a_call_of_another_team_is_not_there_and_the_trail_knows_why(shared: Console, login: str) -> None:
    things, wrong = Things(shared), {}
    things["call"] = things["foreign"]
    for ask in (ask for ask in ASKS if far(login, ask.action) is Reach.OWN_SCOPE and "{call}" in ask.path):
        _ = ask.path.format_map(things)
        before = len(shared.trail())
        answer = answered(shared, login, ask, things)
        traces = [(one.action, one.reason) for one in shared.trail()[before:]]
        unknown = answered(shared, login, ask, Unknown(things))
        if answer.status_code != 404 or (ask.action, "out-of-scope") not in traces or unknown.status_code != 404:
            wrong[str(ask)] = answer.status_code, traces, unknown.status_code
    assert wrong == {}


class Unknown(Things):
    """The same, with the id of a call that nobody has made."""

    def __init__(self, things: Things) -> None:
        super().__init__(things.office)
        self.update(things, call="0190a3c8-0000-7000-8000-000000000000")


def test_whose_clearance_has_lapsed_hears_nothing(shared: Console) -> None:
    things, wrong = Things(shared), {}
    with lapsed(shared, "officer"):
        for ask in (ask for ask in asks("officer", granted=True) if ask.action in RECORDINGS):
            _ = ask.path.format_map(things)
            before = len(shared.trail())
            answer = answered(shared, "officer", ask, things)
            traces = [(one.action, one.reason) for one in shared.trail()[before:]]
            if answer.status_code != 403 or traces != [(ask.action, "clearance-lapsed")]:
                wrong[str(ask)] = answer.status_code, traces
    assert wrong == {}


class lapsed:  # noqa: N801 - reads as a word of the sentence
    """Somebody whose clearance ended an hour ago."""

    def __init__(self, office: Console, login: str) -> None:
        self._office, self._account = office, office.account(login)

    def _set(self, until: datetime | None) -> None:
        with self._office.register.writing() as work:
            work.accounts.change(self._account.id, clearance_until=until)

    def __enter__(self) -> None:
        self._set(datetime.now(UTC) - timedelta(hours=1))

    def __exit__(self, *_: object) -> None:
        self._set(self._account.clearance_until)
