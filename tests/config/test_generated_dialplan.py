"""The generated dialplan decides as the notice policy does: by reading it as Asterisk would, and by a real Asterisk."""

import base64
import re
import socket
import time
from itertools import product
from pathlib import Path

import pytest

from ami_bridge.config import Config
from ami_bridge.core.notice import EntryPoint, Policy, route_for
from ami_bridge.core.parties import Direction
from ami_bridge.dialplan_globals import CONTEXT, INPUTS, outcome, render
from tests.config.samples import HEAD, ROUTES, from_text
from tests.pbx.asterisk import Pbx
from tests.pbx.settings import Settings

DIDS = ("0912345", "09123", "0912", "112", "1121", "+35840", "*55", "*555", "", "007", '112" | "1" = "1', "1 12", "112)",
        "112,112", "09123ä", "09123${EPOCH}", "\\112", "112]", "$[1]", "-112", "a:0:1", "9" * 500)
CONTEXTS = ("from-outside", "from-inside", 'x"]?r1did)')
QUEUES = ("", "support", "Support_2", "SUPPORT")
OUTPUTS = ("REC_ROUTE", "REC_ON_FAILURE", "REC_PLAY", "REC_NOTICE")

ENTRY_POINTS = [EntryPoint(direction=direction, context=context, did=did, queue=queue)
                for direction, context, did, queue in product(Direction, CONTEXTS, DIDS, QUEUES)]

STEP = re.compile(r" same => n(?:\((\w+)\))?,(\w+)\((.*)\)$")
SET_LOCAL = re.compile(r"LOCAL\(rec_(\w+)\)=\$\{FILTER\((.*),\$\{(\w+)\}\)\}")
COMPARE = re.compile(r'\$\["\$\{rec_(\w+)\}" = "([^"]*)"\]\?(\w+)')
BEGINS = re.compile(r'\$\["\$\{FILTER\((.*),\$\{REC_DID:0:(\d+)\}\)\}" = "([^"]*)"\]\?(\w+)')
EMPTY_IF_CHANGED = re.compile(r'\$\["\$\{LEN\(\$\{rec_(\w+)\}\)\}" != "\$\{LEN\(\$\{(\w+)\}\)\}"\]\?Set\(LOCAL\(rec_\1\)=\)')


def expected(policy: Policy, entry: EntryPoint) -> dict[str, str]:
    route = route_for(policy, entry)
    if route is None:
        return {"REC_ROUTE": "", "REC_ON_FAILURE": "pass", "REC_PLAY": "0", "REC_NOTICE": ""}
    return {name: value for name, value in outcome(route) if name in OUTPUTS}


def variables(entry: EntryPoint) -> dict[str, str]:
    return {variable: str(getattr(entry, what)) for what, variable in INPUTS.items()}


def filtered(allowed: str, text: str) -> str:
    """FILTER as Asterisk does it, for the one set of characters that is used."""
    assert allowed == "-0-9A-Za-z+*#_."
    return re.sub(r"[^-0-9A-Za-z+*#_.]", "", text)


class Reader:
    """Reads the generated context step by step. It knows exactly the forms of step that may stand there."""

    def __init__(self, text: str) -> None:
        lines = text.split(f"[{CONTEXT}]\n")[1].rstrip("\n").split("\n")
        assert lines[0] == "exten => s,1,NoOp(no script answered)"
        self.steps = [STEP.fullmatch(line).groups() for line in lines[1:]]  # type: ignore[union-attr]
        self.labels = {label: at for at, (label, _, _) in enumerate(self.steps) if label}

    def run(self, channel: dict[str, str]) -> dict[str, str]:
        at, channel = 0, dict(channel)
        while True:
            _, application, argument = self.steps[at]
            if application == "Return":
                return {name: channel[name] for name in OUTPUTS}
            target = getattr(self, application.lower())(argument, channel)
            at = self.labels[target] if target else at + 1

    def noop(self, _argument: str, _channel: dict[str, str]) -> None:
        return None

    def goto(self, argument: str, _channel: dict[str, str]) -> str:
        return argument

    def set(self, argument: str, channel: dict[str, str]) -> None:
        found = SET_LOCAL.fullmatch(argument)
        if found:
            channel[found[1]] = filtered(found[2], channel[found[3]])
        else:
            name, _, value = argument.partition("=")
            channel[name] = value

    def execif(self, argument: str, channel: dict[str, str]) -> None:
        what, variable = EMPTY_IF_CHANGED.fullmatch(argument).groups()  # type: ignore[union-attr]
        if len(channel[what]) != len(channel[variable]):
            channel[what] = ""

    def gotoif(self, argument: str, channel: dict[str, str]) -> str | None:
        begins = BEGINS.fullmatch(argument)
        if begins:
            return begins[4] if filtered(begins[1], channel["REC_DID"][:int(begins[2])]) == begins[3] else None
        what, value, target = COMPARE.fullmatch(argument).groups()  # type: ignore[union-attr]
        return target if channel[what] == value else None


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return from_text(tmp_path, HEAD + ROUTES)


