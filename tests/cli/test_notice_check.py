"""The verb as a person meets it: clause by clause on the screen, as JSON, and by its exit code."""

import re
from pathlib import Path

from ami_bridge.core.promise_evidence import Verdict
from ami_bridge.core.promises import CHECKS, CLAUSES
from tests.cli.machine import Machine

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text("utf-8")
CONTACTS = {"AMI_BRIDGE__CONTROLLER__NAME": "City of Example", "AMI_BRIDGE__CONTROLLER__ADDRESS": "Main Street 1",
            "AMI_BRIDGE__CONTROLLER__MAIL": "registry@example.org",
            "AMI_BRIDGE__CONTROLLER__DATA_PROTECTION_OFFICER": "dpo@example.org"}


def test_every_clause_is_on_the_screen_with_its_verdict_and_lines(machine: Machine) -> None:
    result = machine.run("notice-check")
    assert result.exit_code == 1, "the controller is not configured"
    heads = re.findall(r"^(N\d+) (kept|not kept|not checkable): ", result.stdout, re.MULTILINE)
    assert [clause for clause, _ in heads] == list(CLAUSES)
    assert dict(heads)["N4"] == "not checkable" and dict(heads)["N12"] == "not kept" and dict(heads)["N1"] == "kept"
    folded = " ".join(result.stdout.split())
    assert "[controller] address" in folded and "-> Set them: the notice needs them (GDPR article 13)." in folded
    assert re.search(r"\d+ kept, 1 not kept, \d+ not checkable\.$", folded)


def test_json_has_a_line_for_every_check_in_order(machine: Machine) -> None:
    machine.ports.update(CONTACTS)
    lines = machine.json("notice-check")
    assert [(line["clause"], line["about"]) for line in lines] == [(check.clause, check.about) for check in CHECKS]
    assert {line["verdict"] for line in lines} == {"kept", "not checkable"}
    assert all(line["reason"] and bool(line["look"]) == (line["verdict"] != "kept") for line in lines)


def test_the_exit_code_is_1_as_soon_as_one_promise_is_not_kept(machine: Machine) -> None:
    machine.ports.update(CONTACTS)
    assert machine.run("notice-check").exit_code == 0
    machine.config.vault.directory.joinpath("plain.wav").write_bytes(b"RIFF")
    result = machine.run("notice-check")
    assert result.exit_code == 1 and "not sealed" in result.stdout and "N9 not kept" in result.stdout


def test_a_configuration_that_cannot_be_used_is_said_in_a_sentence(machine: Machine) -> None:
    machine.ports["AMI_BRIDGE__ALARM__MAIL_HOST"] = "mail.example.com"
    done = machine.really("notice-check")
    assert done.returncode == 3 and "mail.example.com" in done.stderr and "Traceback" not in done.stderr


def test_every_check_of_the_notice_is_explained() -> None:
    table = REFERENCE.split("## What the notice check looks at")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (N\d+) \| (.+?) \|", table, re.MULTILINE)
    assert [(clause, about) for clause, names in rows for about in re.findall(r"`([\w-]+)`", names)] == [
        (check.clause, check.about) for check in CHECKS]
    for verdict in Verdict:
        assert f"`{verdict}`" in table, verdict
