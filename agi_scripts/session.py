"""A script as a process of its own: pyst2's conversation, fenced.

Mended here: pyst2 writes every variable (numbers, names) to stderr, quotes without escaping, gives up the end
position of a failed playback, and waits for ever (facts 85-87). Only its reading and writing of lines is used.
"""

import os
import secrets
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from asterisk.agi import AGI, AGIException

from agi_scripts.announce import Desk, announce
from ami_bridge.core.agi import Command, Conversation, Reply, parse_reply
from ami_bridge.core.errors import AgiHangup, AmiBridgeError, ConfigurationError
from ami_bridge.core.ids import RANDOM_BYTES, uuid7
from ami_bridge.core.policy_json import policy_from_json
from ami_bridge.spool import Spool

TO_FIRST_LINE = 2
"""Seconds that Asterisk may take to send the environment."""


class ProcessSession(AGI):
    """One AGI conversation on stdin and stdout."""

    def __init__(self, stdin: TextIO, stdout: TextIO) -> None:
        with Path(os.devnull).open("w") as silence:
            super().__init__(stdin, stdout, silence)
        self.stderr = _Silent()

    def ask(self, step: Command) -> Reply:
        """Send one command; return its reply. AgiHangup when Asterisk closed the conversation."""
        try:
            self.send_command(step.line)
        except OSError as error:
            raise AgiHangup("Asterisk closed the conversation") from error
        while True:
            reply = parse_reply(self._line())
            if reply is not None:
                return reply

    def _line(self) -> str:
        line = self.stdin.readline()
        if not line:
            raise AgiHangup("Asterisk closed the conversation")
        return line.rstrip("\n")


class _Silent:
    def write(self, text: str) -> None:
        """Drop what pyst2 would have told the world."""


def converse(session: ProcessSession, conversation: Conversation) -> None:
    """Run a script to its end: each step is asked of Asterisk or done here, its result sent back."""
    try:
        step = next(conversation)
        while True:
            step = _advance(session, conversation, step)
    except StopIteration:
        return


def _advance(session: ProcessSession, conversation: Conversation, step: Any) -> Any:
    try:
        result = session.ask(step) if isinstance(step, Command) else step()
    except (AmiBridgeError, OSError) as error:
        return conversation.throw(error)
    return conversation.send(result)


def desk_for(spool: Spool) -> Desk:
    """Return what a script works with in this process; ConfigurationError when the daemon left no policy."""
    try:
        policy = policy_from_json(spool.policy.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no notice policy at {spool.policy}",
                                 "Start the daemon once, or run `ami-bridge init`.") from error
    return Desk(policy, spool.write_ticket, lambda: datetime.now(UTC), new_id, partial(spool.obstacle, policy.floor))


def new_id(now: datetime) -> UUID:
    """Return a fresh UUIDv7."""
    return uuid7(now, secrets.token_bytes(RANDOM_BYTES))


SCRIPTS: dict[str, Callable[[Desk, dict[str, str]], Conversation]] = {"announce": announce}


def main() -> int:
    """Run ``ami-bridge-agi SCRIPT SPOOL`` under Asterisk. The exit code is for the admin: Asterisk ignores it."""
    signal.alarm(TO_FIRST_LINE)
    sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    try:
        script, spool = SCRIPTS[sys.argv[1]], Spool(Path(sys.argv[2]))
        session = ProcessSession(sys.stdin, sys.stdout)
        signal.alarm(0)
        converse(session, script(desk_for(spool), session.env))
    except (AmiBridgeError, AGIException, OSError) as error:
        sys.stderr.write(f"ami-bridge-agi: {error}\n")
        return 1
    except (KeyError, IndexError):
        sys.stderr.write(f"usage: ami-bridge-agi {{{'|'.join(SCRIPTS)}}} SPOOL   (the dialplan calls this)\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
