"""Reconciliation: every pair of sources is compared, with real files and a real register; each finding comes once."""

import base64
import errno
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.events import BridgeEntered, ChannelsPresent, Event, HungUp
from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause
from ami_bridge.core.ids import RANDOM_BYTES, uuid7
from ami_bridge.core.notice import Policy, Prompt, Reason, Route
from ami_bridge.core.tickets import Ticket
from ami_bridge.register import RegisterUnavailable
from ami_bridge.services import diary
from ami_bridge.services.adopt import ids_of
from ami_bridge.services.diary import Diary
from ami_bridge.services.reconcile import IN_PROGRESS, ON_ITS_WAY, Places, Reconcile
from ami_bridge.services.report import Report
from tests.samples import START, TICKET, wav
from tests.services.test_intake import NOW, Place

CALL, RECORDING = TICKET.call, TICKET.recording
assert RECORDING is not None
BEGAN = NOW - timedelta(minutes=1)
ALONE = f"fb-{int(BEGAN.timestamp())}-123456789123456789"
POLICY = Policy(exchange="pbx", days=31, floor=0, routes=(Route(name="inbound", days=31),),
                prompts=(Prompt(name="recorded", language="fi", version=1, sha256="a" * 64, samples=9600, file="x"),))


class House(Place):
    """A place with a diary, a folder of somebody else's recordings, and the comparison."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.csv, self.monitor = root / "cel.csv", root / "monitor"
        self.monitor.mkdir(exist_ok=True)
        self.taken: list[Event] = []
        self.told = self.asked = 0
        self.refuse: OSError | None = None
        self.start()

    def start(self) -> None:
        """What a new daemon begins with."""
        self.report = Report(self.register, "pbx", lambda: self.now, lambda at: uuid7(at, os.urandom(RANDOM_BYTES)), self._tell)
        places = Places(spool=self.spool, vault=self.vault, register=self.register, policy=POLICY, monitor=(self.monitor,),
                        installed=START - timedelta(days=1))
        self.reconcile = Reconcile(places, Diary(self.csv, self.spool.diary), self.report, self._take, lambda: self.now, self._ask)

    def _take(self, events: Iterable[Event]) -> None:
        found = list(events)
        if self.refuse:
            raise self.refuse
        self.taken += found

    def _ask(self) -> None:
        self.asked += 1

    def _tell(self) -> None:
        self.told += 1

    def sound(self) -> None:
        """As long as the sample's conversation, and closed some seconds ago."""
        os.utime(wav(self.spool.audio(RECORDING), 8000 * 55), ((self.now - timedelta(seconds=10)).timestamp(),) * 2)

    def write(self, ids: str, step: str = "recording", prompt: str = "recorded/fi", uniqueid: str = "u-1",
              queue: tuple[str, ...] = ("support",)) -> None:
        """A line as the dialplan writes it; `queue` is empty where an older one wrote it."""
        texts = ("0401234567", "1000", "PJSIP/t-1", "", "", *queue)
        who = " ".join(base64.b64encode(f"-{text}".encode()).decode() for text in texts)
        marker = f"{step} {int(BEGAN.timestamp())} inbound inbound {prompt} {uniqueid} {uniqueid} allowed {who}"
        extra = json.dumps({"extra": f"{ids} {marker}"}).replace('"', '""')
        with self.csv.open("a") as file:
            file.write(f'"AMI_BRIDGE","{BEGAN.timestamp()}","u-1","PJSIP/t-1","0401234567","","AMI_BRIDGE","{extra}"\n')

    def found(self) -> list[tuple[Kind, Outcome, UUID | None]]:
        self.report.save()
        return [(one.kind, one.outcome, one.call) for one in self.findings()]

    def findings(self) -> list[Finding]:
        with self.register.reading() as work:
            return work.findings.since(START - timedelta(days=2))

    def tickets(self) -> list[Ticket]:
        return [self.spool.ticket(call) for call in self.spool.open_calls()]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.register.close()


def listen_and_look_twice(house: House) -> None:
    for _ in range(2):
        house.reconcile.listen()
        house.reconcile.look()
        house.report.save()


def test_all_in_order_has_no_findings(house: House) -> None:
    house.put()
    house.sound()
    house.write(f"{CALL}/{RECORDING}")
    listen_and_look_twice(house)
    house.intake.take(CALL)
    house.start()
    listen_and_look_twice(house)
    assert house.found() == [] and house.told == 0


