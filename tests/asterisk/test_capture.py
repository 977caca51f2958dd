"""Fixtures without people: nothing that names or numbers a person survives, and all else still fits together."""

import asyncio
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.asterisk.ami import AmiSettings
from ami_bridge.asterisk.capture import anonymise, capture, replay
from ami_bridge.asterisk.translate import headers, translate
from ami_bridge.core.errors import AuthenticationRefused
from tests.asterisk.exchange import SECRET, Exchange, ended, event, until

CALL = [
    event("Newchannel", Timestamp="1700000000.100000", Channel="PJSIP/6001-0000001a", CallerIDNum="+358401234567",
          CallerIDName=r"Matti O\'Neil", Exten="0401234567", Uniqueid="1700000000.7"),
    event("Newexten", Channel="PJSIP/anna.phone-0000001b", AppData="PJSIP/0401234567@trunk,Matti O'Neil,1700000000.7",
          Uniqueid="1700000000.8", Cause="127", HoldTime="128"),
    event("VarSet", ChanVariable="WHO=0401234567 (anna.phone)", CallerIDName="<unknown>", ConnectedLineNum="+358401234567"),
    event("DTMFEnd", Digit="7", DurationMs="120"),
]


def test_a_call_keeps_its_shape_and_loses_its_people() -> None:
    one, two, three, four = [headers(message) for message in anonymise(CALL)]
    assert re.fullmatch(r"\+[1-9]\d{11}", one["CallerIDNum"]) and one["CallerIDNum"] == three["ConnectedLineNum"]
    assert re.fullmatch(r"0\d{9}", one["Exten"]) and one["Exten"] != "0401234567"
    assert one["CallerIDName"] == "Name 1"
    assert two["AppData"] == f"PJSIP/{one['Exten']}@trunk,Name 1,1700000000.7"
    assert three["ChanVariable"] == f"WHO={one['Exten']} (Name 2)"
    assert three["CallerIDName"] == "<unknown>"
    assert (one["Timestamp"], one["Uniqueid"], two["Cause"], two["HoldTime"]) == (
        "1700000000.100000", "1700000000.7", "127", "128")
    assert (four["Digit"], four["DurationMs"]) == ("1", "120")
    assert not {b"Matti", b"O'Neil", b"anna", b"6001"} & {w for m in anonymise(CALL) for w in re.split(rb"[ /.:,()]", m)}


_NUMBERS = st.from_regex(r"\A\+?[0-9]{3,15}\Z")
_NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=3, max_size=30)


@given(st.lists(st.tuples(_NUMBERS, _NAMES, st.sampled_from(["call", "dial", "var"])), min_size=1, max_size=6))
def test_no_number_and_no_name_survives(people: list[tuple[str, str, str]]) -> None:
    messages = [event("X", CallerIDNum=number, CallerIDName=name) for number, name, _ in people]
    messages += [event("Y", AppData=f"{place}/{number}@{name},1", Uniqueid=f"17.{n}")
                 for n, (number, name, place) in enumerate(people)]
    values = [headers(message) for message in anonymise(messages)]
    runs = {run for one in values for run in re.findall("[0-9]+", " ".join(one.values()))}
    assert not runs & {number.lstrip("+") for number, _, _ in people}
    for _, name, _ in people:
        assert all(name not in one.get("CallerIDName", "") for one in values)


@given(st.lists(_NUMBERS, min_size=1, max_size=20))
def test_the_same_number_stays_the_same_and_others_stay_apart(numbers: list[str]) -> None:
    fakes = [headers(message)["CallerIDNum"] for message in anonymise([event("X", CallerIDNum=n) for n in numbers])]
    assert len(set(zip(numbers, fakes, strict=True))) == len(set(numbers)) == len(set(fakes))
    assert [len(fake) for fake in fakes] == [len(number) for number in numbers]


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_garbage_is_never_an_exception(messages: list[bytes]) -> None:
    assert len(anonymise(messages)) == len(messages)


def test_replacing_changes_nothing_in_what_happened() -> None:
    raw = event("BridgeEnter", BridgeUniqueid="b", Channel="PJSIP/6001-0000001a", CallerIDNum="6001", CallerIDName="Aino",
                Uniqueid="1700000000.7", Timestamp="1700000001.000000")
    before, after = translate(raw, 0.0), translate(anonymise([raw])[0], 0.0)
    assert before and after and type(before) is type(after)
    assert (before[0], before[1], before.at) == (after[0], after[1], after.at)


def test_a_capture_is_written_without_people_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "call.ami"

    async def play() -> None:
        async with Exchange() as exchange:
            exchange.answers["CoreSettings"] = b"Response: Success\r\n%sAsteriskVersion: 22.10.1\r\n\r\n"
            settings = AmiSettings(host="127.0.0.1", port=exchange.port, username="u", secret=SECRET, first_retry=0.01)
            capturing = asyncio.create_task(capture(settings, path, None))
            await until(lambda: any(one["Action"] == "CoreSettings" for one in exchange.actions))
            exchange.send(ended(*CALL, event("Goodbye")))
            exchange.writers[0].close()
            await until(lambda: exchange.logins == 2)
            capturing.cancel()
            await asyncio.gather(capturing, return_exceptions=True)

    asyncio.run(play())
    assert path.read_bytes().startswith(b"# Asterisk 22.10.1, captured 2")
    assert b"358401234567" not in path.read_bytes()
    assert replay(path) == [*anonymise(CALL), event("Goodbye")]


def test_a_refused_login_captures_nothing(tmp_path: Path) -> None:
    path = tmp_path / "call.ami"

    async def play() -> None:
        async with Exchange() as exchange:
            settings = AmiSettings(host="127.0.0.1", port=exchange.port, username="u", secret="wrong")
            await capture(settings, path, 60)

    with pytest.raises(AuthenticationRefused):
        asyncio.run(play())
    assert not path.exists()
