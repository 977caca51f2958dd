"""Each duty's day in a real browser, with what was said in real calls: from the search to the sound, and to its destruction."""

from collections.abc import Iterator

import pytest

from ami_bridge.config import load
from ami_bridge.core.entries import Entry
from tests.pbx.phones import answer, call
from tests.pbx.system import System
from tests.web.browser import chromium, desk
from tests.web.console import NAMES, Console, running, where_it_listens

__all__ = ["chromium", "desk"]
pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ, OTHER_CALLER_HZ, OTHER_AGENT_HZ = 440, 660, 520, 880
CALLER, OTHER = "0401234567", "0407654321"
MARKUP = "<img src=x onerror=alert(1)>"
DIRECTORY = f"key,name,team\nPJSIP/6001,Maija Mäkinen,support\nPJSIP/6002,{MARKUP},sales\n"
DIALPLAN = """
[from-trunk]
exten => 2000,1,Gosub(recorded-call,s,1(inbound,support))
 same => n,Queue(support,,,,60)
 same => n,Hangup()
exten => 3000,1,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6002,60)
 same => n,Hangup()
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """An exchange on which two have called: one the queue of the listener, one somebody else; both with names that are markup."""
    with System(tmp_path_factory.mktemp("console"), dialplan=DIALPLAN) as system:
        (system.home / "agents.csv").write_text(DIRECTORY, encoding="utf-8")
        system.command("agents", "import", str(system.home / "agents.csv"))
        agents = [answer(system.pbx, "6001", tone=AGENT_HZ), answer(system.pbx, "6002", tone=OTHER_AGENT_HZ)]
        callers = [call(system.pbx, "2000", tone=CALLER_HZ, caller=CALLER, name="<script>alert(1)</script>", talk=12.0),
                   call(system.pbx, "3000", tone=OTHER_CALLER_HZ, caller=OTHER, name='"><b>', talk=8.0)]
        assert all(phone.wait().ok for phone in (*callers, *agents))
        system.registered(2)
        yield system


@pytest.fixture(scope="module")
def office(system: System) -> Iterator[Console]:
    """The console of that machine, with everybody who works with it."""
    with running(load(system.config_file, where_it_listens(system.home)), system.config_file) as console:
        console.employ(*NAMES)
        yield console


@pytest.fixture
def own(system: System) -> Entry:
    """The call that the listener may hear."""
    return next(entry for entry in system.calls() if entry.caller == CALLER)


@pytest.fixture
def foreign(system: System) -> Entry:
    """The call that they may not."""
    return next(entry for entry in system.calls() if entry.caller == OTHER)


def test_calls_are_there(office: Console, own: Entry, foreign: Entry) -> None:
    assert own.queue == "support" and [party.team for party in own.participants] == ["support"], own
    assert [(party.team, party.name) for party in foreign.participants] == [("sales", MARKUP)]
