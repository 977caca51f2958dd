"""What init would have Asterisk's configuration say, and what it leaves to the admin."""

from pathlib import Path

import pytest

from ami_bridge.asterisk.conf import values
from ami_bridge.config import Config
from ami_bridge.core.versions import filters_by_name
from ami_bridge.services.exchange_files import Wanted, is_signed, signed, untouched, wanted
from ami_bridge.services.setup import DIALPLAN_FOLDER

SECRET = "a-secret-of-the-tests"


def asked(version: str = "22.10.1", host: str = "127.0.0.1", **texts: str) -> Wanted:
    config = Config.model_validate({"exchange": {"name": "pbx1"}, "ami": {"secret": SECRET, "host": host}, "agi": {"secret": "s" * 16},
                                    "controller": {"endpoints": ["10.0.0.0/8"]}})
    return wanted(config, version, lambda name: texts.get(name.removesuffix(".conf"), ""), lambda name: (DIALPLAN_FOLDER / name).read_text())


def test_nothing_there() -> None:
    found = asked()
    assert found.remarks == []
    assert found.blocks["asterisk.conf"] == ["[options]", "systemname = pbx1"]
    assert {name: lines for name, lines in found.blocks.items() if name != "asterisk.conf"} == {
        name: [f'#include "ami-bridge/{name}"'] for name in ("manager.conf", "features.conf", "cel.conf", "cel_custom.conf")} | {
        "extensions.conf": ['#include "ami-bridge/extensions_recording.conf"']}
    manager = found.own["manager.conf"]
    assert manager.startswith("[general]\nenabled = yes\nbindaddr = 127.0.0.1\ntimestampevents = yes\n")
    assert values(manager, "ami-bridge") | {"secret": SECRET, "read": "call,agent,user", "write": "reporting,call,user"} == values(manager, "ami-bridge")


def test_sections_that_are_there_are_added_to() -> None:
    found = asked(asterisk="[options]\nverbose = 3", manager="[general]\nenabled = yes\nbindaddr = 127.0.0.1\ntimestampevents = yes",
                  features="[applicationmap]", cel="[general]", cel_custom="[mappings]")
    assert found.remarks == [] and found.blocks["asterisk.conf"][0] == "[options](+)"
    assert found.own["manager.conf"].startswith("[ami-bridge]\n"), "nothing to add to [general]"
    for file, section in (("features", "applicationmap"), ("cel", "general"), ("cel_custom", "mappings")):
        assert found.own[f"{file}.conf"].startswith(f"[{section}](+)\n")


@pytest.mark.parametrize(("version", "able"), [("22.10.1+dfsg", True), ("22.0.0", False), ("22.1.0", True), ("21.6.0", True), ("20.10.0", False),
                                               ("18.26.1", True), ("19.8.0", False), ("16.28.0", False), ("23.0.0", True), ("", False)])
def test_event_filters_only_where_they_cannot_be_fooled(version: str, able: bool) -> None:
    assert filters_by_name(version) is able
    assert ("eventfilter" in asked(version).own["manager.conf"]) is able


def test_a_manager_interface_that_was_off_is_opened_to_this_machine_only() -> None:
    found = asked(manager="[general]\nenabled = no\nbindaddr = 0.0.0.0")
    assert "bindaddr = 127.0.0.1" in found.own["manager.conf"] and "is on now" in found.remarks[0]


@pytest.mark.parametrize(("texts", "remark", "kept"), [
    ({"asterisk": "[options]\nsystemname = other"}, "calls this exchange other", ("asterisk.conf", None)),
    ({"asterisk": "[options]\nautosystemname = yes"}, None, ("asterisk.conf", None)),
    ({"manager": "[general]\nenabled = yes\nbindaddr = 0.0.0.0"}, "listens at 0.0.0.0", ("manager.conf", "bindaddr")),
    ({"manager": "[general]\nenabled = yes"}, "listens at every address", ("manager.conf", "bindaddr")),
    ({"manager": "[general]\nbindaddr = 127.0.0.1\ntimestampevents = no"}, "timestampevents = no", ("manager.conf", "timestampevents")),
    ({"manager": "[ami-bridge]\nsecret = x"}, "has a user [ami-bridge] already", ("manager.conf", None)),
    ({"extensions": "[recorded-call]"}, "has a context [recorded-call] already", ("extensions.conf", None)),
    ({"features": "[featuremap]\natxfer => *7"}, "gives the key *7 to atxfer: ours, ami-bridge-pause,", ("features.conf", "ami-bridge-pause")),
    ({"features": "[applicationmap]\nami-bridge-record => *9,peer,X()"}, "has ami-bridge-record already", ("features.conf", "ami-bridge-record")),
    ({"cel": "[general]\nenable = no"}, "enable = no", ("cel.conf", "enable")),
    ({"cel": "[general]\ndateformat = %F"}, "sets dateformat", ("cel.conf", "dateformat")),
    ({"cel_custom": "[mappings]\nami_bridge.csv => x"}, "writes ami_bridge.csv already", ("cel_custom.conf", None)),
    ({"cdr": "[general]\nbatch = yes"}, "batch = yes", ("cdr.conf", None)),
])
def test_what_contradicts_stays_and_is_said(texts: dict[str, str], remark: str | None, kept: tuple[str, str | None]) -> None:
    found, (file, key) = asked(**texts), kept
    assert [remark in said for said in found.remarks if remark] == [True] * bool(remark)
    if key is None:
        assert file not in found.blocks and file not in found.own
    else:
        assert f"\n{key} =" not in found.own[file]


def test_our_user_may_come_from_where_the_interface_is() -> None:
    assert values(asked(host="10.0.0.5").own["manager.conf"], "ami-bridge")["permit"] == "10.0.0.5/255.255.255.255"


def test_a_file_of_ours_knows_whether_it_was_changed() -> None:
    text = signed("[general]\na = ä\n")
    assert is_signed(text) and untouched(text)
    assert is_signed(text + "x") and not untouched(text + "x") and not untouched("[general]\n") and not is_signed("; mine\n")


def test_the_snippets_have_no_line_that_asterisk_takes_for_a_directive() -> None:
    for path in Path(DIALPLAN_FOLDER).glob("*.conf"):
        strange = [line for line in path.read_text().splitlines() if line.startswith("#") and not line.startswith("#include ")]
        assert strange == [], path.name
