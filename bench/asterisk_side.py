"""Asterisk's side of AGI: what it says of a call, and what it answers to each command of the announcement."""

import asyncio
import base64
import sys
import time
from collections.abc import Callable

from agi_scripts import variables

SECRET = "s" * 32
SAMPLES = 9600
PATH = "announce"
_VALUES = {
    "direction": "inbound", "context": "from-trunk", "did": "1000", "queue": "", "caller": "0401234567",
    "presentation": "allowed_not_screened", "company_channel": "", "company_name": "", "demanded": "", "language": "en",
    "channel": "PJSIP/trunk-00000001", "uniqueid": "pbxtest-1700000000.1", "linkedid": "pbxtest-1700000000.1",
}


def environment(port: int) -> bytes:
    """Return the header that res_agi sends (setup_env); the path as panoramisk's application wants it, without a slash."""
    lines = {
        "network": "yes", "network_script": PATH, "request": f"agi://127.0.0.1:{port}/{PATH}",
        "channel": _VALUES["channel"], "language": "en", "type": "PJSIP", "uniqueid": _VALUES["uniqueid"],
        "version": "22.10.1", "callerid": "0401234567", "calleridname": "unknown", "callingpres": "0", "callingani2": "0",
        "callington": "0", "callingtns": "0", "dnid": "1000", "rdnis": "unknown", "context": "recorded-call-begin",
        "extension": "s", "priority": "11", "enhanced": "0.0", "accountcode": "", "threadid": "140000000000000",
        "arg_1": SECRET,
    }
    return "".join(f"agi_{name}: {value}\n" for name, value in lines.items()).encode() + b"\n"


def _answer_to_question() -> str:
    """Return the answer to the one question that `announce` puts; the fields are those it asks for, in its order."""
    expressions = variables.question().line.count("BASE64_ENCODE")
    if expressions != len(_VALUES):
        raise RuntimeError("announce asks for other variables than this benchmark gives: mend _VALUES")
    return ",".join(base64.b64encode(b"-" + value.encode() + b"|--").decode() for value in _VALUES.values())


ANSWERS = {
    b"SET": b"200 result=1\n",
    b"GET": f"200 result=1 ({_answer_to_question()})\n".encode(),
    b"ANS": b"200 result=0\n",
    b"STR": f"200 result=0 endpos={SAMPLES}\n".encode(),
    b"EXE": b"200 result=0\n",
}
"""By the first letters of the command."""


class Caller(asyncio.Protocol):
    """One call's connection: says its environment, answers every command, tells when the script closed."""

    def __init__(self, hello: bytes, done: Callable[["Caller"], None]) -> None:
        self._hello, self._done = hello, done
        self.verdict = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Speak first; called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """Answer a command; called by asyncio. A server sends the next one only after its answer."""
        self.verdict = self.verdict or b"REC_VERDICT=record" in data
        self._transport.write(ANSWERS[data[:3]])

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end; called by asyncio."""
        self._done(self)


async def converse(port: int, calls: int, at_once: int) -> list[float]:
    """Have ``calls`` conversations, ``at_once`` at a time; return how long each took (s). RuntimeError when one failed."""
    hello, waiting = environment(port), iter(range(calls))

    async def line() -> list[float]:
        return [await _one_connection(port, hello) for _ in waiting]

    lines = await asyncio.gather(*(line() for _ in range(at_once)))
    return [seconds for line in lines for seconds in line]


async def _one_connection(port: int, hello: bytes) -> float:
    begun = time.perf_counter()
    over: asyncio.Future[Caller] = asyncio.get_running_loop().create_future()
    await asyncio.get_running_loop().create_connection(lambda: Caller(hello, over.set_result), "127.0.0.1", port)
    if not (await over).verdict:
        raise RuntimeError("an AGI server ended a conversation without a verdict")
    return time.perf_counter() - begun


async def converse_with_processes(command: list[str], calls: int, at_once: int) -> list[float]:
    """The same with a process for each call, as AGI() starts one; ``command`` is the script."""
    hello, waiting = environment(0), iter(range(calls))

    async def line() -> list[float]:
        return [await _one_process(command, hello) for _ in waiting]

    lines = await asyncio.gather(*(line() for _ in range(at_once)))
    return [seconds for line in lines for seconds in line]


async def _one_process(command: list[str], hello: bytes) -> float:
    begun = time.perf_counter()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=pipe, stdout=pipe,
                                                   stderr=asyncio.subprocess.DEVNULL)
    assert process.stdin and process.stdout
    process.stdin.write(hello)
    verdict = False
    while line := await process.stdout.readline():
        verdict = verdict or b"REC_VERDICT" in line
        process.stdin.write(ANSWERS[line[:3]])
    if await process.wait() or not verdict:
        raise RuntimeError("an AGI process ended without a verdict")
    return time.perf_counter() - begun
