"""The AGI conversation as values: commands out, replies in. The one place that quotes AGI arguments.

Source: Asterisk 22 ``res/res_agi.c`` (parse_args, setup_env, agi_handle_command). No I/O: the FastAGI server and the
process session both use it.
"""

import re
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple

from ami_bridge.core.errors import AgiHangup, AgiSyntaxError

LONGEST_LINE = 1500
"""Bytes of one command; Asterisk cuts at 2048 up to 20.15 and 22.5 (fact 68)."""

_REPLY = re.compile(r"(\d{3}) result=(\S*)(?: \((.*)\))?(?: endpos=(-?\d{1,18}))?\s*$", re.DOTALL)
_ENV = re.compile(r"(agi_\w+): ?(.*)", re.DOTALL)
_FORBIDDEN = re.compile(r"[\x00\r\n]")


class Reply(NamedTuple):
    """What Asterisk answered: ``result`` as text, ``text`` in parentheses, ``endpos`` in samples (-1: none)."""

    result: str
    text: str = ""
    endpos: int = -1


class Command(NamedTuple):
    """A line for Asterisk and how many seconds its answer may take.

    ``theirs``: the party listens or makes up their mind meanwhile, so that its time is not ours to answer for.
    """

    line: str
    patience: float = 2.0
    theirs: bool = False


Step = Command | Callable[[], Any]
"""What a script asks for next: an AGI command, or a piece of blocking work to be done off the event loop."""

Conversation = Generator[Step, Any, None]
"""A running script: it yields steps and is sent a ``Reply`` for a command, the work's result for a piece of work."""

Script = Callable[[dict[str, str]], Conversation]
"""A script takes the ``agi_*`` environment. Written once, run by the FastAGI server and by the process session."""


def quote(argument: str) -> str:
    """Return one AGI argument in quotes; AgiSyntaxError on CR, LF or NUL, which no quoting can carry."""
    if _FORBIDDEN.search(argument):
        raise AgiSyntaxError("an AGI argument holds a line break or NUL")
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command(verb: str, *arguments: str | int, patience: float = 2.0, theirs: bool = False) -> Command:
    """Return one command (the line without its end); numbers stand bare, text is quoted."""
    words = [verb, *(str(a) if isinstance(a, int) else quote(a) for a in arguments)]
    line = " ".join(words)
    if len(line.encode("utf-8", "surrogateescape")) > LONGEST_LINE:
        raise AgiSyntaxError(f"an AGI command is longer than {LONGEST_LINE} bytes")
    return Command(line, patience, theirs)


def parse_reply(line: str) -> Reply | None:
    """Return the reply in one line, or None for a line that is not the answer yet (``HANGUP``, ``100 Trying``, ``520-``).

    Raises AgiSyntaxError for a refused command or for something that is not AGI, AgiHangup for a dead channel.
    """
    if line == "HANGUP" or line.startswith(("100", "520-")):
        return None
    found = _REPLY.match(line)
    if found and found[1] == "200":
        return Reply(found[2], found[3] or "", int(found[4] or -1))
    if line.startswith("511"):
        raise AgiHangup("the channel hung up")
    raise AgiSyntaxError(f"Asterisk refused an AGI command with status {line[:3]!r}")


def parse_environment(lines: Iterable[str]) -> dict[str, str]:
    """Return the ``agi_*`` values, first one wins: a forged later line changes nothing (fact 69)."""
    environment: dict[str, str] = {}
    for line in lines:
        found = _ENV.match(line)
        if found:
            environment.setdefault(found[1], found[2])
    return environment
