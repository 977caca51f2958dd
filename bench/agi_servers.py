"""The FastAGI servers, each in a process of its own: `python -m bench.agi_servers ours|panoramisk FOLDER`.

It prints its port, serves until its stdin closes, then prints the CPU seconds it took.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from panoramisk.fast_agi import Application, Request

from agi_scripts import variables
from agi_scripts.announce import Desk, announce
from ami_bridge.app import new_id, now
from ami_bridge.asterisk.fastagi import FastAgiLimits, FastAgiServer
from ami_bridge.core.agi import command
from ami_bridge.core.notice import Policy, Prompt, Route
from ami_bridge.spool import Spool
from bench.asterisk_side import PATH, SAMPLES, SECRET

PROMPT = Prompt(name="recorded", language="en", version=1, file="/prompts/en/recorded-v1", samples=SAMPLES,
                sha256="0" * 64)
POLICY = Policy(exchange="pbxtest", routes=(Route(name="inbound", languages=("en",)),), prompts=(PROMPT,))


async def ours(folder: Path) -> int:
    """Serve the real `announce` with a real spool; return the port."""
    spool = Spool(folder)
    spool.create()
    desk = Desk(POLICY, spool.write_ticket, now, new_id)
    limits = FastAgiLimits(workers=0 if spool.in_memory() else FastAgiLimits().workers)
    server = FastAgiServer("127.0.0.1", 0, SECRET, {PATH: partial(announce, desk)}, limits=limits)
    await server.start()
    return server.port


async def panoramisk(folder: Path) -> int:
    """Serve the same commands from panoramisk's application: no decision, no ticket; return the port."""
    application = Application()
    application.add_route(PATH, _say_the_same)
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0, backlog=1024)
    _KEPT.append(server)
    return int(server.sockets[0].getsockname()[1])


_KEPT: list[asyncio.Server] = []
_CALL = {"call": "0" * 36, "recording": "0" * 36, "verdict": "record"}
_COMMANDS = [variables.keep_waiting(5), variables.question(), command("ANSWER"), variables.keep_waiting(6),
             command("STREAM FILE", PROMPT.file, ""), variables.give(**_CALL)]


async def _say_the_same(request: Request) -> None:
    for step in _COMMANDS:
        await request.send_command(step.line)


async def serve(start: Callable[[Path], Awaitable[int]], folder: Path) -> None:
    """Run one server as long as our parent holds our stdin open."""
    print(await start(folder), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(time.process_time(), flush=True)


if __name__ == "__main__":
    asyncio.run(serve({"ours": ours, "panoramisk": panoramisk}[sys.argv[1]], Path(sys.argv[2])))
