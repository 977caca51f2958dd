"""What leaves: two persons, within a week, written down before its first byte; and what was sealed opens to what was recorded."""

import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pyrage
import pytest

from ami_bridge.core.duties import Duty, Refused
from ami_bridge.core.errors import AudioError, ConfigurationError, KeyMissing, NotFound, RegisterError
from ami_bridge.core.proposals import State
from ami_bridge.core.requests import Answer, FoundCall, Identity, SubjectRequest
from ami_bridge.core.requests import Kind as Asked
from ami_bridge.services.disclosing import Kind, Listed, Parcel, Wish
from tests.crash.switch import survives
from tests.register.conftest import databases
from tests.register.test_audit import without_triggers
from tests.samples import wav
from tests.services.test_purge import EXPIRES, House, house  # noqa: F401
from tests.services.two_persons import Team

CALL = UUID(int=1 << 64)
DAY = timedelta(days=1)
IDENTITY = pyrage.x25519.Identity.generate()
POLICE = Wish(kind=Kind.AUTHORITY, call=CALL, recipient="Poliisi", country="fi", statute="PolL 4:2",
              recipient_key=str(IDENTITY.to_public()))
COPY = Wish(kind=Kind.COPY, call=CALL, country="FI", request=UUID(int=9))


@pytest.fixture
def team(house: House) -> Iterator[Team]:  # noqa: F811
    house.take(1)
    yield Team(house.register, house.vault, EXPIRES - DAY).employ()


def ask_for(team: Team, kind: Asked = Asked.ACCESS, call: UUID = CALL, answer: Answer = Answer.NONE) -> UUID:
    """A request of a caller, for which a call was found."""
    request = SubjectRequest(
        id=COPY.request, kind=kind, received_at=team.now, due_at=team.now + 30 * DAY, identity=Identity.STRONG, checked_by=UUID(int=1),
        opened_by=UUID(int=1), opened_at=team.now, name="Maija", numbers=("0401234567",))
    with team.register.writing() as work:
        work.requests.add(request)
        work.requests.found(FoundCall(request=request.id, call=call, hold=UUID(int=8), found_at=team.now, answer=answer))
    return request.id


def agreed(team: Team, wish: Wish = POLICE, by: str = "kaisa") -> Listed:
    listed = team.disclosing("outi").propose(wish)
    team.agreeing(by).approve(listed.proposal.proposal.id)
    return listed


def handed(team: Team, listed: Listed, who: str = "outi") -> bytes:
    parcel = team.disclosing(who).hand_out(listed.disclosure.id)
    return read(parcel)


def read(parcel: Parcel) -> bytes:
    with parcel.content as content:
        found = content.read()
    assert len(found) == parcel.size
    return found


def refused(team: Team, listed: Listed, why: str, who: str = "outi", of: UUID = CALL) -> None:
    """Nothing is handed out; the refusal stands in the trail, and no file in the register.

    ``of``: the call, but for somebody who may not see what leaves at all: the disclosure that they asked for.
    """
    before = len(files(team, listed))
    with pytest.raises(Refused) as refusal:
        team.disclosing(who).hand_out(listed.disclosure.id)
    last = team.trail()[-1]
    assert refusal.value.why == why == last.reason and (last.outcome, last.object) == ("refused", str(of))
    assert len(files(team, listed)) == before


def files(team: Team, listed: Listed) -> list:
    with team.register.reading() as work:
        return list(work.disclosures.handed_out([listed.disclosure.id]).get(listed.disclosure.id, ()))


def test_what_is_sealed_opens_to_what_was_recorded_with_the_age_command_and_with_pyrage(team: Team, tmp_path: Path) -> None:
    listed = agreed(team)
    sealed = handed(team, listed)
    (tmp_path / "key").write_text(f"{IDENTITY}\n")
    opened = subprocess.run(["age", "-d", "-i", str(tmp_path / "key")], input=sealed, capture_output=True, check=True).stdout
    assert opened == pyrage.decrypt(sealed, [IDENTITY])
    with zipfile.ZipFile(io.BytesIO(opened)) as archive:
        assert archive.testzip() is None and archive.namelist() == ["README.txt", "facts.json", "recording-1.wav"]
        facts = json.loads(archive.read("facts.json"))
        sound = archive.read("recording-1.wav")
        assert "PolL 4:2" in archive.read("README.txt").decode()
    assert sound == wav(tmp_path / "expected.wav").read_bytes()
    assert facts["caller"] == "0401234567" and facts["agents"][0]["name"] == "Maija Mäkinen"
    assert facts["recordings"][0]["sha256"] == hashlib.sha256(sound).hexdigest()
    assert b"0401234567" not in sealed and sound[:512] not in sealed


