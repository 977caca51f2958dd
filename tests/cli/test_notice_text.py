"""The privacy notice on the command line, and the check of what is published."""

from dataclasses import replace

import pytest

from tests.cli.machine import Machine


@pytest.fixture
def told(machine: Machine) -> Machine:
    """A machine whose controller is configured."""
    said = {"NAME": "Example Town", "ADDRESS": "Example Street 1", "MAIL": "registry@town.example",
            "DATA_PROTECTION_OFFICER": "dpo@town.example", "PUBLISHED": f"{machine.folder}/www"}
    return replace(machine, ports=machine.ports | {f"AMI_BRIDGE__CONTROLLER__{key}": value for key, value in said.items()})


def published(machine: Machine) -> str:
    lines = machine.run("notice-check", "--json")
    return next(line.partition(": ")[2].strip('",') for part in [lines.stdout.partition('"about": "published"')[2]]
                for line in part.splitlines() if '"verdict"' in line)


def test_it_is_printed_in_the_language_spoken_or_asked_for(told: Machine) -> None:
    assert told.said("notice-text").startswith("Privacy notice: ")
    assert told.said("notice-text", "--language", "fi", "--format", "html").startswith('<!DOCTYPE html>\n<html lang="fi">')
    assert told.said("notice-text", "--record-of-processing", "--format", "markdown").startswith("# Record of processing")


def test_what_is_not_configured_is_named_and_nothing_printed(machine: Machine) -> None:
    result = machine.run("notice-text")
    assert result.exit_code == 3 and "[controller] address" in result.stderr and result.stdout == ""


def test_what_is_published_is_compared_with_the_configuration(told: Machine) -> None:
    assert published(told) == "not kept"
    assert told.said("notice-text", "--publish").count("Wrote ") == 3
    assert published(told) == "kept"
    shorter = replace(told, ports=told.ports | {"AMI_BRIDGE__RETENTION__DAYS": "14"})
    assert published(shorter) == "not kept"
    file = told.folder / "www" / "notice.sv.html"
    file.write_text(file.read_text().replace("31", "365"))
    assert published(told) == "not kept"
    assert told.run("notice-text", "--publish", "--language", "fi").exit_code == 2