def test_a_call_in_the_diary_without_ticket_is_adopted_once_with_its_notice(house: House) -> None:
    house.sound()
    house.write(f"{CALL}/{RECORDING}")
    listen_and_look_twice(house)
    (ticket,) = house.tickets()
    assert (ticket.call, ticket.recording, ticket.caller, ticket.callee, ticket.days) == (CALL, RECORDING, "0401234567", "1000", 31)
    assert ticket.reason is Reason.ANNOUNCED and ticket.notice and ticket.notice.witness == "dialplan" and ticket.opened_at == BEGAN
    house.start()
    listen_and_look_twice(house)
    assert house.found() == [(Kind.CALL_WITHOUT_TICKET, Outcome.ADOPTED, CALL)] and house.told == 1
    assert house.intake.take(CALL).value == "registered" and house.entries()[0].recordings[0].audio


@pytest.mark.parametrize(("queue", "kept"), [(("asiakaspalvelu ä",), "asiakaspalvelu ä"), (("",), ""), ((), "")])
@pytest.mark.parametrize("ids", [f"{CALL}/{RECORDING}", f"/{ALONE}"])
def test_an_adopted_call_has_the_queue_that_the_dialplan_noted_and_an_older_one_noted_none(
        house: House, ids: str, queue: tuple[str, ...], kept: str) -> None:
    house.write(ids, queue=queue)
    house.now = BEGAN + IN_PROGRESS["recording"]
    house.reconcile.listen()
    assert [ticket.queue for ticket in house.tickets()] == [kept]


def test_a_call_of_the_dialplan_alone_whose_marker_is_lost_is_adopted_when_it_cannot_be_at_work_any_more(house: House) -> None:
    wav(house.spool.live / f"{ALONE}.wav", closed=False)
    house.write(f"/{ALONE}", "notice")
    house.write(f"/{ALONE}")
    house.now = BEGAN + IN_PROGRESS["recording"] - timedelta(seconds=1)
    house.reconcile.listen()
    assert house.tickets() == []
    house.now += timedelta(seconds=1)
    house.reconcile.listen()
    (ticket,) = house.tickets()
    assert (ticket.call, ticket.recording) == ids_of(ALONE) and ticket.recording and ticket.notice
    assert house.leftovers() == sorted([f"{ticket.call}.json", f"{ticket.call}.facts", f"{ticket.recording}.wav"])
    assert house.found() == [(Kind.CALL_WITHOUT_TICKET, Outcome.ADOPTED, ticket.call)]


def test_a_caller_who_left_in_the_notice_is_accounted_for_though_the_marker_is_lost(house: House) -> None:
    house.write(f"/{ALONE}", "notice")
    house.now = BEGAN + IN_PROGRESS["notice"]
    house.reconcile.listen()
    (ticket,) = house.tickets()
    assert (ticket.recording, ticket.reason) == (None, Reason.HUNG_UP_IN_NOTICE)


@pytest.mark.parametrize(("step", "reason"), [("no-room", Reason.NO_ROOM), ("unrecorded", Reason.SCRIPTS_SILENT)])
def test_what_the_dialplan_noted_of_a_call_that_it_did_not_record_is_accounted_for_at_once(
        house: House, step: str, reason: Reason) -> None:
    (house.spool.live / f"{ALONE}.damaged").touch()
    house.now = BEGAN
    house.write(f"/{ALONE}", step)
    house.reconcile.listen()
    assert [(ticket.recording, ticket.reason) for ticket in house.tickets()] == [(None, reason)]
    assert list(house.spool.sounds()) == []


def test_a_caller_who_left_before_a_verdict_is_accounted_for_once_whether_a_ticket_could_be_written_or_not(house: House) -> None:
    house.now = BEGAN + IN_PROGRESS["left"] / 2
    house.write(f"/{ALONE}", "left")
    house.reconcile.listen()
    assert house.tickets() == []
    house.put(replace(TICKET, recording=None, reason=Reason.HUNG_UP_IN_NOTICE, notice=None, uniqueid="u-1", opened_at=BEGAN), [])
    house.now = BEGAN + IN_PROGRESS["left"]
    house.intake.take(CALL)
    house.reconcile.listen()
    assert house.tickets() == [] and len(house.entries()) == 1
    other = ALONE.replace("123", "321")
    house.write(f"/{other}", "left", uniqueid="u-2")
    house.reconcile.listen()
    assert [(ticket.uniqueid, ticket.reason) for ticket in house.tickets()] == [("u-2", Reason.HUNG_UP_IN_NOTICE)]
    assert house.found() == []


