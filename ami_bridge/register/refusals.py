"""What the database refuses, said in our own words, in one place.

The words of a driver never come through where they might quote a row: PostgreSQL prints the failing row into its
messages ("Failing row contains ..."), and a row is personal data. Only codes and names of constraints are taken over.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
    TimeoutError,
)

from ami_bridge.core.errors import RegisterError

HINTS = {
    "SQLITE_BUSY": "Another program holds it: try again, and see who has it open with 'fuser'.",
    "SQLITE_CANTOPEN": "Let the user who runs ami-bridge read and write the file and its directory.",
    "SQLITE_CORRUPT": "Stop writing to it and see docs/operations: a damaged register.",
    "SQLITE_FULL": "The disk is full: make room and try again.",
    "SQLITE_IOERR": "The disk failed, or was made read-only when it did: see the machine's log, and mend it.",
    "SQLITE_NOTADB": "The file is not a database: correct the URL of the register in the configuration.",
    "SQLITE_READONLY": "Let the user who runs ami-bridge write the file and its directory.",
    "42501": "Give the database user the right to use, and at init to create, the tables.",
    "53100": "The disk of the database server is full: make room and try again.",
    "55P03": "Another program holds a lock: try again.",
}
"""By SQLite's name of the result code, or PostgreSQL's SQLSTATE."""

UNREACHABLE = "See that the database is running and reachable, then try again: nothing was changed."
WRONG_ENTRY = "This is a fault of the program: keep the ticket and the audio, and report it."


class RegisterUnavailable(RegisterError):
    """The retention database is out of reach, locked, full, damaged or forbidden.

    Nothing was changed, and the entry was not at fault: when that is mended the same may be tried again.
    """


@contextmanager
def refusals(place: str) -> Iterator[None]:
    """Turn every error of the database inside into a RegisterError about ``place``, without a word of its rows."""
    try:
        yield
    except SQLAlchemyError as error:
        raise explained(error, place) from None


def explained(error: SQLAlchemyError, place: str) -> RegisterError:
    """Return what ``error`` means. RegisterUnavailable where trying again may help."""
    code = code_of(error)
    hint = HINTS.get(code, "")
    match error:
        case IntegrityError():
            return RegisterError(f"the register at {place} refuses an entry ({constraint_of(error.orig)})", WRONG_ENTRY)
        case DBAPIError() | TimeoutError() if not isinstance(error, DataError):
            why = reason_of(error, code)
            return RegisterUnavailable(f"the register at {place} cannot be used now ({why})", hint or UNREACHABLE)
        case StatementError():
            return RegisterError(f"the register at {place} was given a wrong value ({code})", WRONG_ENTRY)
    return RegisterError(f"the register at {place} cannot be used ({code})", WRONG_ENTRY)


def code_of(error: SQLAlchemyError) -> str:
    """Return the driver's code of the error, else the class of the error."""
    orig = getattr(error, "orig", None)
    name = getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None)
    return _primary(name) if name else type(orig or error).__name__


def _primary(name: str) -> str:
    parts = name.split("_")
    return "_".join(parts[:2]) if parts[0] == "SQLITE" else name


def reason_of(error: SQLAlchemyError, code: str) -> str:
    """Return why there is no service: the driver's first line where not even a connection came about, else the code.

    Such a line names host, database and database user, and cannot quote a row: no statement was sent yet.
    """
    if not isinstance(error, DBAPIError) or error.statement is not None or code in HINTS:
        return code
    said = str(error.orig).strip().splitlines()
    return f"{code}: {said[0]}" if said else code


def constraint_of(orig: Any) -> str:
    """Return the name of the broken constraint. SQLite's message carries nothing else."""
    diagnosis = getattr(orig, "diag", None)
    if diagnosis is None:
        return str(orig)
    return diagnosis.constraint_name or f"{diagnosis.table_name}.{diagnosis.column_name}"