def test_the_register_and_the_trail_say_who_proposed_agreed_and_handed_out_what_to_whom(team: Team) -> None:
    listed = agreed(team)
    sealed = handed(team, listed)
    (line,) = team.disclosing("arto").all()
    assert replace(line, proposal=replace(line.proposal, mine=True)) == team.disclosing("outi").show(listed.disclosure.id)
    disclosure = line.disclosure
    assert (disclosure.recipient, disclosure.country, disclosure.statute) == ("Poliisi", "FI", "PolL 4:2")
    assert (line.proposal.made_by, line.proposal.approved_by, line.proposal.state) == ("Outi", "Kaisa", State.DONE)
    assert [(one.at, one.sha256) for one in line.handed_out] == [(team.now, hashlib.sha256(sealed).hexdigest())]
    proposal, outi = str(line.proposal.proposal.id), team.actor("outi")
    assert team.said()[:3] == [(outi, "proposal-made", proposal, ""), (team.actor("kaisa"), "proposal-approved", proposal, ""),
                               (outi, "call-disclosed", str(CALL), "")]
    assert [one.purpose for one in team.trail("call-disclosed")] == ["authority-request"]
    assert {one.detail.get("section") for one in team.trail("proposal-made", "proposal-approved")} == {"call-disclosed"}


def test_a_copy_for_the_caller_takes_two_persons_and_another_word_in_the_trail(team: Team, tmp_path: Path) -> None:
    ask_for(team)
    listed = team.disclosing("outi").propose(replace(COPY, recipient="Maija Mäkinen"))
    refused(team, listed, "needs-a-second-person")
    team.agreeing("seppo").approve(listed.proposal.proposal.id)
    parcel = team.disclosing("outi").hand_out(listed.disclosure.id)
    assert parcel.name == f"disclosure-{listed.disclosure.id}.zip"
    with zipfile.ZipFile(io.BytesIO(read(parcel))) as archive:
        assert archive.read("recording-1.wav") == wav(tmp_path / "expected.wav").read_bytes()
    assert (listed.disclosure.recipient, listed.disclosure.request) == ("data subject", UUID(int=9))
    assert [(one.reason, one.purpose) for one in team.trail("call-exported")] == [
        ("needs-a-second-person", "data-subject-request"), ("", "data-subject-request")]
    with team.register.reading() as work:
        assert work.disclosures.of_request(UUID(int=9)) == [listed.disclosure]


def test_a_copy_is_for_a_caller_who_asks_for_access_and_of_a_call_of_theirs(team: Team) -> None:
    with pytest.raises(ConfigurationError, match="names no request"):
        team.disclosing("outi").propose(replace(COPY, request=None))
    with pytest.raises(NotFound, match="no such request"):
        team.disclosing("outi").propose(COPY)
    assert [one.reason for one in team.trail("call-exported")] == ["wrong-request", "not-found"]
    assert team.disclosing("arto").all() == []


@pytest.mark.parametrize("asked", [{"kind": Asked.ERASURE}, {"call": UUID(int=5)}, {"answer": Answer.OTHERS}], ids=lambda one: next(iter(one)))
def test_a_copy_of_what_is_not_theirs_to_have_is_refused(team: Team, asked: dict) -> None:
    ask_for(team, **asked)
    with pytest.raises(NotFound, match="request for access"):
        team.disclosing("outi").propose(COPY)
    assert team.disclosing("arto").all() == []


def test_when_the_request_is_closed_no_copy_leaves_any_more(team: Team) -> None:
    ask_for(team)
    listed = agreed(team, COPY, by="seppo")
    handed(team, listed)
    with team.register.writing() as work:
        work.requests.change(COPY.request, answered_at=team.now, outcome="withdrawn")
        work.requests.close(COPY.request, team.now)
    with pytest.raises(NotFound, match="closed"):
        handed(team, listed)
    assert len(files(team, listed)) == 1 and team.trail()[-1].reason == "not-found"


