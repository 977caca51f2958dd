"""What happens to a call when a part of us fails: the caller hears the notice, the call goes on, nothing is silent."""

import signal
import time
from collections.abc import Iterator

import pytest

from ami_bridge.core.entries import Entry
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import State
from tests.live.talking import only_new_calls
from tests.pbx.phones import answer, call
from tests.pbx.system import NOTICE_HZ, RECORDED_DIALPLAN, ROUTES, System
from tests.pbx.tones import heard

pytestmark = pytest.mark.live

CALLER_HZ, AGENT_HZ = 440, 660
REFUSING, UNRECORDED, NO_PROMPT, SILENT = "3001", "3002", "3003", "3004"
FAULTY_ROUTES = """
[[route]]
name = "refusing"
direction = "inbound"
did = "3001"
on_failure = "refuse"

[[route]]
name = "unrecorded"
direction = "inbound"
did = "3002"
on_failure = "allow-unrecorded"

[[route]]
name = "no-prompt"
direction = "inbound"
did = "3003"
notice = "nowhere"

[[route]]
name = "not-recorded"
direction = "inbound"
did = "3004"
record = false
""" + ROUTES
ADMINS_OWN = RECORDED_DIALPLAN + """
[from-trunk]
exten => 4000,1,Set(TIMEOUT(absolute)=4)
 same => n,Gosub(recorded-call,s,1(inbound))
 same => n,Dial(PJSIP/6001,60)
 same => n,Hangup()
exten => 4100,1,Gosub(recorded-call,s,1(inbound,support))
 same => n,Dial(PJSIP/6001,60)
 same => n,Hangup()
exten => h,1,NoOp(the own h of the admin)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("faults"), routes=FAULTY_ROUTES, dialplan=ADMINS_OWN) as system:
        yield system


@pytest.fixture
def system(running: System) -> Iterator[System]:
    """The module's system, whole again after each test; each test looks only at the calls that it made itself."""
    with only_new_calls(running):
        yield running
    running.mend_agi_program()
    if running.daemon is None:
        running.start_daemon()


def talk(system: System, number: str = "1000", seconds: float = 5.0, **options) -> None:
    """One call that must come through, whatever else fails."""
    agent = answer(system.pbx, options.pop("agent", "6001"), tone=AGENT_HZ)
    caller = call(system.pbx, number, tone=CALLER_HZ, talk=seconds, **options)
    assert caller.wait().ok and agent.wait().ok, (caller.result(), agent.result())


def assert_both_voices_after_the_notice(system: System, entry: Entry) -> None:
    assert entry.state is State.SEALED and entry.reason is Reason.ANNOUNCED
    assert entry.notice and entry.notice.heard_samples == entry.notice.samples
    audio = system.audio(entry)
    assert heard(audio, CALLER_HZ) and heard(audio, AGENT_HZ) and not heard(audio, NOTICE_HZ, at_least=0.1)


def test_a_missing_prompt_means_no_recording_and_an_entry_that_says_why(system: System) -> None:
    talk(system, NO_PROMPT, seconds=2.0)
    (entry,) = system.registered(1)
    assert (entry.reason, entry.state, entry.recordings) == (Reason.PROMPT_MISSING, State.UNANNOUNCED, ())
    assert list(system.spool.live.iterdir()) == []


@pytest.mark.parametrize("keep_bytes", [0, 8000], ids=["gone", "truncated"])
def test_a_prompt_file_that_is_gone_or_damaged_means_no_recording(system: System, keep_bytes: int) -> None:
    files = {path: path.read_bytes() for path in (system.home / "prompts" / "en").glob("recorded-v*.*")}
    try:
        for path, content in files.items():
            path.write_bytes(content[:keep_bytes]) if keep_bytes else path.unlink()
        talk(system, seconds=2.5)
        (entry,) = system.registered(1)
        assert entry.reason in (Reason.PROMPT_MISSING, Reason.PROMPT_CUT_SHORT)
        assert entry.state is State.UNANNOUNCED and list(system.spool.live.iterdir()) == []
    finally:
        for path, content in files.items():
            path.write_bytes(content)


