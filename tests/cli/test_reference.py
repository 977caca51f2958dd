"""Everything an admin meets stands in the reference."""

import re
from pathlib import Path

import click

from ami_bridge.cli import VERBS, main
from ami_bridge.core import errors
from ami_bridge.core.alarms import Name
from ami_bridge.core.findings import Kind
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import State, Why
from ami_bridge.services import doctor

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reference.md").read_text("utf-8")


def commands() -> dict[str, click.Command]:
    context = click.Context(main)
    found = {}
    for name in VERBS:
        command = main.get_command(context, name)
        assert command is not None
        inner = command.commands.items() if isinstance(command, click.Group) else []
        found |= {f"{name} {verb}": below for verb, below in inner} or {name: command}
    return found


def test_every_verb_and_option_is_explained() -> None:
    for name, command in commands().items():
        row = next((line for line in TEXT.splitlines() if re.match(rf"\| `{name}\b", line)), "")
        assert row, name
        options = [parameter.opts[0] for parameter in command.params if isinstance(parameter, click.Option)]
        assert [option for option in options if option not in row] == ["--config"], name


def test_every_reason_and_state_is_explained() -> None:
    for word in [*Reason, *State, *Why]:
        assert f"| `{word}` |" in TEXT, word


def test_every_finding_alarm_and_figure_is_explained() -> None:
    for kind in Kind:
        assert f"| `{kind}` |" in TEXT, kind
    alarms = TEXT.split("## Alarms")[1].split("## Figures")[0]
    for name in Name:
        assert f"`{name}`" in alarms, name
    code = "".join((ROOT / "ami_bridge" / path).read_text("utf-8") for path in ("metrics.py", "daemon/parts.py"))
    figures = re.findall(r'(?:_gauge|Gauge)\("(\w+)"|^        \("(\w+)", "', code, re.MULTILINE)
    assert len(figures) > 12
    for name in (one or other for one, other in figures):
        assert f"| `ami_bridge_{name.removeprefix('ami_bridge_')}` |" in TEXT, name


def test_every_exit_code_is_explained() -> None:
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and "exit_code" in vars(kind) and name != "AmiBridgeError":
            assert re.search(rf"^\| {kind.exit_code} \|.*`{name}`", TEXT, re.MULTILINE), name


def test_every_check_of_the_doctor_is_explained() -> None:
    for name in doctor.CHECKS.keys() - {"tools"}:
        assert f"`{name}`" in TEXT.split("What the doctor looks at")[1], name
