"""Every event that matters, as Asterisk 22 sends it, and everything that must not matter."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.asterisk.translate import WANTED, field, headers, sent_at, snapshot, translate, unescape
from ami_bridge.core.events import (
    BridgeEntered,
    BridgeLeft,
    ChannelsPresent,
    HungUp,
    QueueConnected,
    RecordingClosed,
    RecordingStarted,
)
from tests.asterisk.exchange import event

CALL = "01890a5d-ac96-774b-bcce-b302099a8057"
RECORDING = "01890a5d-ac96-774b-bcce-b302099a8058"
CHANNEL = {
    "Timestamp": "1700000000.250000", "Channel": "PJSIP/trunk-00000001", "ChannelState": "6", "ChannelStateDesc": "Up",
    "CallerIDNum": "+358401234567", "CallerIDName": "Mäkinen", "ConnectedLineNum": "<unknown>",
    "ConnectedLineName": "<unknown>", "Language": "fi", "Context": "in", "Exten": "s", "Uniqueid": "pbx-1700000000.1",
    "Linkedid": "pbx-1700000000.1",
}
AGENT = {"DestChannel": "PJSIP/6001-00000002", "DestUniqueid": "pbx-1700000000.2", "MemberName": "Aino O'Neil"}
BRIDGE = {"BridgeUniqueid": "b5b8", "BridgeType": "basic"}


def said(name: str, *parts: dict[str, str], **more: str) -> object:
    headers: dict[str, str] = {}
    for part in (*parts, more):
        headers |= part
    return translate(event(name, **headers), received=7.0)


def test_our_user_event_tells_that_recording_began() -> None:
    found = said("UserEvent", CHANNEL, UserEvent="AmiBridge", State="recording", Call=CALL, Recording=RECORDING)
    assert found == RecordingStarted(UUID(CALL), UUID(RECORDING), "pbx-1700000000.1", "PJSIP/trunk-00000001", 1700000000.25)


def test_our_user_event_tells_that_the_file_is_closed() -> None:
    found = said("UserEvent", CHANNEL, UserEvent="AmiBridge", State="closed", Call=CALL, Recording=RECORDING)
    assert found == RecordingClosed(UUID(CALL), UUID(RECORDING), 1700000000.25)


def test_a_queue_names_its_member_without_unescaping() -> None:
    found = said("AgentConnect", CHANNEL, AGENT)
    assert found == QueueConnected("pbx-1700000000.1", "pbx-1700000000.2", "Aino O'Neil", 1700000000.25)


def test_a_queue_names_itself_and_no_odd_character_of_its_name_is_kept() -> None:
    assert said("AgentConnect", CHANNEL, AGENT, Queue="tuki\u202e\x07 ä") == QueueConnected(
        "pbx-1700000000.1", "pbx-1700000000.2", "Aino O'Neil", 1700000000.25, "tuki ä")


@pytest.mark.parametrize("event", ["BridgeEnter", "BridgeLeave"])
def test_who_is_parked_speaks_with_nobody_who_is_parked_too(event: str) -> None:
    assert said(event, BRIDGE, CHANNEL, BridgeTechnology="holding_bridge") is None
    assert said(event, BRIDGE, CHANNEL, BridgeTechnology="simple_bridge") is not None


def test_a_channel_enters_and_leaves_a_bridge() -> None:
    entered = BridgeEntered("b5b8", "pbx-1700000000.1", "PJSIP/trunk-00000001", "+358401234567", "Mäkinen", 1700000000.25)
    assert said("BridgeEnter", BRIDGE, CHANNEL) == entered
    assert said("BridgeLeave", BRIDGE, CHANNEL) == BridgeLeft("b5b8", "pbx-1700000000.1", 1700000000.25)


def test_a_channel_hangs_up() -> None:
    assert said("Hangup", CHANNEL, Cause="16", Cause_txt="Normal Clearing") == HungUp("pbx-1700000000.1", 1700000000.25)


@pytest.mark.parametrize(("sent", "name"), [
    (r"O\'Brien", "O'Brien"), (r"a\\b", "a\\b"), (r"\"Q\"", '"Q"'), (r"one\ntwo", "onetwo"), ("<unknown>", ""), ("", ""),
    ("\u202egnirts", "gnirts"), ("\udce4", "\ufffd"),
])
def test_a_callers_name_is_unescaped_and_made_harmless(sent: str, name: str) -> None:
    found = said("BridgeEnter", BRIDGE, CHANNEL, CallerIDName=sent)
    assert isinstance(found, BridgeEntered) and found.name == name


def test_a_withheld_number_is_empty() -> None:
    found = said("BridgeEnter", BRIDGE, CHANNEL, CallerIDNum="<unknown>")
    assert isinstance(found, BridgeEntered) and found.number == ""


@pytest.mark.parametrize("stamp", ["", "soon", "nan", "inf", "-1", "1e300"])
def test_without_a_plausible_timestamp_the_time_of_receipt_counts(stamp: str) -> None:
    assert said("Hangup", CHANNEL, Timestamp=stamp) == HungUp("pbx-1700000000.1", 7.0)


@pytest.mark.parametrize(("name", "headers"), [
    ("UserEvent", {"UserEvent": "AmiBridge", "State": "recording", "Call": CALL}),
    ("UserEvent", {"UserEvent": "AmiBridge", "State": "recording", "Call": CALL, "Recording": "{" + RECORDING[1:-1] + "}"}),
    ("UserEvent", {"UserEvent": "AmiBridge", "State": "dancing", "Call": CALL, "Recording": RECORDING, "Uniqueid": "1.1"}),
    ("UserEvent", {"UserEvent": "Other", "State": "closed", "Call": CALL, "Recording": RECORDING}),
    ("AgentConnect", {"Uniqueid": "1.1"}), ("BridgeEnter", {"Uniqueid": "1.1"}), ("BridgeLeave", BRIDGE), ("Hangup", {}),
    ("Newexten", CHANNEL), ("hangup", CHANNEL),
])
def test_what_is_incomplete_or_foreign_is_nothing(name: str, headers: dict[str, str]) -> None:
    assert said(name, headers) is None


def test_a_repeated_header_changes_nothing() -> None:
    raw = event("Hangup", Uniqueid="1.1") + b"\r\nUniqueid: 6.6"
    assert translate(raw, 7.0) == HungUp("1.1", 7.0)
    assert headers(raw)["Uniqueid"] == "1.1"


def test_a_snapshot_gives_all_channels_and_those_who_are_in_a_bridge() -> None:
    listed = [{**CHANNEL, "BridgeId": "b5b8"}, {**CHANNEL, "BridgeId": ""}, {"Event": "CoreShowChannelsComplete"}]
    assert snapshot(listed, 7.0) == [
        ChannelsPresent(frozenset({"pbx-1700000000.1"}), 7.0),
        BridgeEntered("b5b8", "pbx-1700000000.1", "PJSIP/trunk-00000001", "+358401234567", "Mäkinen", 7.0)]


@given(st.binary(max_size=300))
def test_garbage_is_never_an_exception(garbage: bytes) -> None:
    for name in WANTED:
        translate(b"Event: " + name + b"\r\n" + garbage, 1.0)
        translate(garbage + b"\r\nEvent: " + name, 1.0)
    sent_at(garbage, 1.0)
    headers(garbage)


@given(st.integers(0, 400), st.sampled_from(["Hangup", "BridgeEnter", "AgentConnect", "BridgeLeave"]))
def test_a_torn_message_is_never_an_exception(cut: int, name: str) -> None:
    translate(event(name, **BRIDGE, **CHANNEL, **AGENT)[:cut], 1.0)


_ESCAPES = dict(zip("\a\b\f\n\r\t\v\\'\"?", "abfnrtv\\'\"?", strict=True))


@given(st.text() | st.text(alphabet="\\'\"?\n\t\ranr"))
def test_unescaping_undoes_what_asterisk_does(name: str) -> None:
    escaped = "".join(f"\\{_ESCAPES[c]}" if c in _ESCAPES else c for c in name)
    assert unescape(escaped) == name


def test_a_field_is_found_by_its_whole_name() -> None:
    raw = event("X", BridgeUniqueid="b", DestUniqueid="d", Uniqueid="u")
    assert (field(raw, b"Uniqueid"), field(raw, b"DestUniqueid"), field(raw, b"queid")) == ("u", "d", "")
