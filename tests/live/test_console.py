"""Each duty's day in a real browser, with what was said in real calls: from the search to the sound, and to its destruction."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ami_bridge.app import purge
from ami_bridge.config import load
from ami_bridge.core.accounts import Language
from ami_bridge.core.duties import Duty
from ami_bridge.core.entries import Entry
from ami_bridge.register import CallFilter
from tests.clocks import clock_at
from tests.pbx.phones import answer, call
from tests.pbx.system import NOTICE_HZ, System
from tests.pbx.tones import heard
from tests.web.browser import Desk, Tab, chromium, desk
from tests.web.console import NAMES, Console, running, where_it_listens

__all__ = ["chromium", "desk"]
pytestmark = pytest.mark.live
"""Each day goes on from the one before."""

CALLER_HZ, AGENT_HZ, OTHER_CALLER_HZ, OTHER_AGENT_HZ = 440, 660, 520, 880
CALLER, OTHER = "0401234567", "0407654321"
MARKUP = "<img src=x onerror=alert(1)>"
EVERY_STEP = {"calls-searched", "call-viewed", "call-listened", "hold-placed", "request-handled", "listening-supervised",
              "proposal-made", "proposal-approved", "call-exported", "hold-released", "account-added", "duty-granted",
              "password-set", "codes-set", "purged", "trail-read", "certificates-listed", "disclosures-listed", "health-viewed"}
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


@pytest.fixture(scope="module")
def own(system: System) -> Entry:
    """The call that the listener may hear."""
    return next(entry for entry in system.calls() if entry.caller == CALLER)


@pytest.fixture(scope="module")
def foreign(system: System) -> Entry:
    """The call that they may not."""
    return next(entry for entry in system.calls() if entry.caller == OTHER)


def find(tab: Tab, number: str) -> None:
    """Search for a number as one would write it."""
    tab.open("/")
    tab.press("calls.title")
    tab.fill(number=number)
    tab.press("calls.search")


def open_first(tab: Tab, purpose: str) -> None:
    """Open the first call that was found, for a purpose."""
    tab.page.locator("tbody a").first.click()
    tab.step("purpose")
    tab.fill(purpose=purpose)
    tab.press("calls.open")


def as_wav(content: bytes, folder: Path) -> Path:
    file = folder / "heard.wav"
    file.write_bytes(content)
    return file


def is_of(file: Path, *present: int, absent: tuple[int, ...]) -> bool:
    return all(heard(file, hz) for hz in present) and not any(heard(file, hz, at_least=0.3) for hz in (*absent, NOTICE_HZ))


def done_by(office: Console, login: str) -> list[tuple[str, str, str]]:
    actor = f"account:{office.account(login).id}"
    return [(one.action, one.outcome, one.reason) for one in office.trail() if one.actor == actor]


def test_a_listener_finds_opens_and_hears_a_call_of_their_own_team_and_no_other(desk: Desk, office: Console, own: Entry,
                                                                                foreign: Entry, tmp_path: Path) -> None:
    with desk.sit(office, "listener", Language.FINNISH) as tab:
        find(tab, "040 123 4567")
        tab.step("found")
        assert CALLER in tab.text and "Maija Mäkinen" in tab.text and tab.page.locator("tbody tr").count() == 1
        open_first(tab, "service")
        tab.step("call")
        assert tab.play() > 0
        slider = tab.page.get_by_role("slider")
        slider.press("ArrowRight")
        tab.page.wait_for_function("() => document.querySelector('audio').currentTime >= 5")
        tab.step("playing")
        sound = as_wav(tab.fetched(urlsplit(tab.page.locator("audio").first.evaluate("it => it.src")).path), tmp_path)
        assert is_of(sound, CALLER_HZ, AGENT_HZ, absent=(OTHER_CALLER_HZ, OTHER_AGENT_HZ))
        find(tab, OTHER)
        assert tab.page.locator("tbody tr").count() == 0
        tab.open(f"/calls/{foreign.id}")
        tab.fill(purpose="service")
        tab.press("calls.open")
        tab.step("not-theirs", status=404)
        assert OTHER not in tab.page.content()
    said = done_by(office, "listener")
    assert {("calls-searched", "allowed", ""), ("call-viewed", "allowed", ""), ("call-listened", "allowed", "")} <= set(said)
    assert ("call-viewed", "refused", "out-of-scope") in said
    assert {one.object for one in office.trail("call-listened")} == {str(own.id)}


def test_a_trainer_hears_a_call_for_training(desk: Desk, office: Console) -> None:
    with desk.sit(office, "trainer", Language.SWEDISH) as tab:
        find(tab, CALLER)
        tab.step("found")
        open_first(tab, "training")
        tab.step("call")
        assert tab.play() > 0
    assert office.trail("call-listened")[-1].purpose == "training"


def test_a_retention_officer_holds_a_call_and_sees_nothing_of_it(desk: Desk, office: Console, foreign: Entry) -> None:
    with desk.sit(office, "keeper") as tab:
        tab.open(f"/holds/new?call={foreign.id}")
        tab.fill(reason="a dispute", basis="case 12", until=str((datetime.now(UTC) + timedelta(days=90)).date()))
        tab.step("new")
        tab.press("holds.place")
        tab.step("hold")
        assert OTHER not in tab.page.content() and tab.page.locator("audio").count() == 0
        tab.press("holds.title")
        tab.step("list")
        tab.open("/calls")
        tab.step("no-calls", status=403)
    assert [one[:2] for one in done_by(office, "keeper")][-1] == ("calls-searched", "refused")


def test_an_officer_answers_a_caller_from_the_request_to_its_end(desk: Desk, office: Console, own: Entry, tmp_path: Path) -> None:
    with desk.sit(office, "officer") as tab:
        case = opened(tab)
        supervised(tab)
        tab.open(case)
        answered_with_a_copy(tab)
    with desk.sit(office, "second") as other:
        agree(other, "proposals.approve")
    with desk.sit(office, "officer") as tab:
        handed_out(tab, tmp_path)
        told(tab, case)
        tab.fill(understood="yes")
        tab.press("requests.close_do")
        tab.step("close-proposed")
    with desk.sit(office, "second") as other:
        agree(other, "proposals.approve-hold-released")
    with desk.sit(office, "officer") as tab:
        tab.open(case)
        tab.step("closed")
        assert tab.words("requests.forgotten") in tab.text and "Kalle Kuuma" not in tab.page.content()
    assert own.id in {entry.id for entry in calls_of(office)}, "it was not destroyed before its time"


def opened(tab: Tab) -> str:
    """A caller asks: what is found is frozen at once. Return where the request is."""
    tab.open("/requests")
    tab.step("requests")
    tab.press("requests.new")
    tab.fill(kind="access", identity="in-person", name="Kalle Kuuma", numbers=CALLER, contact="Kotikatu 1")
    tab.step("new-request")
    tab.press("requests.open")
    tab.step("request")
    assert "Maija Mäkinen" in tab.text
    return tab.path


def supervised(tab: Tab) -> None:
    """They listen together."""
    tab.fill(minutes="10")
    tab.press("requests.begin")
    tab.step("session")
    assert tab.play() > 0
    at = tab.path
    tab.press("requests.session_end")
    tab.step("session-over")
    tab.open(at)
    tab.step("session-gone", status=403)
    assert tab.page.locator("audio").count() == 0


def answered_with_a_copy(tab: Tab) -> None:
    tab.fill(answer="copy")
    tab.press("requests.save")
    tab.press("requests.make_copy")
    tab.fill(country="FI")
    tab.step("copy")
    tab.press("disclosures.propose")
    tab.step("copy-proposed")


def agree(tab: Tab, words: str) -> None:
    """Another looks at what waits, and agrees."""
    tab.open("/proposals")
    tab.step(f"{words}-waits")
    tab.press(words)
    tab.step(f"{words}-agreed")


def handed_out(tab: Tab, folder: Path) -> None:
    """The copy is what was said in the call."""
    tab.open("/disclosures")
    tab.page.locator("tbody a").first.click()
    with tab.page.expect_download() as coming:
        tab.press("disclosures.take")
    with zipfile.ZipFile(coming.value.path()) as parcel:
        (name,) = [name for name in parcel.namelist() if name.endswith(".wav")]
        assert is_of(as_wav(parcel.read(name), folder), CALLER_HZ, AGENT_HZ, absent=(OTHER_CALLER_HZ, OTHER_AGENT_HZ))
    tab.page.reload()
    tab.step("handed-out")


def told(tab: Tab, case: str) -> None:
    """The letter, on screen and on paper; the outcome."""
    tab.open(case)
    tab.fill(language="fi")
    tab.press("requests.letter")
    tab.step("letter")
    assert "Kalle Kuuma" in tab.text and CALLER in tab.text
    assert tab.fetched(f"{case}/letter.pdf?language=sv").startswith(b"%PDF-")
    tab.open(case)
    tab.fill(outcome="granted")
    tab.press("requests.settle_do")
    tab.step("answered")


def test_an_administrator_makes_an_account_and_cannot_change_their_own(desk: Desk, office: Console) -> None:
    with desk.sit(office, "admin") as tab:
        tab.open("/accounts")
        tab.step("accounts")
        tab.press("accounts.new")
        tab.fill(login="uuno", name=f"Uuno {MARKUP}", language="sv")
        tab.step("new")
        tab.press("accounts.add")
        tab.fill(duty="listener")
        tab.press("accounts.grant")
        tab.step("account")
        tab.press("accounts.give_codes")
        tab.step("codes")
        tab.press("accounts.give_password")
        tab.step("not-both", status=403)
        tab.open(f"/accounts/{office.account('nobody').id}")
        tab.press("accounts.give_password")
        tab.step("password")
        tab.open(f"/accounts/{office.account('admin').id}")
        tab.step("own")
        assert tab.page.locator("main form").count() == 0
    assert office.account("uuno").duties == {Duty.LISTENER} and office.account("uuno").codes


def test_after_its_time_the_call_is_gone_and_the_held_one_is_there(desk: Desk, office: Console, system: System, own: Entry,
                                                                   foreign: Entry) -> None:
    system.stop_daemon()
    report = purge(office.config, office.register, "os:tests", clock_at(own.expires_at + timedelta(days=1))).run()
    assert report.calls == 2 and calls_of(office) == []
    with desk.sit(office, "officer") as tab:
        find(tab, CALLER)
        assert tab.page.locator("tbody tr").count() == 0
        tab.open("/holds")
        tab.page.locator("tbody a").first.click()
        tab.fill(purpose="authority-request")
        tab.press("holds.open")
        tab.step("held")
        assert OTHER in tab.text and MARKUP in tab.text and tab.page.locator("main img").count() == 0
        assert tab.play() > 0
        tab.open(f"/calls/{own.id}")
        tab.fill(purpose="service")
        tab.press("calls.open")
        tab.step("destroyed", status=404)


def test_an_auditor_sees_every_step_and_that_the_trail_is_whole(desk: Desk, office: Console) -> None:
    with desk.sit(office, "auditor") as tab:
        tab.open("/trail")
        tab.step("trail")
        tab.fill(action="call-listened")
        tab.press("trail.find")
        tab.step("listened")
        assert NAMES["listener"] in tab.text and CALLER not in tab.page.content() and "Kuuma" not in tab.page.content()
        tab.press("trail.verify")
        tab.step("verified")
        assert tab.text.startswith(tab.words("trail.verified")) and not tab.page.get_by_role("alert").count()
        tab.open("/certificates")
        tab.step("certificates")
        tab.press("certificates.verify")
        tab.step("certificates-verified")
        tab.open("/disclosures")
        tab.step("disclosures")
        tab.open("/health")
        tab.step("health")
    assert {one.action for one in office.trail()} >= EVERY_STEP


def calls_of(office: Console) -> list[Entry]:
    with office.register.reading() as work:
        return work.calls.find(CallFilter(now=datetime.now(UTC)))
