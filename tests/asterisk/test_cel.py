"""The vocabulary of the diary: lines as Asterisk 22 wrote them, and all that they are not."""

import csv
import io
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.asterisk.cel import Noted, event, noted, promise
from ami_bridge.core.events import BridgeEntered, BridgeLeft, HungUp, RecordingStarted

CALL, RECORDING = UUID("01a20e34-bf1e-7255-a45b-b49c770eb2c7"), UUID("01a20e34-bf1e-7d4f-bdb9-f015c4e270d5")
MARKER = ("recording 1795534668 inbound inbound recorded/en pbxtest-1795534667.0 pbxtest-1795534667.0 allowed_not_screened "
          "LTA1MDAwMDAwMQ== LTYwMDE= LVBKU0lQL3RydW5rLTAwMDAwMDAw LQ== LQ==")
OURS = ('"AMI_BRIDGE","1795534668.765","pbxtest-1795534667.0","PJSIP/trunk-00000000","050000001","","AMI_BRIDGE",'
        f'"{{""extra"":""{CALL}/{RECORDING} {MARKER}""}}"')
BRIDGE = ('"BRIDGE_ENTER","1795534669.1","pbxtest-1795534667.1","PJSIP/6001-00000001","6001","Maija","",'
          '"{""bridge_id"":""b-1"",""bridge_technology"":""simple_bridge""}"')


def line(text: str) -> Noted:
    found = noted(text)
    assert found
    return found


def ours(extra: str) -> Noted:
    return line(OURS)._replace(extra=json.dumps({"extra": extra}))


def test_our_own_line_is_a_promise_and_the_beginning_of_a_recording() -> None:
    found = line(OURS)
    assert promise(found) == (CALL, str(RECORDING), MARKER)
    assert event(found) == RecordingStarted(CALL, RECORDING, "pbxtest-1795534667.0", "PJSIP/trunk-00000000", 1795534668.765, outside=True)


def test_a_line_of_the_dialplan_alone_is_a_promise_without_ids() -> None:
    found = ours(f"/fb-1795534756-387916834667751487 {MARKER}")
    assert promise(found) == (None, "fb-1795534756-387916834667751487", MARKER)
    assert event(found) is None


@pytest.mark.parametrize("extra", ["", "x", f"{CALL} {MARKER}", f"{CALL}/{RECORDING}", f"/{RECORDING} {MARKER}",
                                   f"nobody/{RECORDING} {MARKER}", f"{CALL}/fb-1-2 {MARKER}", f"{CALL}/x {MARKER}"])
def test_what_only_looks_like_ours_promises_nothing(extra: str) -> None:
    assert promise(ours(extra)) is None


@pytest.mark.parametrize("column", ["", "plain", "[]", "{}", "null", '{"extra": 3}'])
def test_a_column_that_is_not_what_asterisk_writes_promises_nothing(column: str) -> None:
    assert promise(line(OURS)._replace(extra=column)) is None


def test_a_user_event_of_somebody_else_promises_nothing() -> None:
    assert promise(line(OURS)._replace(user_type="BILLING")) is None


def test_bridges_and_hangups_are_core_events() -> None:
    entered = line(BRIDGE)
    assert event(entered) == BridgeEntered("b-1", "pbxtest-1795534667.1", "PJSIP/6001-00000001", "6001", "Maija", 1795534669.1)
    assert event(entered._replace(type="BRIDGE_EXIT")) == BridgeLeft("b-1", "pbxtest-1795534667.1", 1795534669.1)
    assert event(entered._replace(type="HANGUP")) == HungUp("pbxtest-1795534667.1", 1795534669.1)
    assert event(entered._replace(type="APP_START")) is None
    assert event(entered._replace(extra="")) is None


@pytest.mark.parametrize("kind", ["BRIDGE_ENTER", "BRIDGE_EXIT"])
def test_who_is_parked_speaks_with_nobody_who_is_parked_too(kind: str) -> None:
    assert event(line(BRIDGE.replace("simple_bridge", "holding_bridge"))._replace(type=kind)) is None


@pytest.mark.parametrize("cut", range(0, len(OURS) - 1, 7))
def test_a_torn_line_is_no_line_or_promises_nothing_else(cut: int) -> None:
    found = noted(OURS[:cut])
    assert found is None or promise(found) is None


@given(st.text())
def test_no_line_raises(text: str) -> None:
    for found in filter(None, [noted(text), line(OURS)._replace(extra=text)]):
        event(found)
        promise(found)


@given(st.lists(st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"])), min_size=6, max_size=6))
def test_callers_text_stays_in_its_column(fields: list[str]) -> None:
    row = io.StringIO()
    csv.writer(row, quoting=csv.QUOTE_ALL).writerow(["BRIDGE_ENTER", "1.5", *fields])
    assert noted(row.getvalue().rstrip("\r\n")) == Noted("BRIDGE_ENTER", 1.5, *fields)