def test_a_route_that_is_not_recorded_leaves_no_trace(system: System) -> None:
    talk(system, SILENT, seconds=1.0)
    talk(system, seconds=3.0)
    assert [entry.callee for entry in system.registered(1)] == ["1000"]


@pytest.mark.parametrize(("number", "options"), [("1000", {}), ("0501112222", {"source": "6002", "agent": "trunk"}),
                                                 ("6001", {"source": "6003"})], ids=["inbound", "outbound", "internal"])
def test_while_the_daemon_is_down_the_process_script_announces_and_the_call_is_taken_in_later(
        system: System, number: str, options: dict) -> None:
    assert system.stop_daemon() == 0
    talk(system, number, **options)
    assert system.calls() == []
    system.start_daemon()
    (entry,) = system.registered(1)
    assert entry.origin == "agi" and entry.callee == number
    assert_both_voices_after_the_notice(system, entry)


def test_an_admins_own_limit_of_a_calls_length_still_holds(system: System) -> None:
    agent = answer(system.pbx, "6001")
    caller = call(system.pbx, "4000", talk=60.0)
    agent.wait(30)
    caller.stop()
    (entry,) = system.registered(1)
    assert 4.0 <= entry.seconds <= 7.0


def test_an_admins_own_hangup_extension_runs_when_the_caller_leaves_in_the_notice(system: System) -> None:
    call(system.pbx, "1000", talk=0.5).wait()
    system.registered(1)
    assert "the own h of the admin" in system.pbx.log_tail(200)


@pytest.mark.parametrize(("number", "options"), [("1000", {}), ("0501112222", {"source": "6002", "agent": "trunk"})],
                         ids=["inbound", "outbound"])
def test_a_daemon_that_hangs_is_passed_over_within_two_seconds(system: System, number: str, options: dict) -> None:
    assert system.daemon
    system.daemon.send_signal(signal.SIGSTOP)
    try:
        talk(system, number, **options)
    finally:
        system.daemon.send_signal(signal.SIGCONT)
    (entry,) = system.registered(1)
    assert_both_voices_after_the_notice(system, entry)
    agents = [line for line in system.pbx.log_tail(400).splitlines() if "completed, returning" in line]
    assert agents


def test_when_no_script_answers_the_dialplan_announces_and_records_and_the_call_is_adopted(system: System) -> None:
    system.stop_daemon()
    system.break_agi_program()
    talk(system, "4100")
    system.start_daemon()
    (entry,) = system.registered(1)
    assert (entry.origin, entry.caller, entry.callee, entry.route) == ("dialplan", "0401234567", "4100", "inbound")
    assert entry.queue == "support"
    assert entry.notice and entry.notice.witness == "dialplan" and entry.notice.language == "en"
    assert_both_voices_after_the_notice(system, entry)
    assert list(system.spool.live.iterdir()) == [] and list(system.spool.tickets.iterdir()) == []


def test_beyond_the_number_of_processes_allowed_the_dialplan_goes_on_alone_and_the_count_falls_again(system: System) -> None:
    system.stop_daemon()
    system.pbx.rx("dialplan set global REC_AGI_PROCESSES 1")
    agents = answer(system.pbx, "6001", tone=AGENT_HZ, n=2)
    callers = call(system.pbx, "1000", tone=CALLER_HZ, talk=5.0, n=2, rate=2)
    assert callers.wait().failed == 0 and agents.wait().failed == 0
    talk(system)
    system.start_daemon()
    assert sorted(entry.origin for entry in system.registered(3)) == ["agi", "agi", "dialplan"]
    system.pbx.rx("dialplan set global REC_AGI_PROCESSES 10")


def test_when_no_script_answers_an_outbound_call_is_announced_to_the_callee_and_adopted(system: System) -> None:
    system.stop_daemon()
    system.break_agi_program()
    talk(system, "0501112222", source="6002", agent="trunk")
    system.start_daemon()
    (entry,) = system.registered(1)
    assert (entry.origin, entry.caller, entry.callee) == ("dialplan", "6002", "0501112222")
    assert [party.name for party in entry.participants] == ["Seán O'Brien"]
    assert_both_voices_after_the_notice(system, entry)


