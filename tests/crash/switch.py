"""The kill switch: a child process that dies, as by kill -9, before the n-th operation on files or database."""

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, event

WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"}
READS = ("SELECT", "PRAGMA")
"""How a statement begins that changes nothing: to die before it is to die before what comes next."""


def survives(step: int, root: Path, prepare: Callable[[], tuple[Engine, Callable[[], object]]]) -> bool:
    """Run the work in a child that dies before operation ``step`` under ``root``; tell whether it came to its end.

    ``prepare`` runs in the child and returns the register's engine and the work.
    """
    child = os.fork()
    if child == 0:
        _die_at(step, root, prepare)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), f"the work failed by itself before operation {step}"
    return code == 0


def _die_at(step: int, root: Path, prepare: Callable[[], tuple[Engine, Callable[[], object]]]) -> None:
    code = 1
    try:
        engine, work = prepare()
        operations = count(1)

        def tick(*_: object) -> None:
            if next(operations) == step:
                os._exit(9)

        def execute(connection: object, cursor: object, statement: str, *_: object) -> None:
            if not statement.lstrip().upper().startswith(READS):
                tick()

        def watch(name: str, arguments: tuple) -> None:
            if name in WATCHED and any(str(root) in str(argument) for argument in arguments):
                tick()

        sys.addaudithook(watch)
        event.listen(engine, "before_cursor_execute", execute)
        event.listen(engine, "commit", tick)
        work()
        code = 0
    finally:
        os._exit(code)
