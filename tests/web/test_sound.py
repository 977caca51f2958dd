"""Listening: what a player gets, what the trail says of it, and who gets nothing."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from ami_bridge.app import people, vault_of
from ami_bridge.core.duties import Duty
from ami_bridge.core.entries import Entry
from tests.cli.machine import Machine
from tests.web.console import Console
from tests.web.recordings import hold, record, tone
from tests.web.things import Things

MINUTE = 1 << 20
LONG = tone(150)
"""Two and a half minutes: three answers."""


def audio(entry: Entry, number: int = 0) -> str:
    return f"/calls/{entry.id}/recordings/{entry.recordings[number].id}/audio"


@contextmanager
def listening(office: Console, login: str, *opened: UUID) -> Iterator[httpx.Client]:
    """A browser whose session has a purpose for some calls."""
    with office.browser(login) as client:
        purposes = office.config.purposes.names
        client.session.purposes.update(dict.fromkeys(opened, purposes[0]))
        yield client


def heard(office: Console) -> list[tuple[str, dict]]:
    return [(one.outcome, dict(one.detail)) for one in office.trail("call-listened")]


@pytest.fixture
def call(office: Console) -> Entry:
    return record(office, LONG)


RANGES = [
    ("bytes=0-", 0, MINUTE - 1), ("bytes=0-1", 0, 1), ("bytes=44-44", 44, 44), ("bytes= 100-200", 100, 200), ("BYTES=0-9", 0, 9),
    (f"bytes={MINUTE}-", MINUTE, 2 * MINUTE - 1), ("bytes=65535-65537", 65535, 65537), ("bytes=-10", len(LONG) - 10, len(LONG) - 1),
    (f"bytes={len(LONG) - 5}-", len(LONG) - 5, len(LONG) - 1), (f"bytes=0-{len(LONG) * 3}", 0, MINUTE - 1),
    (f"bytes=-{len(LONG) * 3}", 0, MINUTE - 1), (f"bytes={len(LONG) - 1}-{'9' * 15}", len(LONG) - 1, len(LONG) - 1)]


def test_one_range_is_answered_with_at_most_a_minute_of_sound(office: Console, call: Entry) -> None:
    with listening(office, "listener", call.id) as client:
        for asked, first, last in RANGES:
            answer = client.get(audio(call), headers={"Range": asked})
            assert answer.status_code == 206 and answer.content == LONG[first:last + 1], asked
            assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(LONG)}", asked
            assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("audio/wav", "no-store")
            assert answer.headers["accept-ranges"] == "bytes"


def test_bytes_that_are_not_there_are_not_answered(office: Console, call: Entry) -> None:
    with listening(office, "listener", call.id) as client:
        for asked in (f"bytes={len(LONG)}-", f"bytes={'9' * 15}-", "bytes=-0"):
            answer = client.get(audio(call), headers={"Range": asked})
            assert (answer.status_code, answer.headers["content-range"], answer.content) == (416, f"bytes */{len(LONG)}", b"")
    assert [outcome for outcome, _ in heard(office)] == ["refused"] * 3


def test_any_other_request_gets_all_of_it_and_each_minute_is_recorded(office: Console, call: Entry) -> None:
    others = [{"Range": f"bytes={asked}"} for asked in ("0-1,5-6", "5-1", "x-", "-", f"{'9' * 16}-")]
    others += [{}, {"Range": "lines=0-1"}, {"Range": "bytes=0-1", "If-Range": '"x"'}]
    with listening(office, "listener", call.id) as client:
        for headers in others:
            answer = client.get(audio(call), headers=headers)
            assert answer.status_code == 200 and answer.content == LONG and "content-range" not in answer.headers, headers
    minutes = [{"from": 0, "to": 66}, {"from": 65, "to": 132}, {"from": 131, "to": 150}]
    assert [detail for _, detail in heard(office)] == minutes * len(others)


def test_a_head_tells_the_length_and_nothing_was_heard(office: Console, call: Entry) -> None:
    with listening(office, "listener", call.id) as client:
        answer = client.head(audio(call))
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(len(LONG)), b"")
    assert heard(office) == [] and [one.object for one in office.trail("call-viewed")] == [str(call.id)]


def test_the_trail_says_who_heard_which_seconds_of_which_call_and_for_what(office: Console, call: Entry) -> None:
    with listening(office, "listener", call.id) as client:
        client.get(audio(call), headers={"Range": f"bytes={44 + 16_000 * 10}-{44 + 16_000 * 20 - 1}"})
    (entry,) = office.trail("call-listened")
    assert (entry.actor, entry.object, entry.outcome) == (f"account:{office.account('listener').id}", str(call.id), "allowed")
    assert (entry.purpose, dict(entry.detail)) == (office.config.purposes.names[0], {"from": 10, "to": 20})


def test_seconds_of_a_recording_of_two_channels_are_counted_right(office: Console) -> None:
    call = record(office, tone(2), tone(40, channels=2))
    with listening(office, "officer", call.id) as client:
        answer = client.get(audio(call, 1), headers={"Range": f"bytes={44 + 32_000 * 5}-"})
    assert answer.content == tone(40, channels=2)[44 + 32_000 * 5:][:MINUTE]
    assert heard(office) == [("allowed", {"from": 5, "to": 38})]


def test_who_is_not_there_to_listen_hears_nothing_and_that_is_recorded(office: Console, call: Entry) -> None:
    strangers = ("keeper", "admin", "auditor", "nobody")
    for login in strangers:
        with listening(office, login, call.id) as client:
            for path in (audio(call), audio(call).replace(str(call.id), str(uuid4()))):
                answer = client.get(path, headers={"Range": "bytes=0-"})
                assert answer.status_code == 403 and b"RIFF" not in answer.content
    said = [(one.actor, one.outcome, one.reason) for one in office.trail("call-listened")]
    assert said == [(f"account:{office.account(login).id}", "refused", "no-duty") for login in strangers for _ in range(2)]


def test_without_a_purpose_for_this_call_nothing_is_heard(office: Console, call: Entry) -> None:
    other = record(office)
    with listening(office, "listener", other.id) as client:
        assert client.get(audio(call)).status_code == 403
        client.session.purposes[call.id] = "curiosity"
        assert client.get(audio(call)).status_code == 403
        assert client.get(audio(other)).status_code == 200
    assert [(one.outcome, one.reason) for one in office.trail("call-listened")][:2] == [("refused", "no-purpose")] * 2


def test_who_has_no_clearance_or_one_that_lapsed_hears_nothing(office: Console, call: Entry) -> None:
    with listening(office, "listener", call.id) as client:
        for until, why in ((None, "not-cleared"), (call.started_at, "clearance-lapsed")):
            with office.register.writing() as work:
                work.accounts.change(office.account("listener").id, clearance_until=until)
            assert client.get(audio(call)).status_code == 403
            assert office.trail("call-listened")[-1].reason == why


def test_calls_of_others_expired_destroyed_and_unknown_ones_are_not_there_all_alike(office: Console) -> None:
    gone = record(office)
    with office.register.writing() as work:
        work.days.forget(gone.expiry_day, gone.expires_at, 2, whole=False)
    foreign = record(office, team="sales", queue="q-sales")
    expired = record(office, ended_at=gone.ended_at - timedelta(days=40), expires_at=gone.ended_at)
    with listening(office, "listener", foreign.id, expired.id, gone.id) as client:
        client.session.purposes[UUID(int=1)] = office.config.purposes.names[0]
        paths = (audio(foreign), audio(expired), audio(gone), f"/calls/{UUID(int=1)}/recordings/{UUID(int=2)}/audio")
        answers = [client.get(path) for path in paths]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert [one.reason for one in office.trail("call-listened")] == ["out-of-scope", "not-found", "not-found", "not-found"]


def test_a_recording_of_another_call_is_not_heard_by_the_way_of_ones_own(office: Console, call: Entry) -> None:
    foreign = record(office, team="sales", queue="q-sales")
    with listening(office, "listener", call.id) as client:
        answer = client.get(f"/calls/{call.id}/recordings/{foreign.recordings[0].id}/audio")
    assert answer.status_code == 404 and office.trail("call-listened")[-1].reason == "not-found"


HOURS = tone(20 * 60)
"""More than what lies between console and player holds by itself: 19 MiB."""

OUT: dict[str, Callable[[Console], object]] = {
    "their account is shut": lambda office: people(office.config, office.register, "os:tests").disable("officer"),
    "their duty is gone": lambda office: people(office.config, office.register, "os:tests").revoke(
        "officer", Duty.DATA_PROTECTION_OFFICER),
    "their clearance is gone": lambda office: people(office.config, office.register, "os:tests").set_clearance("officer", None)}


def let_in_and_shut_out(client: httpx.Client, path: str, shut: Callable[[], object]) -> int:
    """Begin to hear all of a recording, be shut out, take what comes; return how many bytes came."""
    came = 0
    with suppress(httpx.RemoteProtocolError), client.stream("GET", path) as answer:
        pieces = answer.iter_raw(1 << 16)
        came += len(next(pieces))
        shut()
        for piece in pieces:
            came += len(piece)
    return came


def allowed(office: Console) -> int:
    return len([outcome for outcome, _ in heard(office) if outcome == "allowed"])


@pytest.mark.parametrize("why", OUT)
def test_who_is_shut_out_while_they_listen_hears_no_further(office: Console, why: str) -> None:
    call, then = record(office, HOURS), []
    with listening(office, "officer", call.id) as client:
        came = let_in_and_shut_out(client, audio(call), lambda: (OUT[why](office), then.append(allowed(office))))
    assert came < len(HOURS) and allowed(office) <= then[0] + 1, "the piece that was being fetched at that moment"


def test_who_signs_out_while_they_listen_hears_no_further(office: Console) -> None:
    call = record(office, HOURS)
    with listening(office, "listener", call.id) as client:
        came = let_in_and_shut_out(client, audio(call), lambda: office.house.sessions.end(client.session))
    assert came < len(HOURS)


def test_a_program_whose_account_is_shut_while_it_listens_hears_no_further(office: Console) -> None:
    call = record(office, HOURS)
    path = f"/api/v1{audio(call)}?purpose={office.config.purposes.names[0]}"
    with office.program("officer") as client:
        came = let_in_and_shut_out(client, path, lambda: OUT["their account is shut"](office))
    assert came < len(HOURS)


def test_an_officer_who_is_shut_out_of_a_supervised_session_hears_no_further(office: Console) -> None:
    things = Things(office)
    things["new_number"] = "+358501234567"
    things["frozen"] = str(record(office, HOURS, caller="+358501234567").id)
    path = "/requests/{request}/sessions/{session}/holds/{frozen_by}/recordings/{frozen_sound}/audio".format_map(things)
    with office.browser("officer") as client:
        came = let_in_and_shut_out(client, path, lambda: OUT["their duty is gone"](office))
    assert came < len(HOURS) and office.trail("listening-supervised")[-1].reason == "no-duty"


def test_listening_to_a_long_recording_does_not_keep_a_session_from_ending(office: Console) -> None:
    call, clock = record(office, HOURS), [office.house.now()]
    office.house.sessions._now = lambda: clock[0]
    with listening(office, "listener", call.id) as client:
        came = let_in_and_shut_out(client, audio(call), lambda: clock.append(clock.pop() + timedelta(minutes=16)))
    assert came < len(HOURS)


def test_a_call_that_expires_while_it_is_played_ends_there(office: Console, call: Entry) -> None:
    now = office.house.now
    with listening(office, "officer", call.id) as client:
        assert client.get(audio(call), headers={"Range": "bytes=0-"}).status_code == 206
        try:
            office.house.now = lambda: call.expires_at
            office.house.sessions._now = now
            assert client.get(audio(call), headers={"Range": f"bytes={MINUTE}-"}).status_code == 404
        finally:
            office.house.now = now


def test_a_held_copy_is_heard_by_the_holds_key_after_the_call_has_gone(office: Console, call: Entry) -> None:
    held = hold(office, call.id)
    vault_of(office.config).keys.destroy(str(call.expiry_day))
    path = f"/holds/{held}/recordings/{call.recordings[0].id}/audio"
    with listening(office, "officer", held, call.id) as client:
        assert client.get(path, headers={"Range": "bytes=0-9"}).content == LONG[:10]
        assert client.get(audio(call)).status_code == 503
    assert [(one.object, one.outcome) for one in office.trail("call-listened")] == [(str(call.id), "allowed"), (str(call.id), "refused")]
    with listening(office, "listener", held) as client:
        assert client.get(path).status_code == 403
    with listening(office, "keeper", held) as client:
        assert client.get(path).status_code == 403
    with office.register.writing() as work:
        work.holds.release(held, office.house.now(), "officer")
    with listening(office, "officer", held) as client:
        assert client.get(path).status_code == 404


def test_a_file_that_is_not_the_registered_one_is_not_played(office: Console, call: Entry, caplog: pytest.LogCaptureFixture) -> None:
    other, vault = record(office), vault_of(office.config)
    os.replace(vault.path(other.recordings[0].audio.file), vault.path(call.recordings[0].audio.file))
    with listening(office, "officer", call.id) as client:
        answer = client.get(audio(call))
    assert answer.status_code == 500 and b"RIFF" not in answer.content and office.trail("call-listened")[-1].outcome == "refused"
    assert "The recording is damaged or missing" in answer.text
    assert [record.action for record in caplog.records if record.levelno == logging.ERROR] == ["recording_damaged"]


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("register.db")}


def open_files() -> set[str]:
    found = set()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(one.readlink()))
    return found


def test_nothing_plain_is_on_any_disk_while_and_after_somebody_listens(
        office: Console, call: Entry, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = machine.folder / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before, opened = files(machine.folder), open_files()
    with listening(office, "officer", call.id) as client, client.stream("GET", audio(call)) as answer:
        pieces = answer.iter_bytes(4096)
        assert next(pieces)[:4] == b"RIFF"
        new = {one for one in open_files() - opened if not one.startswith(("socket:", "pipe:", "anon_inode:"))}
        assert not [one for one in new if "register.db" not in one and not one.endswith(".wav.age")]
        assert files(machine.folder) - before == set()
        assert sum(map(len, pieces)) == len(LONG) - 4096
    assert files(machine.folder) == before
    everywhere = b"".join(path.read_bytes() for path in machine.folder.rglob("*") if path.is_file())
    assert LONG[44:108] not in everywhere and b"BEGIN" in everywhere


def test_without_a_trail_nothing_is_heard(office: Console, call: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    from ami_bridge.core.errors import RegisterError
    from ami_bridge.register.audit import Audit

    def away(*_) -> None:
        raise RegisterError("the disk is full")

    with listening(office, "officer", call.id) as client:
        monkeypatch.setattr(Audit, "leave", away)
        answer = client.get(audio(call), headers={"Range": "bytes=0-"})
    assert answer.status_code == 503 and b"RIFF" not in answer.content
