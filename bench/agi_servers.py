"""The FastAGI servers, each in a process of its own: `python -m bench.agi_servers SERVER SCRIPT FOLDER`.

It prints its port, serves until its stdin closes, then prints the CPU seconds it took.
"""

import asyncio
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from panoramisk.fast_agi import Application, Request

from agi_scripts import variables
from agi_scripts.announce import Desk, announce
from ami_bridge.app import new_id, now
from ami_bridge.asterisk.fastagi import FastAgiLimits, FastAgiServer
from ami_bridge.core.agi import Command, Reply, Script, command
from ami_bridge.core.notice import Policy, Prompt, Route
from ami_bridge.spool import Spool
from bench.asterisk_side import PATH, SAMPLES, SECRET

PROMPT = Prompt(name="recorded", language="en", version=1, file="/prompts/en/recorded-v1", samples=SAMPLES,
                sha256="0" * 64)
POLICY = Policy(exchange="pbxtest", days=31, floor=0, routes=(Route(name="inbound", days=31, languages=("en",)),),
                prompts=(PROMPT,))


async def ours(script: Script) -> int:
    """Serve a script as the daemon does; return the port."""
    server = FastAgiServer("127.0.0.1", 0, SECRET, {PATH: script}, limits=FastAgiLimits(workers=0))
    await server.start()
    return server.port


async def panoramisk(script: Script) -> int:
    """Serve the same script from panoramisk's application, as its users write one; return the port."""
    application = Application()
    application.add_route(PATH, partial(_run, script))
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0, backlog=1024)
    _KEPT.append(server)
    return int(server.sockets[0].getsockname()[1])


_KEPT: list[asyncio.Server] = []


async def _run(script: Script, request: Request) -> None:
    conversation = script(request.headers)
    step = next(conversation)
    with suppress(StopIteration):
        while True:
            step = conversation.send(_reply(await request.send_command(step.line)) if isinstance(step, Command) else step())


def _reply(answer: dict) -> Reply:
    result, text = answer["result"]
    return Reply(result, text, int(answer["endpos"][0]) if "endpos" in answer else -1)


def announcement(folder: Path) -> Script:
    """Return the real `announce`: decision, durable ticket, verdict."""
    spool = Spool(folder)
    spool.create()
    return partial(announce, Desk(POLICY, spool.write_ticket, now, new_id, partial(spool.obstacle, POLICY.floor)))


_CALL = {"call": "0" * 36, "recording": "0" * 36, "verdict": "record"}
_COMMANDS = [variables.keep_waiting(5), variables.question(), command("ANSWER"), variables.keep_waiting(6),
             command("STREAM FILE", PROMPT.file, ""), variables.give(**_CALL)]


def commands(folder: Path) -> Script:
    """Return a script that says the same commands and does nothing besides: what is left is the server itself."""
    return lambda environment: (step for step in _COMMANDS)


SERVERS = {"ours": ours, "panoramisk": panoramisk}
SCRIPTS = {"announcement": announcement, "commands": commands}


async def serve(server: str, script: str, folder: Path) -> None:
    """Run one server as long as our parent holds our stdin open."""
    print(await SERVERS[server](SCRIPTS[script](folder)), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(time.process_time(), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
