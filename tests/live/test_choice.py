"""A caller decides by a key: what is pressed on the phone, what is recorded, and what the register says."""

from collections.abc import Iterator

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import State
from tests.live.talking import known, new_entry
from tests.pbx.phones import answer, call
from tests.pbx.system import NOTICE_SECONDS, ROUTES, System
from tests.pbx.tones import heard

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ = 440, 660
OUT, IN = "4101", "4102"
CHOICES = f"""
[[route]]
name = "may-leave"
direction = "inbound"
did = "{OUT}"
choice = "opt-out"
choice_seconds = 2

[[route]]
name = "may-join"
direction = "inbound"
did = "{IN}"
choice = "opt-in"
choice_key = "1"
choice_seconds = 2
""" + ROUTES
LATER = NOTICE_SECONDS + 0.8
"""Seconds after the answer at which the notice is over, and the key still waited for."""


@pytest.fixture(scope="module", params=["forky", "bullseye"], ids=["22", "16"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("choice"), routes=CHOICES, release=request.param) as system:
        yield system


@pytest.fixture(scope="module")
def system(running: System) -> System:
    return running


CASES = {
    "0401000001": (OUT, [(0.4, "9")], Reason.OPTED_OUT, "9"),
    "0401000002": (OUT, [(LATER, "9")], Reason.OPTED_OUT, "9"),
    "0401000003": (OUT, [], Reason.ANNOUNCED, ""),
    "0401000004": (OUT, [(LATER, "5")], Reason.ANNOUNCED, ""),
    "0401000005": (IN, [(LATER, "1")], Reason.ANNOUNCED, "1"),
    "0401000006": (IN, [], Reason.NOT_OPTED_IN, ""),
    "0401000007": (IN, [(LATER, "9")], Reason.NOT_OPTED_IN, ""),
}
"""By caller's number: what is dialled, what is pressed and when, and what must come of it."""


@pytest.fixture(scope="module")
def entries(system: System) -> dict[str, Entry]:
    """All cases side by side."""
    agents = answer(system.pbx, "6001", tone=AGENT_HZ, n=len(CASES))
    callers = [call(system.pbx, number, caller=caller, tone=CALLER_HZ, talk=8.0, keys=keys)
               for caller, (number, keys, _, _) in CASES.items()]
    assert all(caller.wait().ok for caller in callers)
    agents.wait()
    return {entry.caller: entry for entry in system.registered(len(CASES))}


@pytest.mark.parametrize("caller", CASES)
def test_what_the_caller_chose_is_done_and_stands_in_the_proof(system: System, entries: dict[str, Entry], caller: str) -> None:
    _, _, reason, pressed = CASES[caller]
    entry = entries[caller]
    assert entry.notice and (entry.reason, entry.notice.pressed) == (reason, pressed)
    if reason is Reason.ANNOUNCED:
        audio = system.audio(entry)
        assert entry.state is State.SEALED and heard(audio, CALLER_HZ) and heard(audio, AGENT_HZ)
    else:
        assert (entry.state, entry.recordings) == (State.UNANNOUNCED, ())


def test_when_no_script_answers_nobody_is_recorded_without_having_been_asked(system: System) -> None:
    before = known(system)
    system.stop_daemon()
    system.break_agi_program()
    agent = answer(system.pbx, "6001")
    assert call(system.pbx, OUT, talk=2.0).wait().ok and agent.wait().ok
    system.mend_agi_program()
    system.start_daemon()
    entry = new_entry(system, before)
    assert (entry.reason, entry.recordings) == (Reason.SCRIPTS_SILENT, ())
    assert list(system.spool.live.iterdir()) == []