def test_it_may_be_taken_again_within_the_week_and_each_file_is_written_down(team: Team) -> None:
    listed = agreed(team)
    first = handed(team, listed)
    team.now = EXPIRES - timedelta(hours=1)
    second = handed(team, listed)
    assert [one.sha256 for one in files(team, listed)] == [hashlib.sha256(one).hexdigest() for one in (first, second)]
    team.now = EXPIRES
    with pytest.raises(NotFound):
        team.disclosing("outi").hand_out(listed.disclosure.id)
    assert [one.reason for one in team.trail("call-disclosed")] == ["", "", "not-found"]


def test_a_held_call_leaves_after_its_time_too(team: Team, house: House, tmp_path: Path) -> None:  # noqa: F811
    house.hold(str(CALL), now=team.now)
    team.now = EXPIRES + DAY
    house.purge(EXPIRES + DAY)
    opened = pyrage.decrypt(handed(team, agreed(team)), [IDENTITY])
    with zipfile.ZipFile(io.BytesIO(opened)) as archive:
        assert archive.read("recording-1.wav") == wav(tmp_path / "expected.wav").read_bytes()


# -- one person alone, and all else that keeps it from leaving

def test_one_person_alone_gets_nothing_out(team: Team) -> None:
    listed = team.disclosing("outi").propose(POLICE)
    refused(team, listed, "needs-a-second-person")
    with pytest.raises(Refused, match="same-person"):
        team.agreeing("outi").approve(listed.proposal.proposal.id)
    refused(team, listed, "needs-a-second-person")


@pytest.mark.parametrize(("who", "why"), [("seppo", "not-the-proposer"), ("kaisa", "no-duty"), ("lauri", "no-duty"), ("arto", "no-duty")])
def test_only_who_proposed_takes_it(team: Team, who: str, why: str) -> None:
    listed = agreed(team)
    refused(team, listed, why, who, listed.disclosure.id if who == "lauri" else CALL)


def test_after_a_week_it_has_lapsed(team: Team, house: House) -> None:  # noqa: F811
    house.hold(str(CALL), now=team.now)
    listed, waiting = agreed(team), team.disclosing("outi").propose(POLICE)
    team.now += timedelta(days=7)
    handed(team, listed)
    team.now += timedelta(seconds=1)
    refused(team, listed, "proposal-too-old")
    refused(team, waiting, "proposal-too-old")


def test_who_lost_the_duty_or_the_clearance_meanwhile_takes_nothing(team: Team) -> None:
    listed, outi = agreed(team), team.account("outi").id
    with team.register.writing() as work:
        work.accounts.change(outi, clearance_until=team.now)
    refused(team, listed, "clearance-lapsed")
    with team.register.writing() as work:
        work.accounts.change(outi, clearance_until=None)
    refused(team, listed, "not-cleared")
    with team.register.writing() as work:
        work.accounts.change(outi, clearance_until=team.now + DAY)
        work.accounts.revoke(outi, Duty.DATA_PROTECTION_OFFICER)
    refused(team, listed, "no-duty", of=listed.disclosure.id)


def test_who_approved_must_still_be_there_for_it(team: Team) -> None:
    listed = agreed(team)
    with team.register.writing() as work:
        work.accounts.change(team.account("kaisa").id, disabled_at=team.now)
    refused(team, listed, "no-duty")


def test_what_was_declined_or_taken_back_does_not_leave(team: Team) -> None:
    for who in ("outi", "kaisa"):
        listed = agreed(team)
        team.agreeing(who).decline(listed.proposal.proposal.id)
        refused(team, listed, "decided-already")


@pytest.mark.parametrize("change", ["recipient = 'another'", "country = 'SE'", "recipient_key = 'age1other'", "statute = 'x'"])
def test_what_was_altered_after_the_approval_does_not_leave(team: Team, url: str, change: str) -> None:
    listed = agreed(team)
    without_triggers(url, f"UPDATE disclosures SET {change}")
    refused(team, listed, "another-proposal")


@pytest.mark.parametrize("change", [
    {"country": "US"}, {"country": "GB"}, {"country": "CH"}, {"country": ""}, {"country": "F"}, {"recipient": " "}, {"statute": ""},
    {"recipient_key": ""}, {"recipient_key": "age1qqq"}, {"recipient_key": str(IDENTITY)}, {"recipient": "x" * 201}, {"kind": Kind.COPY, "country": "US"}],
    ids="-".join)
