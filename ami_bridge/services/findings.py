"""What the doctor finds: one thing looked at, how it is, why, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a thing is. An error keeps calls from being recorded as promised; a warning may come to that."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; ``remedy`` is empty where nothing is to do."""

    name: str
    status: Status
    reason: str
    remedy: str = ""


def ok(name: str, reason: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(name, Status.OK, reason)


def warning(name: str, reason: str, remedy: str) -> Finding:
    """Return the finding of something that may go wrong."""
    return Finding(name, Status.WARNING, reason, remedy)


def error(name: str, reason: str, remedy: str) -> Finding:
    """Return the finding of something that is wrong."""
    return Finding(name, Status.ERROR, reason, remedy)
