"""The self-check of the privacy notice: gathers the evidence for each clause from the live system. It changes nothing."""

from collections.abc import Callable, Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from ami_bridge.config import Config
from ami_bridge.core.errors import AmiBridgeError, RegisterError
from ami_bridge.core.faults import fault
from ami_bridge.core.promise_evidence import Unseen
from ami_bridge.core.promises import CHECKS, Check, Line
from ami_bridge.register import Register
from ami_bridge.services import promises_notice, promises_people, promises_places, promises_register, promises_time
from ami_bridge.services.promises_house import House

GATHERERS: dict[str, Callable[[House], Any]] = {
    **promises_notice.GATHERERS, **promises_register.GATHERERS, **promises_time.GATHERERS, **promises_places.GATHERERS,
    **promises_people.GATHERERS}
"""What is looked at -> how its evidence is had; none for what only a person can see."""


def examine(config: Config, file: Path, now: datetime, verbs: Collection[str]) -> list[Line]:
    """Return a line for every check, by clause. ``file``: the configuration's; ``verbs``: all that the program can do."""
    try:
        register = Register.open(config.register.url)
    except RegisterError as problem:
        return _lines(House(config, file, now, verbs, None, problem))
    with closing(register):
        return _lines(House(config, file, now, verbs, register))


def _lines(house: House) -> list[Line]:
    return [check.line(_evidence(check, house)) for check in CHECKS]


def _evidence(check: Check, house: House) -> Any:
    """Return what is seen. What cannot be seen is no reason to see nothing else; its own words may name a caller."""
    gather = GATHERERS.get(check.about)
    if gather is None:
        return None
    try:
        return gather(house)
    except AmiBridgeError as problem:
        return Unseen(str(problem.args[0]), problem.hint)
    except OSError as problem:
        what = f"{problem.filename or 'something'} cannot be looked at ({problem.strerror or type(problem).__name__})"
        return Unseen(what, "Run this check as the daemon's user, or as root.")
    except Exception as problem:  # noqa: BLE001 - one check that fails shall not silence the others
        return Unseen(f"could not be looked at ({fault(problem)})", "This is a bug: report it.")
