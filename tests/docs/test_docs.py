"""The documentation says what the code does."""

import re
from pathlib import Path

import click
import pytest

from ami_bridge.asterisk.conversation import Ending
from ami_bridge.cli import VERBS, main
from ami_bridge.core.recordings import TRANSITIONS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "dialplan" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#]+)")
COMMAND = re.compile(r"^(?: {4}|.*`)(?:runuser -u ami-bridge -- )?ami-bridge ([a-z][^`#\n]*)", re.MULTILINE)


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
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


def test_the_picture_of_the_states_is_the_table() -> None:
    lines = [f"    {state} -> {', '.join(sorted(after)) or '(end)'}" for state, after in TRANSITIONS.items()]
    assert "\n".join(lines) in text("docs/architecture.md")


def test_every_setting_in_the_samples_is_real() -> None:
    from ami_bridge.config import reference

    settings = reference()
    for key in re.findall(r"^    (\w+) = ", text("docs/howto-existing-asterisk.md"), re.MULTILINE):
        assert f"`{key}`" in settings, key