def policy_of(config: Config) -> Policy:
    return Policy(exchange="pbx1", days=31, floor=0, routes=config.policy_routes(), prompts=())


def test_it_decides_as_the_policy_does(config: Config) -> None:
    reader, policy = Reader(render(config)), policy_of(config)
    for entry in ENTRY_POINTS:
        assert reader.run(variables(entry)) == expected(policy, entry), entry


def test_without_routes_nothing_is_recorded(tmp_path: Path) -> None:
    reader = Reader(render(from_text(tmp_path, HEAD)))
    assert reader.run(variables(ENTRY_POINTS[0]))["REC_ON_FAILURE"] == "pass"


def test_the_globals_say_where_everything_is(config: Config) -> None:
    lines = render(config).split(f"[{CONTEXT}]")[0].split("\n")
    assert lines[lines.index("[globals]"):] == [
        "[globals]", "REC_AGI_URL=agi://127.0.0.1:4573", "REC_AGI_SECRET=agi-secret-of-the-tests",
        "REC_AGI_PROCESS=/opt/ami-bridge/bin/ami-bridge-agi", "REC_AGI_PROCESSES=10", "REC_SPOOL=/run/ami-bridge/spool",
        "REC_LIVE=/run/ami-bridge/spool/live", "REC_PROMPTS=/var/lib/ami-bridge/prompts",
        "REC_LANGUAGES=fi-sv-en", "REC_LANGUAGE=fi", "REC_NOTICE=recorded", "", ""]


def test_no_line_grows_with_the_number_of_routes(tmp_path: Path) -> None:
    dids = ", ".join(f'"0912345{number:03}*"' for number in range(500))
    text = render(from_text(tmp_path, HEAD + f'[[route]]\nname = "many"\ndid = [{dids}]\n'))
    assert max(map(len, text.split("\n"))) < 200


@pytest.mark.live
def test_a_real_asterisk_decides_so_too(config: Config, tmp_path: Path) -> None:
    entries = ENTRY_POINTS[::3]
    generated = tmp_path / "ami_bridge_generated.conf"
    generated.write_text(render(config), "utf-8")
    settings = Settings(dialplan=asking(entries), includes=[generated])
    with Pbx(tmp_path / "pbx", settings, binds=[tmp_path]) as pbx:
        begin(pbx, "ask@asking")
        shown = shown_when(pbx, "asked=yes")
    assert "REC_AGI_SECRET=agi-secret-of-the-tests" in shown
    said = dict(re.findall(r"^\s*said(\d+)=(.*)$", shown, re.MULTILINE))
    for number, entry in enumerate(entries):
        wanted = "/".join(expected(policy_of(config), entry)[name] for name in OUTPUTS)
        assert said[str(number)] == wanted, entry


def begin(pbx: Pbx, extension: str) -> None:
    """Run an extension on a channel of its own."""
    with socket.create_connection(pbx.ami, timeout=10) as ami:
        login = f"Action: Login\r\nUsername: capture\r\nSecret: {pbx.settings.secret}\r\nEvents: off\r\n\r\n"
        originate = f"Action: Originate\r\nChannel: Local/{extension}/n\r\nApplication: Wait\r\nData: 30\r\n\r\n"
        ami.sendall((login + originate).encode())
        answers = ami.makefile("rb")
        while b"Originate" not in (line := answers.readline()):
            assert line and not line.startswith(b"Response: Error"), line


def shown_when(pbx: Pbx, text: str) -> str:
    """Return all global variables once ``text`` is among them."""
    for _ in range(60):
        shown = pbx.rx("dialplan show globals")
        if text in shown:
            return shown
        time.sleep(0.5)
    raise AssertionError(f"{text} never came:\n{shown}")


def asking(entries: list[EntryPoint]) -> str:
    """Return a dialplan that asks for each entry point and keeps the answers in global variables."""
    lines = ["[asking]", "exten => ask,1,Answer()"]
    for number, entry in enumerate(entries):
        for variable, value in variables(entry).items():
            coded = base64.b64encode(value.encode()).decode()
            lines.append(f" same => n,Set({variable}={f'${{BASE64_DECODE({coded})}}' if value else ''})")
        lines.append(f" same => n,Gosub({CONTEXT},s,1)")
        lines.append(f" same => n,Set(GLOBAL(said{number})=" + "/".join(f"${{{name}}}" for name in OUTPUTS) + ")")
    return "\n".join([*lines, " same => n,Set(GLOBAL(asked)=yes)", " same => n,Hangup()"])
