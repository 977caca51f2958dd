"""What the command line shows of callers leaves a trace, and the verb ``audit`` reads and verifies it."""

import re
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ami_bridge.app import trail_keeping
from ami_bridge.cli import VERBS, main
from ami_bridge.core.actions import Action
from ami_bridge.register import Register
from ami_bridge.register.audit import BATCH
from ami_bridge.services.invoker import invoker
from tests.cli.machine import Machine
from tests.cli.test_keys_and_holds import call, entered, place, release
from tests.register.test_audit import START, TRACE, without_triggers

__all__ = ["call", "entered"]
NUMBER = "0401234567"
FOR = ("--purpose", "service")


def trail(machine: Machine) -> list[dict]:
    """Return all entries but those of reading the trail."""
    entries = machine.json("audit", "list")
    return [entry for entry in entries if entry["action"] != "trail-read"]


def said(machine: Machine) -> list[tuple[str, str, str, str]]:
    return [(one["action"], one["object"], one["outcome"], one["reason"]) for one in trail(machine)]


def test_a_search_and_a_look_are_entries_under_the_account_that_made_them(machine: Machine, call: str) -> None:
    machine.said("calls", "--number", NUMBER, "--direction", "inbound", "--from", "2026-11-01", "--to", "2099-11-30")
    machine.said("show", call[:18], "--purpose", "training")
    search, look = trail(machine)
    assert search["actor"] == look["actor"] == invoker() and search["action"] == "calls-searched"
    assert search["detail"] == {"found": 1, "by": "number", "direction": "inbound", "since": "2026-11-01", "until": "2099-11-30"}
    assert (look["action"], look["object"], look["detail"]) == ("call-viewed", call, {})
    assert (search["purpose"], look["purpose"]) == ("", "training")


