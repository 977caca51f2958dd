"""Every verb in this process: what it prints, what it changes, how it fails."""

import re
import stat
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from ami_bridge.cli import VERBS, main
from ami_bridge.cli.words import SHORT_ID
from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.parties import Direction, Participant
from ami_bridge.dialplan_globals import render
from ami_bridge.register import Register
from tests.cli.machine import Machine
from tests.prompts.test_prompts import tone
from tests.register.samples import call

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
FOR = ("--purpose", "service")


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("register.db")}


def test_the_list_of_verbs() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout
    assert all(f"  {name} " in shown for name in VERBS)
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("ami-bridge 0.")


@pytest.mark.parametrize("words", [["fly"], ["calls", "--fly"], ["calls", "--from", "yesterday"], ["calls", "--limit", "0"],
                                   ["calls", "--direction", "up"], ["show"], ["notice", "add", "x.wav"]])
def test_a_wrong_command_line(bare: Machine, words: list[str]) -> None:
    result = bare.run(*words)
    assert result.exit_code == 2 and "Error: " in result.stderr


@pytest.mark.parametrize("words", [["calls"], ["show", "0"], ["notice", "list"], ["agents", "list"], ["dialplan"], ["run"],
                                   ["register", "upgrade"], ["notice", "publish"], ["capture", "x"]])
def test_without_configuration_each_verb_says_so(bare: Machine, words: list[str]) -> None:
    result = bare.run(*words)
    assert result.exit_code == 3
    assert result.stderr.startswith("ami-bridge: there is no configuration file") and "ami-bridge init" in result.stderr


def test_the_option_stands_before_or_after_the_verb(machine: Machine) -> None:
    for words in (["--config", "/nowhere/x", "calls"], ["calls", "--config", "/nowhere/x"]):
        assert "there is no configuration file /nowhere/x" in machine.run(*words).stderr


def test_init_makes_everything_once(bare: Machine) -> None:
    said = bare.said("init", "--directory", str(bare.folder / "state"))
    config = bare.config
    assert stat.S_IMODE(bare.file.stat().st_mode) == 0o640
    assert stat.S_IMODE((bare.file.parent / "ami_bridge_generated.conf").stat().st_mode) == 0o640
    assert (bare.file.parent / "ami_bridge_generated.conf").read_text() == render(config)
    for secret in (config.ami.secret, config.agi.secret):
        assert len(secret.get_secret_value()) == 43 and secret.get_secret_value() not in said
    assert "Gosub(recorded-call,s,1(inbound))" in said and "#include" in said and str(bare.file) in said
    before = everything(bare.folder)
    assert bare.said("init") == "Everything is in place; nothing was changed.\n"
    assert everything(bare.folder) == before


def test_init_keeps_what_is_there_and_makes_what_is_missing(machine: Machine) -> None:
    (machine.config.spool.directory / "policy.json").unlink()
    (machine.file.parent / "ami_bridge_generated.conf").write_text("old")
    toml = machine.file.read_text()
    said = machine.said("init")
    assert "Wrote the generated dialplan" in said and "Published the notice policy" in said
    assert "Wrote the configuration" not in said and machine.file.read_text() == toml


def test_init_where_nothing_can_be_written(bare: Machine) -> None:
    (bare.folder / "etc").write_text("a file")
    result = bare.run("init")
    assert result.exit_code == 3 and "cannot be" in result.stderr
    (bare.folder / "etc").unlink()
    (bare.folder / "state").write_text("a file")
    result = bare.run("init", "--directory", str(bare.folder / "state" / "inside"))
    assert result.exit_code == 4 and "the spool folder" in result.stderr


def test_init_refuses_a_folder_that_a_dialplan_could_not_name(bare: Machine) -> None:
    result = bare.run("init", "--directory", "/tmp/a b")
    assert result.exit_code == 3 and "must be a full path" in result.stderr and not bare.file.exists()