def test_a_caller_for_whom_a_script_was_asked_when_the_power_failed_is_accounted_for_once_they_are_surely_gone(house: House) -> None:
    house.write(f"/{ALONE}", "asked")
    house.now = BEGAN + IN_PROGRESS["asked"]
    house.reconcile.listen()
    assert house.tickets() == [] and house.asked == 1
    house.reconcile.list(ChannelsPresent(frozenset({"u-1"}), house.now.timestamp()))
    house.reconcile.listen()
    assert house.tickets() == [] and house.asked == 1
    house.now += timedelta(minutes=2)
    house.reconcile.listen()
    house.reconcile.list(ChannelsPresent(frozenset({"u-2"}), house.now.timestamp()))
    house.reconcile.listen()
    assert [(ticket.uniqueid, ticket.reason) for ticket in house.tickets()] == [("u-1", Reason.HUNG_UP_IN_NOTICE)]
    assert house.asked == 2 and house.found() == []


def test_a_caller_for_whom_a_script_was_asked_and_wrote_a_ticket_has_no_second(house: House) -> None:
    house.write(f"/{ALONE}", "asked", uniqueid=TICKET.uniqueid)
    house.put()
    house.reconcile.listen()
    house.intake.take(CALL)
    house.now = BEGAN + timedelta(hours=1)
    house.reconcile.list(ChannelsPresent(frozenset(), house.now.timestamp()))
    house.reconcile.listen()
    assert house.asked == 0 and [ticket.call for ticket in house.tickets() if ticket.call != CALL] == []


def test_in_a_gap_a_full_spool_loses_neither_a_promise_nor_what_happened(house: House) -> None:
    """Found by the soak: twelve calls of which only torn markers and the diary knew."""
    house.report.begin(Cause.LINK_LOST, BEGAN)
    house.write(f"/{ALONE}", "no-room")
    with house.csv.open("a") as file:
        file.write(f'"HANGUP","{BEGAN.timestamp()}","u-9","PJSIP/t-9","","","","{{}}"\n')
    house.refuse = OSError(errno.ENOSPC, "No space left on device")
    house.reconcile.listen()
    assert [(ticket.uniqueid, ticket.reason) for ticket in house.tickets()] == [("u-1", Reason.NO_ROOM)] and house.taken == []
    house.refuse = None
    house.reconcile.listen()
    assert HungUp("u-9", BEGAN.timestamp()) in house.taken and len(house.tickets()) == 1


def test_a_promise_that_cannot_be_judged_yet_is_read_again_by_the_next_daemon(
        house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diary, "BEFORE_THE_LAST", 10)
    house.write(f"{CALL}/{RECORDING}")
    house.put()
    house.reconcile.listen()
    house.write(f"/{ALONE}", "left", uniqueid="u-2")
    house.reconcile.listen()
    for number in range(3):
        house.write(f"{CALL}/{RECORDING}")
        house.now += timedelta(seconds=2 + number)
        house.reconcile.listen()
    house.start()
    house.now = BEGAN + IN_PROGRESS["left"]
    house.reconcile.listen()
    assert [ticket.uniqueid for ticket in house.tickets() if ticket.call != CALL] == ["u-2"]


def test_a_marker_that_is_there_is_left_to_the_adoption(house: House) -> None:
    (house.spool.live / f"{ALONE}.txt").write_text("any")
    house.write(f"/{ALONE}")
    house.now = BEGAN + IN_PROGRESS["notice"]
    house.reconcile.listen()
    assert house.tickets() == [] and house.found() == []
    (house.spool.live / f"{ALONE}.txt").rename(house.spool.live / f"{ALONE}.damaged")
    house.reconcile.listen()
    assert len(house.tickets()) == 1 and house.leftovers()[0].endswith(".facts") and len(house.leftovers()) == 2


def test_old_pages_of_the_diary_promise_nothing_any_more(house: House) -> None:
    house.write(f"{CALL}/{RECORDING}")
    house.now = BEGAN + timedelta(days=2)
    house.reconcile.listen()
    assert house.tickets() == []


def test_while_the_register_is_away_promises_wait_and_none_is_forgotten(house: House, tmp_path: Path) -> None:
    house.write(f"{CALL}/{RECORDING}")
    file = tmp_path / "register.db"
    house.register.close()
    good = file.read_bytes()
    file.write_bytes(b"no database" * 1000)
    house.reconcile.listen()
    with pytest.raises(RegisterUnavailable):
        house.reconcile.look()
    assert house.tickets() == []
    house.register.close()
    file.write_bytes(good)
    house.reconcile.listen()
    assert [ticket.call for ticket in house.tickets()] == [CALL]