def test_what_says_too_little_or_would_leave_the_eea_is_refused_and_recorded(team: Team, change: dict) -> None:
    with pytest.raises(ConfigurationError, match="N7" if "country" in change else None):
        team.disclosing("outi").propose(replace(POLICE, **change))
    assert team.trail()[-1].reason == "wrong-request" and team.disclosing("arto").all() == []


@pytest.mark.parametrize("who", ["kaisa", "lauri", "arto", "aino", "niilo"])
def test_only_who_answers_for_callers_proposes_that_something_leaves(team: Team, who: str) -> None:
    for wish in (POLICE, COPY):
        with pytest.raises(Refused, match="no-duty"):
            team.disclosing(who).propose(wish)
    assert [one.outcome for one in team.trail()] == ["refused", "refused"]


@pytest.mark.parametrize("who", ["lauri", "aino", "niilo"])
def test_the_register_of_disclosures_is_not_for_all(team: Team, who: str) -> None:
    listed = agreed(team)
    for what in (team.disclosing(who).all, lambda: team.disclosing(who).show(listed.disclosure.id)):
        with pytest.raises(Refused, match="no-duty"):
            what()


def test_a_call_that_is_gone_or_has_no_sound_cannot_leave(team: Team) -> None:
    with pytest.raises(NotFound):
        team.disclosing("outi").propose(replace(POLICE, call=UUID(int=5)))
    with pytest.raises(NotFound):
        team.disclosing("outi").hand_out(UUID(int=5))
    listed = agreed(team)
    team.vault.destroy(list(team.vault.files("2026-12-24")))
    with pytest.raises(AudioError, match="gone from the vault"):
        team.disclosing("outi").hand_out(listed.disclosure.id)
    assert [one.reason for one in team.trail() if one.outcome == "refused"] == ["not-found", "not-found", "failed"]
    assert files(team, listed) == []


def test_without_private_keys_nothing_leaves_here(team: Team) -> None:
    listed = agreed(team)
    team.vault.keys.private = None
    with pytest.raises(KeyMissing):
        team.disclosing("outi").hand_out(listed.disclosure.id)
    assert files(team, listed) == []


# -- before its first byte

def test_that_it_leaves_is_written_down_before_anything_can_be_read_of_it(team: Team) -> None:
    """Whoever is killed after this has an entry that says handed out, at the worst for a file that nobody got."""
    parcel = team.disclosing("outi").hand_out((listed := agreed(team)).disclosure.id)
    assert len(files(team, listed)) == 1 and team.trail()[-1].action == "call-disclosed" and parcel.content.tell() == 0
    parcel.content.close()


def test_where_it_cannot_be_recorded_nothing_leaves(team: Team, url: str) -> None:
    listed = agreed(team)
    without_triggers(url, "ALTER TABLE audit_entries RENAME TO gone")
    with pytest.raises(RegisterError):
        team.disclosing("outi").hand_out(listed.disclosure.id)
    assert files(team, listed) == []


def test_nothing_plain_and_no_file_is_left_on_the_disk(team: Team, house: House, tmp_path: Path) -> None:  # noqa: F811
    before = sorted(path.name for path in tmp_path.rglob("*"))
    handed(team, agreed(team))
    sound = wav(tmp_path / "expected.wav").read_bytes()[44:556]
    (tmp_path / "expected.wav").unlink()
    assert {path.name for path in tmp_path.rglob("*")} - set(before) <= {"register.db-wal", "register.db-shm"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and sound in path.read_bytes()]


@pytest.mark.crash
def test_killed_at_any_step_nothing_left_that_is_not_written_down(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with databases(request, "sqlite", tmp_path) as url:
        root = tmp_path / "house"
        first = House(root, url)
        first.take(1)
        listed = agreed(Team(first.register, first.vault, EXPIRES - DAY).employ())
        first.register.close()
        survived, step = False, 0
        while not survived:
            step += 1
            got = root / f"got-{step}"

            def prepare(got: Path = got, step: int = step):
                house = House(root, url, furnished=True)
                team = Team(house.register, house.vault, EXPIRES - DAY + timedelta(seconds=step))
                return house.register._engine, lambda: got.write_bytes(handed(team, listed))

            survived = survives(step, root, prepare)
            again = House(root, url, furnished=True)
            known = {one.sha256 for one in files(Team(again.register, again.vault, EXPIRES), listed)}
            assert not got.exists() or hashlib.sha256(got.read_bytes()).hexdigest() in known
            again.register.close()
        assert step > 10 and got.stat().st_size
