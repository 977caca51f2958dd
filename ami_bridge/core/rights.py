"""What our manager user needs, and what it must not have. Pure.

Sources: Asterisk 22 ``main/manager.c`` (ListCommands tells an action only to whom may use it, with the classes of which any
one suffices), ``README-SERIOUSLY.bestpractices.md``; facts 55-57.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

ALL = "all"
WRITE = {
    "reporting": "calls in progress are not known after a gap",
    "call": "no recording can be paused, and whoever was not told is recorded",
    "user": "commands cannot ask the daemon for a pause",
}
"""Classes of ``write`` that we need, and what is lost without."""

READ = {
    "call": "who joins a call, and who holds it, is not known",
    "agent": "the names of the agents of queues are not known",
    "user": "the daemon does not hear where recordings begin and end",
}
"""The same of ``read``."""

DANGEROUS = {
    "system": "run programs and stop Asterisk",
    "command": "run every command of Asterisk's console",
    "config": "read and change Asterisk's configuration",
    "originate": "place calls, and run programs by them",
    "agi": "steer every call",
    ALL: "do everything",
}
"""Classes of ``write`` with which whoever has our secret has the exchange."""

WITHOUT_TELLTALE = "reporting"
"""The class that no action has to itself on every release."""

_CLASSES = re.compile(r"\(Priv: ([^)]*)\)\s*$")


class Verdict(NamedTuple):
    """What is lacking, with what is lost; what is dangerous, with what it allows; what else is there for nothing."""

    lacking: dict[str, str]
    dangerous: dict[str, str]
    needless: tuple[str, ...]


def granted(actions: Mapping[str, str]) -> frozenset[str]:
    """Return the classes of ``write`` that follow from the actions our user is told of, each with its description."""
    asked = [_classes(description) for description in actions.values()]
    certain = {one for classes in asked if len(classes) == 1 for one in classes}
    if "system" not in certain and any(classes == {"system", WITHOUT_TELLTALE} for classes in asked):
        certain.add(WITHOUT_TELLTALE)
    return frozenset(certain)


def judge_write(classes: Iterable[str]) -> Verdict:
    """Judge the classes of ``write``. One that may do everything of the class ``system`` lacks no ``reporting``."""
    had = set(classes)
    lacking = {one: lost for one, lost in WRITE.items() if not had & {one, ALL}}
    if "system" in had:
        lacking.pop(WITHOUT_TELLTALE, None)
    dangerous = {one: allows for one, allows in DANGEROUS.items() if one in had}
    return Verdict(lacking, dangerous, tuple(sorted(had - WRITE.keys() - DANGEROUS.keys())))


def judge_read(classes: Iterable[str]) -> Verdict:
    """Judge the classes of ``read``: none of them is dangerous, but each costs and tells more than is needed."""
    had = set(classes)
    lacking = {one: lost for one, lost in READ.items() if not had & {one, ALL}}
    return Verdict(lacking, {}, tuple(sorted(had - READ.keys())))


def _classes(description: str) -> frozenset[str]:
    found = _CLASSES.search(description)
    return frozenset(found[1].split(",")) - {ALL, "<none>"} if found else frozenset()
