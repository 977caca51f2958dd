"""The verb ``account``, on a machine that ``init`` has set up."""

import pytest
from click.testing import CliRunner

from ami_bridge.cli import main
from tests.cli.machine import Machine

PASSWORD = "correct horse battery"


@pytest.fixture
def maija(machine: Machine) -> Machine:
    assert machine.said("account", "add", "maija", "--name", "Maija Meikäläinen").startswith("maija has the account ")
    return machine


def typed(machine: Machine, words: list[str], text: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, words, input=text, env=machine.environment, catch_exceptions=False)
    return done.exit_code, done.output


def test_the_first_account(maija: Machine) -> None:
    assert maija.said("account", "grant", "maija", "account-administrator") == "maija is account-administrator.\n"
    assert typed(maija, ["account", "password", "maija", "--password-stdin"], f"{PASSWORD}\n") == (
        0, "The password of maija is set.\n")
    assert maija.json("account", "list")[0]["password"] is True and " not ready " in maija.said("account", "list")
    assert maija.said("account", "codes", "maija").startswith("otpauth://totp/ami-bridge:maija?secret=")
    (one,) = maija.json("account", "list")
    assert one["duties"] == ["account-administrator"] and one["codes"] is True and one["language"] == "fi"
    assert " open " in maija.said("account", "list")


def test_a_password_is_asked_for_twice_and_never_shown(maija: Machine) -> None:
    code, output = typed(maija, ["account", "password", "maija"], f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 0 and PASSWORD not in output
    code, output = typed(maija, ["account", "password", "maija", "--password-stdin"], "short\n")
    assert code == 3 and "12 to 128 characters" in output
    assert maija.run("account", "password", "maija", PASSWORD).exit_code == 2, "no password on a command line"


def test_an_initial_password_is_printed_once_and_must_be_changed(maija: Machine) -> None:
    maija.said("account", "codes", "maija")
    given = maija.said("account", "password", "maija", "--initial").strip()
    listed = maija.said("account", "list")
    assert len(given) == 23 and " password due " in listed and given not in listed
    assert maija.json("account", "list")[0]["password_due"] is True
    assert maija.run("account", "password", "maija", "--initial", "--password-stdin").exit_code == 2


def test_no_hash_and_no_secret_is_listed(maija: Machine) -> None:
    typed(maija, ["account", "password", "maija", "--password-stdin"], f"{PASSWORD}\n")
    secret = maija.said("account", "codes", "maija").split("secret=")[1].split("&")[0]
    shown = maija.said("account", "list") + maija.said("account", "list", "--json") + maija.said("audit", "list", "--json")
    assert "argon2" not in shown and secret.strip() not in shown


def test_nobody_both_listens_and_grants(maija: Machine) -> None:
    said = maija.said("account", "grant", "maija", "listener", "--team", "support", "--queue", "q1", "--queue", "q2")
    assert said == "maija is listener.\n"
    assert maija.json("account", "list")[0]["scope"] == {"teams": ["support"], "queues": ["q1", "q2"]}
    refused = maija.run("account", "grant", "maija", "account-administrator")
    assert refused.exit_code == 13 and "nobody who hears recordings also grants" in refused.stderr
    last = maija.json("audit", "list")[-1]
    assert (last["action"], last["outcome"], last["reason"]) == ("duty-granted", "refused", "no-listening-with-it")
    assert maija.said("account", "revoke", "maija", "listener") == "maija is nothing now.\n"
    assert maija.run("account", "revoke", "maija", "listener").exit_code == 8
    assert maija.run("account", "grant", "maija", "auditor", "--team", "support").exit_code == 2


def test_teams_and_queues_are_written_as_calls_have_them(maija: Machine) -> None:
    maija.said("account", "grant", "maija", "listener", "--team", " Va\u0308xel\u200b ", "--queue", "q1 ")
    assert maija.json("account", "list")[0]["scope"] == {"teams": ["V\u00e4xel"], "queues": ["q1"]}
    refused = maija.run("account", "grant", "maija", "listener", "--queue", " ")
    assert refused.exit_code == 3 and "a queue has a name" in refused.stderr


@pytest.mark.parametrize("until", ["9999-12-31", "0001-01-01", "9999-12-31T23:30"])
def test_a_clearance_until_the_end_or_the_beginning_of_time_is_none(maija: Machine, until: str) -> None:
    refused = maija.run("account", "clearance", "maija", "--until", until)
    assert refused.exit_code == 2 and "too early or too late" in refused.output


def test_clearance_shutting_and_unlocking(maija: Machine) -> None:
    assert maija.said("account", "clearance", "maija", "--until", "2099-12-31") == "maija is cleared until 2100-01-01 00:00:00.\n"
    assert maija.said("account", "clearance", "maija", "--none") == "maija is not cleared.\n"
    assert maija.json("account", "list")[0]["clearance_until"] is None
    days = [one["detail"] for one in maija.json("audit", "list") if one["action"] == "clearance-set"]
    assert days == [{"until": "2099-12-31"}, {}], "as it was typed"
    assert maija.run("account", "clearance", "maija").exit_code == 2
    maija.said("account", "disable", "maija")
    assert " shut " in maija.said("account", "list")
    maija.said("account", "enable", "maija")
    maija.said("account", "unlock", "maija")
    assert maija.run("account", "disable", "pekka").exit_code == 8


@pytest.mark.parametrize(("words", "code"), [(["add", "Maija", "--name", "x"], 3), (["add", "pekka", "--name", "\u202e"], 3),
                                             (["add", "maija", "--name", "Another"], 3), (["add", "pekka"], 2),
                                             (["grant", "maija", "king"], 2)])
def test_what_is_refused(maija: Machine, words: list[str], code: int) -> None:
    assert maija.run("account", *words).exit_code == code