@pytest.mark.parametrize("verb", [["show"], ["hold", "show"]], ids=" ".join)
def test_details_are_shown_for_one_of_the_purposes_only(machine: Machine, call: str, verb: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    one = place(machine, call) if verb == ["hold", "show"] else call
    for wrong in ([], ["--purpose", ""], ["--purpose", "curiosity"]):
        result = machine.run(*verb, one, *wrong)
        assert result.exit_code == 3 and not result.stdout and NUMBER not in result.output
        assert "service, training, data-subject-request, authority-request" in result.stderr
    assert not [entry for entry in trail(machine) if entry["action"].endswith("-viewed")]
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    typed = CliRunner().invoke(main, [*verb, one, "--json"], input="curiosity\ntraining\n", env=machine.environment)
    assert typed.exit_code == 0 and NUMBER in typed.stdout and "authority-request" in typed.stderr
    assert [entry["purpose"] for entry in trail(machine) if entry["action"].endswith("-viewed")] == ["training"]


def test_what_was_not_there_is_a_refusal_and_no_word_of_what_was_asked_for(machine: Machine) -> None:
    assert machine.run("show", NUMBER, *FOR).exit_code == 8 and machine.run("hold", "show", NUMBER, *FOR).exit_code == 8
    until = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    assert machine.run("hold", "place", NUMBER, "--reason", "r", "--basis", "b", "--until", until).exit_code == 8
    assert machine.run("hold", "release", NUMBER).exit_code == 8
    assert said(machine) == [(action, "", "refused", "not-found") for action in (
        "call-viewed", "hold-viewed", "hold-placed", "hold-released")]


def test_holds_are_entries(machine: Machine, call: str, entered: pytest.MonkeyPatch) -> None:
    held = place(machine, call)
    machine.said("hold", "list")
    machine.said("hold", "show", held, "--purpose", "authority-request")
    release(machine, held, entered)
    assert [one for one in said(machine) if one[1] in (held, "")] == [
        ("hold-placed", held, "allowed", ""), ("holds-listed", "", "allowed", ""), ("hold-viewed", held, "allowed", ""),
        ("hold-released", held, "allowed", "")]
    proposed, approved = [one for one in trail(machine) if one["action"].startswith("proposal")]
    assert proposed["object"] == approved["object"] and proposed["actor"] != approved["actor"]


def test_purge_keys_notices_and_the_directory_are_entries(machine: Machine, tmp_path: Path) -> None:
    machine.said("purge", "--dry-run", "--accept-clock")
    machine.said("purge", "--accept-clock")
    machine.said("keys", "make", "--ahead", "20")
    machine.said("keys", "publish", str(tmp_path / "out"))
    (tmp_path / "agents.csv").write_text("key,name,valid_from,valid_to\nPJSIP/6001,Maija Meikäläinen,,\n")
    machine.said("agents", "import", str(tmp_path / "agents.csv"))
    machine.said("agents", "list")
    assert [(action, outcome) for action, _, outcome, _ in said(machine)] == [(action, "allowed") for action in (
        "purged", "keys-made", "keys-published", "agents-imported", "agents-listed")]
    assert trail(machine)[0]["detail"] == {"calls": 0, "files": 0}


def test_nothing_of_a_caller_is_in_the_trail(machine: Machine, call: str) -> None:
    machine.said("calls", "--number", NUMBER, "--agent", "Maija Meikäläinen")
    machine.said("show", call, *FOR)
    place(machine, call)
    shown = machine.said("audit", "list", "--json") + machine.said("audit", "list")
    assert not re.search(r"1234567|Maija|Meikäläinen|complaint", shown)


# -- no trace, no look

LOOKS = [["calls"], ["show"], ["hold", "list"], ["agents", "list"], ["account", "list"], ["audit", "list"]]


@pytest.fixture
def traceless(machine: Machine, call: str) -> Machine:
    """A machine whose trail cannot be written."""
    without_triggers(machine.config.register.url, "ALTER TABLE audit_entries RENAME TO gone")
    return machine


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_where_nothing_can_be_recorded_nothing_is_shown(traceless: Machine, call: str, words: list[str]) -> None:
    result = traceless.run(*words, *([call, *FOR] if words == ["show"] else []))
    assert result.exit_code in (5, 12) and not result.stdout
    assert result.exit_code == 12 or words == ["audit", "list"]


def test_destruction_goes_on_without_a_record_and_alarms(traceless: Machine, tmp_path: Path) -> None:
    told = tmp_path / "told"
    alarmed = Machine(traceless.folder, traceless.ports | {
        "AMI_BRIDGE__ALARM__COMMAND": f'["sh", "-c", "echo $AMI_BRIDGE_ALARM >> {told}"]'})
    result = alarmed.run("purge", "--accept-clock")
    assert result.exit_code == 0 and "Nothing was shown" not in result.output + told.read_text(), result.output
    assert told.read_text().split() == ["trail-unwritten"]


def test_keys_go_on_where_no_register_is_and_say_so(machine: Machine) -> None:
    apart = Machine(machine.folder, {**machine.ports, "AMI_BRIDGE__REGISTER__URL": "sqlite:////nowhere/register.db"})
    result = apart.run("keys", "make", "--ahead", "20")
    assert result.exit_code == 0 and "keys made" in result.stdout and "the trail has no entry of this" in result.stderr


# -- audit

def test_the_trail_is_listed_by_time_and_actor_and_reading_it_is_an_entry(machine: Machine) -> None:
    machine.said("calls")
    assert machine.json("audit", "list", "--actor", "os:nobody-else") == []
    assert [one["action"] for one in machine.json("audit", "list")] == ["calls-searched", "trail-read"]
    assert machine.json("audit", "list", "--to", "2020-01-01") == []
    assert len(machine.json("audit", "list", "--limit", "1")) == 1
    assert "calls-searched" in machine.said("audit", "list", "--from", "2026-01-01")


def test_the_trail_is_asked_by_log_in_name_and_shows_it(machine: Machine) -> None:
    machine.said("account", "add", "lauri.lahti", "--name", "Lauri Lahti", "--language", "fi")
    with closing(Register.open(machine.config.register.url)) as register, register.writing() as work:
        account = work.accounts.named("lauri.lahti")
        assert account
        work.audit.leave(replace(TRACE, actor=f"account:{account.id}"), START)
    for actor in ("lauri.lahti", "account:lauri.lahti", f"account:{account.id}"):
        (entry,) = machine.json("audit", "list", "--actor", actor)
        assert entry["actor"] == f"account:{account.id}" and entry["action"] == "call-viewed"
    shown = machine.said("audit", "list", "--actor", "lauri.lahti")
    assert "account:lauri.lahti" in shown and str(account.id) not in shown
    for unknown in ("lauri", "account:lauri", "who?"):
        result = machine.run("audit", "list", "--actor", unknown)
        assert result.exit_code == 3 and "no such person" in result.stderr and not result.stdout


def test_the_trail_is_asked_by_what_it_was_about(machine: Machine, call: str) -> None:
    machine.said("show", call, *FOR)
    machine.said("calls")
    machine.said("account", "add", "lauri.lahti", "--name", "Lauri Lahti", "--language", "fi")
    assert [one["action"] for one in machine.json("audit", "list", "--object", call)] == ["call-viewed"]
    assert call in machine.said("audit", "list"), "so that it can be asked for"
    assert [one["action"] for one in machine.json("audit", "list", "--object", "lauri.lahti")] == ["account-added"]
    assert trail_read(machine)[-1]["detail"] == {"by": "object", "found": 1}
    for wrong in (call[:18], NUMBER, "nobody.known"):
        assert machine.run("audit", "list", "--object", wrong).exit_code == 3


def trail_read(machine: Machine) -> list[dict]:
    return [entry for entry in machine.json("audit", "list") if entry["action"] == "trail-read"]


def test_all_of_a_long_trail_is_listed_and_how_much_that_was_is_an_entry(machine: Machine) -> None:
    with closing(Register.open(machine.config.register.url)) as register, register.writing() as work:
        for _ in range(BATCH + 20):
            work.audit.leave(TRACE, START)
    entries = machine.json("audit", "list", "--all")
    assert [entry["number"] for entry in entries] == list(range(1, BATCH + 21))
    assert machine.json("audit", "list", "--all", "--actor", "os:nobody-else") == []
    assert [entry["detail"] for entry in machine.json("audit", "list", "--all")[-2:]] == [
        {"found": BATCH + 20}, {"by": "actor", "found": 0}]
    assert str(BATCH + 22) in machine.said("audit", "list", "--all")


def test_the_nightly_comparison_finds_what_was_done_to_the_trail_and_alarms(machine: Machine, tmp_path: Path) -> None:
    for _ in range(3):
        machine.said("calls")
    assert machine.said("verify").endswith("all agree.\n")
    without_triggers(machine.config.register.url, "DELETE FROM audit_entries WHERE number = 2")
    told = tmp_path / "told"
    alarmed = Machine(machine.folder, machine.ports | {
        "AMI_BRIDGE__ALARM__COMMAND": f'["sh", "-c", "echo $AMI_BRIDGE_ALARM >> {told}"]'})
    result = alarmed.run("verify")
    assert result.exit_code == 1 and "the trail: entry 2 was removed" in result.stdout
    assert told.read_text().split() == ["trail-broken"]


def test_an_entry_that_somebody_altered_is_not_left_out_of_the_list(machine: Machine) -> None:
    for _ in range(2):
        machine.said("calls")
    without_triggers(machine.config.register.url, "UPDATE audit_entries SET detail = 'x' WHERE number = 1")
    assert "cannot be read" in machine.said("audit", "list")
    assert machine.json("audit", "list")[0] == {"number": 1, "unreadable": True}


def test_a_whole_trail_is_verified_with_its_head_and_one_that_is_not_says_where(machine: Machine, tmp_path: Path) -> None:
    for _ in range(3):
        machine.said("calls")
    register = Register.open(machine.config.register.url)
    trail_keeping(machine.config, register).write_head()
    register.close()
    (head,) = machine.config.audit.directory.joinpath("heads").iterdir()
    kept = tmp_path / "kept.json"
    kept.write_bytes(head.read_bytes())
    head.unlink()
    found = machine.said("audit", "verify", "--head", str(kept))
    assert re.fullmatch(r"3 entries are good, up to number 3\. Head: [0-9a-f]{64}\n"
                        r"Vouched for by a signed head up to entry 3\.\n", found)
    machine.said("calls")
    assert "up to entry 3; later ones hang by the chain only." in machine.said("audit", "verify", "--head", str(kept))
    assert "No signed head vouches for any of them yet" in machine.said("audit", "verify")
    without_triggers(machine.config.register.url, "DELETE FROM audit_entries WHERE number >= 3")
    unguarded = machine.run("audit", "verify")
    assert unguarded.exit_code == 1 and "audit_entries_stay" in unguarded.stdout
    assert "audit_entries_stay" in machine.said("register", "upgrade", "--dry-run")
    assert machine.run("audit", "verify").exit_code == 1
    assert "audit_entries_stay" in machine.said("register", "upgrade") and "put back" not in machine.said("register", "upgrade")
    assert machine.run("audit", "verify").exit_code == 0
    cut = machine.run("audit", "verify", "--head", str(kept))
    assert cut.exit_code == 1 and cut.stdout.startswith("Entry 3 and all after it were cut off")
    without_triggers(machine.config.register.url, "UPDATE audit_entries SET actor = 'os:pekka' WHERE number = 1")
    assert machine.run("audit", "verify").stdout == "Entry 1 was changed after it was written.\n"


def test_a_purge_writes_down_the_end_of_the_trail_at_its_own_end(machine: Machine) -> None:
    machine.said("purge", "--accept-clock")
    last = trail(machine)[-1]["number"]
    assert f"Vouched for by a signed head up to entry {last}" in machine.said("audit", "verify")


def test_a_purge_without_the_key_of_the_heads_goes_on_and_alarms(machine: Machine, tmp_path: Path) -> None:
    machine.said("purge", "--accept-clock")
    machine.config.audit.key.unlink()
    told = tmp_path / "told"
    alarmed = Machine(machine.folder, machine.ports | {
        "AMI_BRIDGE__ALARM__COMMAND": f'["sh", "-c", "echo $AMI_BRIDGE_ALARM >> {told}"]'})
    alarmed.said("purge", "--accept-clock")
    assert told.read_text().split() == ["head-unwritten"] and not machine.config.audit.key.exists()


def test_a_head_that_is_none_is_refused(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "head.json").write_text("{}")
    result = machine.run("audit", "verify", "--head", str(tmp_path / "head.json"))
    assert result.exit_code == 1 and "cannot be read" in result.stderr


def test_every_action_and_every_duty_is_explained() -> None:
    from ami_bridge.core.duties import TABLE, Duty, Reach, reach

    text = (Path(__file__).parents[2] / "docs" / "reference.md").read_text("utf-8")
    duties, actions = text.split("## Duties")[1].split("## The trail")
    assert "| action | " + " | ".join(f"`{duty}`" for duty in Duty) + " |" in duties
    marks = {Reach.EVERYWHERE: "yes", Reach.OWN_SCOPE: "own", Reach.NOWHERE: ""}
    for action in Action:
        assert f"| `{action}` |" in actions, action
        if any(action in row for row in TABLE.values()):
            assert f"| `{action}` | " + " | ".join(marks[reach({duty}, action)] for duty in Duty) + " |" in duties, action
    verbs = actions.split("leaves a trace")[1].split("So the user")[0]
    for verb in set(VERBS) & {"calls", "show", "hold", "purge", "keys", "notice", "pause", "rebuild", "agents", "account", "audit"}:
        assert f"`{verb}" in verbs, verb