def test_when_scripts_hang_too_the_caller_hears_the_notice_after_at_most_two_seconds(system: System) -> None:
    assert system.daemon
    system.daemon.send_signal(signal.SIGSTOP)
    system.break_agi_program("sleep 60")
    try:
        talk(system, seconds=6.0)
    finally:
        system.daemon.send_signal(signal.SIGCONT)
    (entry,) = system.registered(1)
    assert entry.origin == "dialplan"
    assert_both_voices_after_the_notice(system, entry)
    assert entry.answered_at is None
    assert 1.9 <= silent_seconds(system) < 2.9


def silent_seconds(system: System) -> float:
    """From the entry point to the notice of the last call, by Asterisk's own log."""
    lines = system.pbx.log_tail(300).splitlines()
    begun = max(n for n, line in enumerate(lines) if 'Gosub("PJSIP/trunk' in line and "recorded-call,s,1" in line)
    heard_at = next(line for line in lines[begun:] if "Playing" in line)
    clock = [time.strptime(line[1:20], "%Y-%m-%d %H:%M:%S") for line in (lines[begun], heard_at)]
    millis = [int(line[21:24]) / 1000 for line in (lines[begun], heard_at)]
    return time.mktime(clock[1]) + millis[1] - time.mktime(clock[0]) - millis[0]


def test_a_route_that_refuses_ends_the_call_with_words(system: System) -> None:
    system.stop_daemon()
    system.break_agi_program()
    caller = call(system.pbx, REFUSING, tone=CALLER_HZ, talk=60.0)
    caller.wait(30)
    system.start_daemon()
    (entry,) = system.registered(1)
    assert (entry.reason, entry.state, entry.route) == (Reason.SCRIPTS_SILENT, State.UNANNOUNCED, "refusing")
    assert "unavailable" in system.pbx.log_tail(300) and list(system.spool.live.iterdir()) == []


def test_a_route_that_allows_it_goes_unrecorded_and_the_register_says_so(system: System) -> None:
    system.stop_daemon()
    system.break_agi_program()
    talk(system, UNRECORDED, seconds=2.0)
    system.start_daemon()
    (entry,) = system.registered(1)
    assert (entry.reason, entry.state, entry.route) == (Reason.SCRIPTS_SILENT, State.UNANNOUNCED, "unrecorded")


def test_a_caller_who_hangs_up_in_the_dialplans_own_notice_is_not_recorded(system: System) -> None:
    system.stop_daemon()
    system.break_agi_program()
    call(system.pbx, "1000", talk=0.5).wait()
    assert not list(system.spool.live.glob("*.wav"))
    assert len(list(system.spool.fallbacks())) == 1
    (marker,) = system.spool.fallbacks()
    marker.unlink()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_daemon_restarted_in_mid_call_loses_neither_call_nor_agent(system: System, sign: signal.Signals) -> None:
    agent = answer(system.pbx, "6001", tone=AGENT_HZ)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=7.0)
    time.sleep(3)
    system.stop_daemon(sign)
    system.start_daemon()
    assert caller.wait().ok and agent.wait().ok
    (entry,) = system.registered(1)
    assert_both_voices_after_the_notice(system, entry)
    assert [party.name for party in entry.participants] == ["Maija Mäkinen"]


def test_an_agent_who_answers_while_the_daemon_is_away_is_found_when_it_is_back(system: System) -> None:
    agent = answer(system.pbx, "6001", tone=AGENT_HZ, ring=3.0)
    caller = call(system.pbx, "1000", tone=CALLER_HZ, talk=9.0)
    time.sleep(2.5)
    system.stop_daemon(signal.SIGKILL)
    time.sleep(3)
    system.start_daemon()
    assert caller.wait().ok and agent.wait().ok
    (entry,) = system.registered(1)
    assert [party.name for party in entry.participants] == ["Maija Mäkinen"]


def test_a_second_daemon_on_the_same_spool_is_refused_with_a_clear_message(system: System) -> None:
    with pytest.raises(RuntimeError, match="another daemon"):
        system.command("run")
    talk(system, seconds=3.0)
    assert len(system.registered(1)) == 1