def test_calls_are_listed_and_filtered(machine: Machine) -> None:
    first = call(started_at=NOON)
    second = replace(call(started_at=NOON + timedelta(days=1)), direction=Direction.INTERNAL, caller="", participants=())
    machine.register(first, second)
    assert [found["id"] for found in machine.json("calls")] == [str(second.id), str(first.id)]
    day = NOON.date().isoformat()
    for words in (["--number", "0401234567"], ["--agent", "Äijälä, Inkeri"], ["--direction", "inbound"], ["--to", day],
                  ["--from", day, "--to", f"{day} 23:00"], ["--to", f"{day}T23:00:00+02:00"]):
        assert [found["id"] for found in machine.json("calls", *words)] == [str(first.id)], words
    assert [found["id"] for found in machine.json("calls", "--limit", "1")] == [str(second.id)]
    assert machine.json("calls", "--to", (NOON - timedelta(days=1)).date().isoformat()) == []
    assert machine.said("calls", "--agent", "Nobody") == "No such calls.\n"
    (line,) = [line for line in machine.said("calls").splitlines() if "inbound" in line]
    zone = machine.config.controller.zone
    assert line.startswith(f"{NOON.astimezone(zone):%Y-%m-%d %H:%M:%S}")
    for cell in ("+358401234567", "0295000000", "Äijälä, Inkeri, PJSIP/6002", "0:05:00", "sealed", "recorded-v3 fi"):
        assert cell in line
    assert str(first.id)[:SHORT_ID] in line and "withheld" in machine.said("calls")


def test_json_is_in_utc(machine: Machine) -> None:
    entry = call(started_at=NOON)
    machine.register(entry)
    (found,) = machine.json("calls")
    assert found == machine.json("show", str(entry.id), *FOR)
    assert found["started_at"] == NOON.isoformat() and found["started_at"].endswith("+00:00")
    assert found["seconds"] == 300.0 and found["state"] == "sealed"
    assert found["notice"]["heard_samples"] == 40000 and found["recordings"][1]["audio"]["rate"] == 8000


def test_show_tells_all(machine: Machine) -> None:
    entry = call(started_at=NOON)
    machine.register(entry)
    shown = machine.said("show", str(entry.id)[:20], *FOR)
    for part in (str(entry.id), "uniqueid pbx-1764.1", "+358401234567", "Äijälä, Inkeri on PJSIP/6001",
                 "unknown on PJSIP/6002", "recorded version 3 in fi, heard 40000 of 40000 samples", "witness: agi", "2026-12-24/1.age", "0:01:00",
                 "SHA-256 0123456789abcdef", "announced (decided by the script)"):
        assert part in shown, part
    assert re.search(r"^queue +none$", shown, re.M) and " of " not in shown.partition("on PJSIP/6001")[2].partition("\n")[0]


def test_show_tells_the_queue_and_the_teams(machine: Machine) -> None:
    first, second = call().participants
    entry = replace(call(started_at=NOON), queue="tuki", participants=(replace(first, team="Växel"), second))
    machine.register(entry)
    shown = machine.said("show", str(entry.id), *FOR)
    assert re.search(r"^queue +tuki$", shown, re.M) and "Äijälä, Inkeri on PJSIP/6001 of Växel, " in shown
    (found,) = machine.json("calls")
    assert found["queue"] == "tuki" and [party["team"] for party in found["participants"]] == ["Växel", ""]


@pytest.mark.parametrize("call_id", ["0000", "x", "", "00000000-0000-0000-0000-000000000000"])
def test_show_of_nothing(machine: Machine, call_id: str) -> None:
    result = machine.run("show", call_id, *FOR)
    assert result.exit_code == 8 and "there is no such call" in result.stderr


@pytest.mark.parametrize("name", ["[bold red]x[/bold red]", "[/]", "[link=x]y", ":warning:", "a\x1b[31mb", "\u202etxt",
                                  "a\nb", "\x9b31m", "\x07"])
def test_a_name_cannot_draw_on_the_terminal(machine: Machine, name: str) -> None:
    party = Participant(interface="PJSIP/6001", name=name, team=name, joined_at=NOON, left_at=NOON)
    entry = replace(call(started_at=NOON), participants=(party,), caller=name[:20], queue=name)
    machine.register(entry)
    kept = "".join(c for c in name if c.isprintable() and c != "\u202e")
    for shown in (machine.said("calls"), machine.said("show", str(entry.id), *FOR)):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
        assert kept in shown


