"""The documentation says what the code does."""

import re
from pathlib import Path

import click
import pytest

from ami_bridge.asterisk.conversation import Ending
from ami_bridge.asterisk.translate import _OUR_STATES
from ami_bridge.cli import VERBS, main
from ami_bridge.core.recordings import TRANSITIONS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "dialplan" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#]+)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
"""Code, in which brackets are no links."""
COMMAND = re.compile(r"^(?: {4}|.*`)(?:runuser -u ami-bridge -- )?ami-bridge ([a-z][^`#\n]*)", re.MULTILINE)


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        assert link.startswith("http") or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_exists_with_its_options(page: Path) -> None:
    for line in COMMAND.findall(page.read_text("utf-8")):
        words = re.sub(r"'[^']*'", "x", line).split()
        if words[0] in VERBS:
            assert_parses(words)


def assert_parses(words: list[str]) -> None:
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found, words
        command, words = found, words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    assert not unknown, (command.name, unknown)


def test_every_verb_is_in_the_reference() -> None:
    reference = text("docs/reference.md")
    assert [verb for verb in VERBS if f"ami-bridge {verb}" not in reference and f"`{verb}" not in reference] == []


def test_every_action_of_the_log_is_explained() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "ami_bridge").rglob("*.py"))
    actions = set(re.findall(r'"action": "(\w+)"', code)) | {f"agi_{e}" for e in Ending if e is not Ending.FINISHED}
    assert len(actions) > 20
    assert [action for action in sorted(actions) if f"`{action}`" not in text("docs/operations.md")] == []


def dialplan() -> str:
    return text("dialplan/extensions_recording.conf")


def seam() -> str:
    return text("docs/reference.md").split("## What dialplan and daemon say to each other")[1].split("\n## ")[0]


def test_every_user_event_and_every_step_of_the_diary_is_in_the_reference() -> None:
    events, steps = seam().split("Lines of the diary")
    states = set(re.findall(r"State: ([a-z-]+)", dialplan())) | set(_OUR_STATES) | {"answer"}
    assert len(states) > 6 and [state for state in sorted(states) if f"`{state}`" not in events] == []
    noted = set(re.findall(r"(?:note|mark),1\(([a-z-]+)\)", dialplan()))
    assert len(noted) > 6 and [step for step in sorted(noted) if f"`{step}`" not in steps] == []


def test_every_event_that_is_read_is_in_the_reference() -> None:
    read = re.findall(r"name\((\w+)\)", text("dialplan/manager_ami_bridge.conf"))
    (diary,) = re.findall(r"^events = (.*)", text("dialplan/cel_ami_bridge.conf"), re.MULTILINE)
    names = {*read, *diary.split(",")}
    assert len(names) > 20 and [name for name in sorted(names) if f"`{name}`" not in seam()] == []


def test_every_channel_variable_is_in_the_reference() -> None:
    code = "".join(path.read_text("utf-8") for folder in ("ami_bridge", "agi_scripts") for path in (ROOT / folder).rglob("*.py"))
    ours = set(re.findall(r"\bREC_[A-Z_]+[A-Z]\b", dialplan() + code))
    assert len(ours) > 30 and [name for name in sorted(ours) if f"`{name}`" not in seam()] == []
    theirs = {"REC_STATUS", "REC_POLICY", "REC_POLICY_MODE", "REC_POLICY_MODE_SAVE"}
    assert not ours & theirs and all(f"`{name}`" in text("docs/howto-freepbx.md") for name in theirs)


def test_the_lines_for_freepbx_are_those_that_we_ship() -> None:
    for name in ("features_ami_bridge.conf", "cel_ami_bridge.conf"):
        lines = [line for line in text(f"dialplan/{name}").splitlines() if line and line[0] not in ";["]
        assert len(lines) == 3 and "\n".join(lines) in text("docs/howto-freepbx.md"), name


def test_every_test_that_a_page_names_is_there() -> None:
    for page in PAGES:
        for name in re.findall(r"`(tests/[\w/.]+)`", page.read_text("utf-8")):
            assert (ROOT / name).exists(), (page.name, name)


def test_the_picture_of_the_states_is_the_table() -> None:
    lines = [f"    {state} -> {', '.join(sorted(after)) or '(end)'}" for state, after in TRANSITIONS.items()]
    assert "\n".join(lines) in text("docs/architecture.md")


def test_every_setting_in_the_samples_is_real() -> None:
    from ami_bridge.config import reference

    settings = reference()
    for key in re.findall(r"^    (\w+) = ", text("docs/howto-existing-asterisk.md"), re.MULTILINE):
        assert f"`{key}`" in settings, key


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_a_page_says_first_what_it_gives(page: Path) -> None:
    """A title, then a paragraph: no list, no table, no code and no heading before the reader knows what the page is for."""
    title, opening = page.read_text("utf-8").split("\n\n")[:2]
    assert title.startswith("# ") and "\n" not in title and re.match(r"[A-Z]", opening), opening
    if page.name.startswith("howto-"):
        assert re.search(r"[Aa]t the end of this page", page.read_text("utf-8")[:600])
