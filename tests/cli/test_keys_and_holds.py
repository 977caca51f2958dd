"""The verbs ``keys`` and ``hold``, on a machine that ``init`` has set up."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge import clock
from ami_bridge.app import agreeing, build, holding, key_store, new_id, people, rights
from ami_bridge.core.accounts import Language
from ami_bridge.core.actions import Action
from ami_bridge.core.duties import Duty, Refused
from ami_bridge.core.errors import KeyMissing
from ami_bridge.core.facts import Closed
from ami_bridge.register import Register
from ami_bridge.services.intake import Outcome
from ami_bridge.services.releasing import release as proposed_or_done
from tests.cli.machine import Machine
from tests.samples import TICKET, wav

NUMBER = "0401234567"
FOR = ("--purpose", "service")


def today() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def call(machine: Machine) -> Iterator[str]:
    """A call that ended a minute ago, sealed and registered."""
    at = today() - timedelta(minutes=2)
    ticket = replace(TICKET, call=new_id(at), recording=new_id(at), opened_at=at, exchange=machine.config.exchange.name)
    app = build(machine.config)
    with closing(app.register):
        app.spool.write_ticket(ticket)
        app.spool.append_facts(ticket.call, [Closed(at.timestamp() + 60)])
        wav(app.spool.audio(ticket.recording))
        assert app.intake.take(ticket.call) is Outcome.REGISTERED
        yield str(ticket.call)


def place(machine: Machine, call: str, *more: str) -> str:
    """Place a hold that ends in sixty days; return its id."""
    until = (today() + timedelta(days=60)).date().isoformat()
    said = machine.said("hold", "place", call, "--reason", "a complaint", "--basis", "request 7", "--until", until, *more)
    (held,) = re.findall(r" as ([0-9a-f-]{36})\.", said)
    assert said.startswith(f"Call {call}")
    return held


# -- keys

def test_init_made_the_keys_and_making_them_again_changes_nothing(machine: Machine) -> None:
    pairs = machine.json("keys", "list")
    assert len(pairs) == machine.config.retention.days + machine.config.keys.ahead + 1
    assert all(pair["public"] and pair["private"] and len(pair["fingerprint"]) == 64 for pair in pairs)
    assert machine.said("keys", "make") == "All keys were there already.\n" and machine.json("keys", "list") == pairs


def test_keys_are_made_further_ahead_when_asked(machine: Machine) -> None:
    last = max(pair["name"] for pair in machine.json("keys", "list"))
    said = machine.said("keys", "make", "--ahead", str(machine.config.keys.ahead + 2))
    assert said.startswith("2 keys made, until ") and max(pair["name"] for pair in machine.json("keys", "list")) > last


def test_the_list_shows_no_private_half(machine: Machine) -> None:
    shown = machine.said("keys", "list") + machine.said("keys", "list", "--json")
    assert "AGE-SECRET-KEY" not in shown.upper() and "Fingerprint" in shown


def test_publishing_copies_public_halves_only(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "for the exchange"
    count = len(machine.json("keys", "list"))
    assert machine.said("keys", "publish", str(folder)) == f"{count} public keys are in {folder}.\n"
    assert len(list(folder.iterdir())) == count and {path.suffix for path in folder.iterdir()} == {".pub"}
    assert not [path for path in folder.iterdir() if b"SECRET" in path.read_bytes().upper()]


def lose(machine: Machine) -> str:
    """Destroy the key that was made last; return its name."""
    last = max(pair["name"] for pair in machine.json("keys", "list"))
    key_store(machine.config).destroy(last)
    return last


@pytest.mark.parametrize(("words", "code"), [(["--accept-clock"], 0), ([], 10)], ids=["well", "refused"])
def test_the_nightly_job_makes_keys_whatever_becomes_of_it_and_leaves_a_trace(
        machine: Machine, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int) -> None:
    monkeypatch.setenv("AMI_BRIDGE__PURGE__CLOCK", "synchronised")
    monkeypatch.setattr(clock, "synchronised", lambda: False)
    last = lose(machine)
    machine.run("purge", "--dry-run", *words)
    assert last not in {pair["name"] for pair in machine.json("keys", "list")}
    assert machine.run("purge", *words).exit_code == code
    assert last in {pair["name"] for pair in machine.json("keys", "list")}
    assert "keys-made" in [one["action"] for one in machine.json("audit", "list")]


def test_a_nightly_job_that_can_make_no_key_destroys_all_the_same_and_tells_a_human(machine: Machine, tmp_path: Path) -> None:
    told = tmp_path / "told"
    alarmed = Machine(machine.folder, machine.ports | {
        "AMI_BRIDGE__ALARM__COMMAND": f'["sh", "-c", "echo $AMI_BRIDGE_ALARM >> {told}"]'})
    over, last = (today() - timedelta(days=1)).date().isoformat(), max(pair["name"] for pair in machine.json("keys", "list"))
    store = key_store(machine.config)
    store.make([over])
    assert store.private
    (store.private / f"{last}.key").unlink()
    result = alarmed.run("purge", "--accept-clock")
    assert result.exit_code == KeyMissing.exit_code and f"the private half of key {last} is lost" in result.stderr
    assert told.read_text().split() == ["keys-not-made"] and "Traceback" not in result.output
    assert over not in {pair["name"] for pair in machine.json("keys", "list")}


@pytest.mark.parametrize("days", [0, 1], ids=["today", "tomorrow"])
def test_the_key_of_a_day_that_is_not_over_is_not_destroyed(machine: Machine, days: int) -> None:
    gone, alive = ((today() + timedelta(days=n)).date().isoformat() for n in (-1, days))
    key_store(machine.config).make([gone])
    result = machine.run("keys", "destroy", gone, alive)
    assert result.exit_code == 10 and f"{alive} is not over" in result.stderr
    assert {gone, alive} <= {pair["name"] for pair in machine.json("keys", "list")}


def test_the_key_of_a_day_that_is_over_is_destroyed_and_not_made_again(machine: Machine) -> None:
    gone = (today() - timedelta(days=1)).date().isoformat()
    key_store(machine.config).make([gone])
    assert machine.said("keys", "destroy", gone).startswith("1 keys destroyed: ")
    assert machine.said("keys", "destroy", gone) == "They were gone already.\n"
    machine.said("keys", "make")
    assert gone not in {pair["name"] for pair in machine.json("keys", "list")}


def test_the_keys_of_all_days_that_are_over_are_destroyed_and_no_others(machine: Machine) -> None:
    gone = [(today() - timedelta(days=days)).date().isoformat() for days in (1, 2)]
    before = machine.json("keys", "list")
    key_store(machine.config).make(gone)
    assert machine.said("keys", "destroy", "--past").startswith("2 keys destroyed: ")
    assert machine.json("keys", "list") == before
    assert machine.said("keys", "destroy", "--past") == "They were gone already.\n"


@pytest.mark.parametrize("words", [["keys"], ["keys", "destroy"], ["keys", "destroy", "hold-1"], ["keys", "make", "--ahead", "0"],
                                   ["hold", "place", "0"], ["hold", "show"], ["hold", "extend", "0"]])
def test_a_wrong_command_line(machine: Machine, words: list[str]) -> None:
    assert machine.run(*words).exit_code == 2


def test_without_private_keys_each_verb_says_where_to_run_it(machine: Machine, call: str) -> None:
    apart = Machine(machine.folder, {**machine.ports, "AMI_BRIDGE__KEYS__PRIVATE": ""})
    gone = (today() - timedelta(days=1)).date().isoformat()
    for words in (["keys", "make"], ["keys", "destroy", gone], ["keys", "destroy", "--past"],
                  ["hold", "place", call, "--reason", "r", "--basis", "b", "--until", soon()]):
        result = apart.run(*words)
        assert result.exit_code == 9 and "another host" in result.stderr, words
    assert not any(pair["private"] for pair in apart.json("keys", "list"))


def soon() -> str:
    return (today() + timedelta(days=3)).date().isoformat()


# -- holds

def release(machine: Machine, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have two people release a hold, each from an account of their own."""
    for who, wanted in (("maija", "is proposed; it is not released yet"), ("maija", "is proposed; it is not released yet"),
                        ("ville", f"Hold {held} is released; the next purge destroys its copy.\n")):
        monkeypatch.setenv("SUDO_USER", who)
        assert wanted in machine.said("hold", "release", held)


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine that knows only by sudo who entered an account."""
    monkeypatch.setattr("ami_bridge.services.invoker.LOGIN_UID", tmp_path / "none")
    return monkeypatch


def test_the_release_of_a_hold_waits_for_a_second_person_and_says_so(machine: Machine, call: str,
                                                                     entered: pytest.MonkeyPatch) -> None:
    held = place(machine, call)
    entered.setenv("SUDO_USER", "maija")
    said = machine.said("hold", "release", held[:18])
    assert said.startswith(f"The release of hold {held} is proposed; it is not released yet. Another person must agree by 20")
    assert " release proposed " in machine.said("hold", "list") and machine.json("hold", "list")[0]["release_proposed"] is True
    assert machine.json("hold", "show", held, *FOR)["hold"]["released_at"] is None
    entered.delenv("SUDO_USER")
    assert machine.said("hold", "release", held) == said, "a bare root may be maija"


def test_what_the_command_line_proposed_the_console_approves_and_the_reverse(machine: Machine, call: str,
                                                                            entered: pytest.MonkeyPatch) -> None:
    config = machine.config
    with closing(Register.open(config.register.url)) as register:
        at_work = people(config, register, "os:tests")
        at_work.add("outi", "Outi Oksanen", Language.FINNISH)
        outi = rights(config, register, at_work.grant("outi", Duty.DATA_PROTECTION_OFFICER))
        for who, done in (("maija", True), ("outi", False)):
            held = place(machine, call)
            entered.setenv("SUDO_USER", who)
            assert "not released yet" in machine.said("hold", "release", held)
            with register.reading() as work:
                proposal = work.proposals.of(Action.HOLD_RELEASED, held)[0]
            if done:
                assert agreeing(register, outi).approve(proposal.id).done_at
            else:
                with pytest.raises(Refused, match="same-person"):
                    agreeing(register, outi).approve(proposal.id)
        second = place(machine, call)
        assert not proposed_or_done(agreeing(register, outi), second).done
        assert machine.run("hold", "release", second).exit_code == 13
        entered.setenv("SUDO_USER", "ville")
        assert f"Hold {second} is released" in machine.said("hold", "release", second)


def test_a_hold_is_placed_listed_shown_and_released(machine: Machine, call: str, entered: pytest.MonkeyPatch) -> None:
    held = place(machine, call[:18], "--by", "data protection officer")
    (listed,) = machine.json("hold", "list")
    assert (listed["id"], listed["call"], listed["basis"]) == (held, call, "request 7")
    shown = machine.json("hold", "show", held[:18], *FOR)
    assert shown["hold"]["placed_by"] == "data protection officer" and shown["call"]["caller"] == NUMBER
    for words, wanted in ((["hold", "list"], " stands "), (["hold", "show", held, *FOR], "a complaint")):
        assert wanted in machine.said(*words)
    release(machine, held, entered)
    assert " released " in machine.said("hold", "list")
    assert machine.run("hold", "show", held, *FOR).exit_code == 8
    machine.said("purge", "--accept-clock")
    assert machine.json("hold", "list") == [] and machine.said("show", call, *FOR)
    assert not [pair for pair in machine.json("keys", "list") if pair["name"].startswith("hold")]


def test_who_places_a_hold_is_the_account_unless_told(machine: Machine, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "inkeri")
    place(machine, call)
    assert [hold["placed_by"] for hold in machine.json("hold", "list")] == ["inkeri"]


def test_a_date_means_its_end_where_the_controller_is(machine: Machine, call: str) -> None:
    place(machine, call)
    (hold,) = machine.json("hold", "list")
    until = datetime.fromisoformat(hold["until"]).astimezone(machine.config.controller.zone)
    assert (until.hour, until.minute) == (0, 0) and until.date() == (today() + timedelta(days=61)).date()
    remind = datetime.fromisoformat(hold["remind_at"]).astimezone(machine.config.controller.zone)
    assert until.date() - remind.date() == timedelta(days=7)


@pytest.mark.parametrize(("words", "code"), [
    (["--until", "2020-01-01"], 3), (["--until", "2099-01-01"], 3), (["--until", "soon"], 2), (["--reason", " "], 3),
    (["--basis", "\u202e"], 3)], ids=["over", "for ever", "no date", "no reason", "no basis"])
def test_a_hold_that_cannot_be(machine: Machine, call: str, words: list[str], code: int) -> None:
    given = dict(zip(words[::2], words[1::2], strict=True))
    options = {"--reason": "r", "--basis": "b", "--until": soon(), **given}
    result = machine.run("hold", "place", call, *(word for pair in options.items() for word in pair))
    assert result.exit_code == code
    assert machine.json("hold", "list") == [] and not list(machine.config.vault.directory.glob("hold-*"))


def test_a_call_that_is_not_there_cannot_be_held(machine: Machine) -> None:
    result = machine.run("hold", "place", str(UUID(int=5)), "--reason", "r", "--basis", "b", "--until", soon())
    assert result.exit_code == 8 and "no such call" in result.stderr
    assert [machine.run("hold", *words).exit_code for words in (("show", "abc", *FOR), ("release", "abc"))] == [8, 8]


def test_no_plain_audio_is_written_while_a_hold_is_placed(machine: Machine, call: str) -> None:
    sound = wav(machine.folder / "expected.wav").read_bytes()[44:]
    (machine.folder / "expected.wav").unlink()
    place(machine, call)
    assert not [path for path in machine.folder.rglob("*") if path.is_file() and sound[:512] in path.read_bytes()]


def test_help_tells_that_no_caller_is_named_in_a_reason(machine: Machine) -> None:
    said = machine.said("hold", "place", "--help")
    assert "name no caller and no number" in " ".join(said.split())


def test_the_holds_copy_is_what_the_call_was(machine: Machine, call: str) -> None:
    held = place(machine, call)
    with closing(Register.open(machine.config.register.url)) as register:
        hold, entry = holding(machine.config, register, "os:tests").show(held)
    assert str(hold.call) == call == str(entry.id)
    assert machine.json("show", call, *FOR) == machine.json("hold", "show", held, *FOR)["call"] | {"gap": False, "findings": []}