def test_a_register_that_is_not_there(machine: Machine) -> None:
    (machine.folder / "state" / "register.db").unlink()
    result = machine.run("calls")
    assert result.exit_code == 5 and "Traceback" not in result.stderr
    assert "A new register was made" in machine.said("register", "upgrade")
    assert "is up to date" in machine.said("register", "upgrade")
    assert machine.said("calls") == "No such calls.\n"


def test_a_notice_is_added_listed_and_published(machine: Machine) -> None:
    sound = tone(machine.folder / "notice.wav", 1.5)
    said = machine.said("notice", "add", str(sound), "--language", "en")
    assert "recorded in en: version 2, 1.5 s" in said and "restart" in said
    assert "published" in machine.said("notice", "add", str(sound), "--language", "en")
    assert [(one["name"], one["version"]) for one in machine.json("notice", "list")] == [("recorded", 2), ("unavailable", 1)]
    assert len(machine.json("notice", "list", "--all")) == 3
    assert "recorded     en        2        1.5" in machine.said("notice", "list")
    assert "recorded-v2" in (machine.config.spool.directory / "policy.json").read_text()
    assert machine.said("notice", "publish") == "The notice policy is up to date.\n"
    assert machine.said("notice", "speak") == "Nothing changed.\n"


@pytest.mark.parametrize(("words", "code", "said"), [
    (["{folder}/none.wav", "--language", "en"], 7, "there is no sound file"),
    (["{folder}/notice.wav", "--language", "de"], 3, "'de' is not among [notice] languages"),
    (["{folder}/notice.wav", "--language", "en", "--name", "../x"], 3, "cannot be the name of a prompt"),
    (["{folder}/notice.wav", "--language", "en", "--name", "x-v2"], 3, "cannot be the name of a prompt"),
])
def test_a_notice_that_cannot_be(machine: Machine, words: list[str], code: int, said: str) -> None:
    tone(machine.folder / "notice.wav")
    result = machine.run("notice", "add", *(word.format(folder=machine.folder) for word in words))
    assert result.exit_code == code and said in result.stderr


def test_the_dialplan_is_printed_and_written(machine: Machine) -> None:
    assert machine.said("dialplan") == render(machine.config)
    assert "is up to date" in machine.said("dialplan", "--write")
    (machine.file.parent / "ami_bridge_generated.conf").unlink()
    assert "Wrote" in machine.said("dialplan", "--write")


def test_findings_and_gaps_are_listed_and_named_beside_the_calls_they_touch(machine: Machine) -> None:
    assert machine.said("findings") == "Nothing was found amiss, and everything was heard.\n"
    fine, touched = call(started_at=NOON - timedelta(hours=2)), call(started_at=NOON)
    machine.register(fine, touched)
    gap = Gap(id=UUID(int=5), exchange="pbx", cause=Cause.LINK_LOST, began_at=NOON - timedelta(seconds=5), ended_at=NOON)
    found = Finding(id=UUID(int=6), exchange="pbx", kind=Kind.AUDIO_CUT, subject=str(touched.id), call=touched.id,
                    outcome=Outcome.REPAIRED, at=NOON, found_at=NOON)
    with closing(Register.open(machine.config.register.url)) as register, register.writing() as work:
        work.gaps.keep(replace(gap, exchange=touched.exchange))
        work.findings.add(replace(found, exchange=touched.exchange))
    listed = machine.said("findings")
    assert "audio-cut" in listed and "repaired" in listed and str(touched.id)[:SHORT_ID] in listed and "link-lost" in listed
    assert machine.said("findings", "--from", str((NOON + timedelta(days=1)).date())).startswith("Nothing")
    by_json = machine.json("findings")
    assert [one["kind"] for one in by_json["findings"]] == ["audio-cut"]
    assert [(one["cause"], one["ended_at"]) for one in by_json["gaps"]] == [("link-lost", NOON.isoformat())]
    assert {one["id"]: (one["gap"], one["findings"]) for one in machine.json("calls")} == {
        str(fine.id): (False, []), str(touched.id): (True, ["audio-cut"])}
    table = machine.said("calls")
    assert "gap, audio-cut" in table
    assert "audio-cut" in machine.said("show", str(touched.id), *FOR)