def test_a_line_that_makes_no_sense_is_said_and_holds_nothing_up(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.write(f"{UUID(int=7)}/{UUID(int=8)}", step="nonsense")
    house.write("/fb-x-1")
    house.write(f"{CALL}/{RECORDING}")
    house.now = BEGAN + IN_PROGRESS["notice"]
    house.reconcile.listen()
    assert [ticket.call for ticket in house.tickets()] == [CALL]
    assert [record.levelname for record in caplog.records if "diary" in record.message] == ["ERROR", "ERROR"]


def test_a_diary_that_cannot_be_read_is_said_once_until_it_can_be_again(
        house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = PermissionError(13, "Permission denied")
    readings = iter([denied, denied, [], denied])

    def read(now: float) -> list:
        outcome = next(readings)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    monkeypatch.setattr(house.reconcile._diary, "read", read)
    said = []
    for _ in range(4):
        house.reconcile.listen()
        said.append(sum("diary cannot be read" in record.message for record in caplog.records))
    assert said == [1, 1, 1, 2]


def test_in_a_gap_the_diary_is_heard_instead_of_the_exchange_from_where_the_gap_began(house: House) -> None:
    row = '"BRIDGE_ENTER","{at}","u-1","PJSIP/t-1","040","","","{{""bridge_id"":""b""}}"\n'
    house.csv.write_text(row.format(at=1))
    house.reconcile.listen()
    assert house.taken == []
    house.report.begin(Cause.LINK_LOST, house.now)
    house.reconcile.rewind(house.now)
    with house.csv.open("a") as file:
        file.write(row.format(at=2))
    house.reconcile.listen()
    assert [event.at for event in house.taken if isinstance(event, BridgeEntered)] == [1, 2]


def test_sound_without_a_ticket_is_adopted_where_the_diary_knows_it(house: House) -> None:
    house.sound()
    house.write(f"{CALL}/{RECORDING}")
    house.reconcile.look()
    house.reconcile.look()
    assert [ticket.recording for ticket in house.tickets()] == [RECORDING]
    assert house.found() == [(Kind.FILE_WITHOUT_TICKET, Outcome.ADOPTED, CALL)]


@pytest.mark.parametrize("name", [f"{RECORDING}.wav", f"{ALONE}.wav"])
def test_sound_that_nobody_knows_is_reported_once_and_kept(house: House, name: str) -> None:
    wav(house.spool.live / name)
    listen_and_look_twice(house)
    house.start()
    listen_and_look_twice(house)
    assert house.found() == [(Kind.FILE_WITHOUT_TICKET, Outcome.REPORTED, None)]
    assert house.leftovers() == [name]


def test_a_damaged_ticket_is_a_finding(house: House) -> None:
    house.put()
    (house.spool.tickets / f"{CALL}.json").write_text("{")
    house.intake.take(CALL)
    listen_and_look_twice(house)
    assert house.found() == [(Kind.TICKET_DAMAGED, Outcome.REPORTED, CALL)]


def test_recordings_past_us_are_reported_without_their_names(house: House) -> None:
    (house.monitor / "2026").mkdir()
    wav(house.monitor / "2026" / "out-0401234567-6001.wav")
    old = wav(house.monitor / "old.wav")
    os.utime(old, ((START - timedelta(days=2)).timestamp(),) * 2)
    wav(house.spool.live / "0409999999.wav")
    listen_and_look_twice(house)
    assert house.found() == [(Kind.ROGUE_RECORDING, Outcome.REPORTED, None)] * 2
    assert not any("040" in one.subject for one in house.findings() if len(one.subject) != 64)


def test_a_registered_recording_that_is_not_in_the_vault_is_reported(house: House) -> None:
    house.put()
    house.sound()
    house.intake.take(CALL)
    (recording,) = house.entries()[0].recordings
    assert recording.audio
    house.vault.path(recording.audio.file).unlink()
    listen_and_look_twice(house)
    assert house.found() == [(Kind.ENTRY_WITHOUT_FILE, Outcome.REPORTED, CALL)]


def test_a_file_in_the_vault_that_no_entry_names_is_reported_when_it_cannot_be_on_its_way(house: House) -> None:
    house.put()
    house.sound()
    house.intake.take(CALL)
    (recording,) = house.entries()[0].recordings
    assert recording.audio
    stray = house.vault.path(recording.audio.file).with_name(f"{UUID(int=77)}.wav.age")
    stray.write_bytes(b"x")
    os.utime(stray, (house.now.timestamp(),) * 2)
    listen_and_look_twice(house)
    assert house.found() == []
    house.now += ON_ITS_WAY + timedelta(seconds=1)
    listen_and_look_twice(house)
    assert house.found() == [(Kind.FILE_WITHOUT_ENTRY, Outcome.REPORTED, None)]


def test_no_sound_of_a_call_with_a_ticket_is_touched(house: House) -> None:
    house.put(replace(TICKET, recording=RECORDING))
    wav(house.spool.audio(RECORDING), closed=False)
    listen_and_look_twice(house)
    assert house.found() == [] and house.spool.audio(RECORDING).exists()
