"""One FastAGI conversation: drives a script by what Asterisk answers. Never off by one, never without a limit.

Source: Asterisk 22 ``res/res_agi.c`` (agi_handle_command: 200, 510, 511, 520; run_agi: the in-band HANGUP).
"""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from ami_bridge.core.agi import Command, Conversation, Script, parse_reply
from ami_bridge.core.errors import AgiHangup, AgiSyntaxError, PeerError
from ami_bridge.core.faults import fault

LONGEST_REPLY = 1 << 16
MOST_SKIPPED = 200
"""Lines that are no answer (``HANGUP``, ``100 Trying``) in one conversation; a real one has two."""

MOST_REFUSED = 50
"""Commands a script may still ask for after the end before it is stopped."""

log = logging.getLogger(__name__)


class AgiSilence(PeerError):
    """The exchange did not answer an AGI command in time."""


class Ending(StrEnum):
    """How a connection ended; each is a counter and, but for the first, a line in the log."""

    FINISHED = "finished"
    FOREIGN_PEER = "foreign-peer"
    TOO_MANY = "too-many"
    EMPTY = "empty"
    HEADER_LATE = "header-late"
    HEADER_TOO_LONG = "header-too-long"
    HEADER_TORN = "header-torn"
    WRONG_SECRET = "wrong-secret"  # noqa: S105 - the name of an ending
    UNKNOWN_SCRIPT = "unknown-script"
    HUNG_UP = "hung-up"
    SILENCE = "silence"
    SYNTAX = "syntax"
    SCRIPT_FAILED = "script-failed"


class Conversant:
    """Runs one script. ``write`` sends bytes, ``end`` takes the ending once, ``submit`` has ``work`` done by a thread.

    A peer that goes wrong is told to the script as an exception (PeerError) at its ``yield``; after it the script may
    still ask for work, and gets AgiHangup for every command. ``theirs``: seconds of the party, who listened or thought.
    """

    def __init__(self, script: Script, environment: dict[str, str], write: Callable[[bytes], None],
                 end: Callable[[Ending], None], submit: Callable[["Conversant"], None]) -> None:
        self._script, self._environment = script, environment
        self._write, self._end, self._submit = write, end, submit
        self._conversation: Conversation | None = None
        self._work: Callable[[], Any] | None = None
        self._loop = asyncio.get_running_loop()
        self._due: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._buffer = b""
        self._in_usage = False
        self._skipped = 0
        self._failure: PeerError | None = None
        self._untold: PeerError | None = None
        self._ending = Ending.FINISHED
        self._theirs_since: float | None = None
        self.theirs = 0.0

    def begin(self) -> None:
        """Run the script to its first step."""
        self._resume(lambda: self._start().send(None))

    def received(self, data: bytes) -> None:
        """Take what Asterisk sent: whole lines are used, the rest is kept."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if self._failure:
                return
            self._line(line)
        if len(self._buffer) > LONGEST_REPLY:
            self.fail(AgiSyntaxError(f"a reply is longer than {LONGEST_REPLY} bytes"), Ending.SYNTAX)

    def fail(self, error: PeerError, ending: Ending) -> None:
        """Note that the peer went wrong, and tell the script as soon as it listens. The first failure counts."""
        if self._failure:
            return
        self._failure, self._untold, self._ending, self._buffer = error, error, ending, b""
        if self._due is not None:
            self._due = None
            self._resume(lambda: self._start().throw(self._refusal()))

    def work(self) -> Any:
        """Do the blocking work the script asked for; called in a thread."""
        assert self._work
        try:
            return self._work()
        except StopIteration as error:
            raise RuntimeError("an iterator ran out in a script's work") from error

    def worked(self, future: "asyncio.Future[Any]") -> None:
        """Give the work's result, or its exception, to the script."""
        error = AgiHangup("the server is stopping") if future.cancelled() else future.exception()
        conversation = self._start()
        self._resume(lambda: conversation.throw(error) if error else conversation.send(future.result()))

    def _start(self) -> Conversation:
        if self._conversation is None:
            self._conversation = self._script(self._environment)
        return self._conversation

    def _line(self, line: bytes) -> None:
        text = line.decode("utf-8", "surrogateescape")
        if self._is_no_answer(text):
            self._skipped += 1
            if self._skipped > MOST_SKIPPED:
                self.fail(AgiSyntaxError(f"more than {MOST_SKIPPED} lines that answer nothing"), Ending.SYNTAX)
            return
        try:
            reply = parse_reply(text)
        except AgiHangup as error:
            self.fail(error, Ending.HUNG_UP)
        except AgiSyntaxError as error:
            self.fail(error, Ending.SYNTAX)
        else:
            self._reply(reply)

    def _is_no_answer(self, text: str) -> bool:
        self._in_usage = text.startswith("520-") or (self._in_usage and not text.startswith("520"))
        return self._in_usage or text == "HANGUP" or text.startswith("100")

    def _reply(self, reply: Any) -> None:
        if self._due is None:
            self.fail(AgiSyntaxError("an answer came that no command asked for"), Ending.SYNTAX)
            return
        self._due = None
        if self._theirs_since is not None:
            self.theirs += self._loop.time() - self._theirs_since
        self._resume(lambda: self._start().send(reply))

    def _resume(self, go_on: Callable[[], Any]) -> None:
        """Let the script run to its next step, and take that step."""
        try:
            self._take(self._until_possible(go_on()))
        except StopIteration:
            self._finish(self._ending)
        except Exception as error:  # noqa: BLE001 - a script's bug ends its own call, not the server
            if not (self._failure and isinstance(error, PeerError)):
                self._ending = Ending.SCRIPT_FAILED
                log.error("An AGI script failed (%s)", fault(error), extra={"action": "agi_script_raised"})
            self._finish(self._ending)

    def _until_possible(self, step: Any) -> Any:
        """Return the next step that can be taken: after a failure, commands are refused until work or the end comes."""
        for _ in range(MOST_REFUSED):
            if not (self._failure and isinstance(step, Command)):
                return step
            step = self._start().throw(self._refusal())
        raise self._failure or AgiHangup("the conversation is over")

    def _refusal(self) -> PeerError:
        refusal, self._untold = self._untold or AgiHangup("the conversation is over"), None
        return refusal

    def _take(self, step: Any) -> None:
        if isinstance(step, Command):
            self._write(step.line.encode("utf-8", "surrogateescape") + b"\n")
            now = self._loop.time()
            self._theirs_since = now if step.theirs else None
            self._arm(now + step.patience)
        else:
            self._work = step
            self._submit(self)

    def _arm(self, due: float) -> None:
        """Have ``_ring`` called when ``due`` is past. One timer serves many commands: it is cheaper late than exact."""
        self._due = due
        if self._alarm and self._alarm.when() > due:
            self._alarm.cancel()
            self._alarm = None
        if not self._alarm:
            self._alarm = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._due is not None and self._due > self._loop.time():
            self._arm(self._due)
        elif self._due is not None:
            self.fail(AgiSilence("the exchange did not answer an AGI command in time"), Ending.SILENCE)

    def _finish(self, ending: Ending) -> None:
        self._due = None
        if self._alarm:
            self._alarm.cancel()
        if self._conversation:
            self._conversation.close()
        self._end(ending)
