"""The daemon's log: one line an event, to stderr, or to systemd's journal in fields. Never a number or a name in it."""

import logging
import os
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from ami_bridge.core.faults import fault
from ami_bridge.daemon.journal import SOCKET, Journal, ours, priority

MARKS = ("action", "alarm", "call", "reason")
PREFIX = "AMI_BRIDGE_"
FOREIGN = "The event loop met a fault"
"""What is said in the place of asyncio's own words, which quote the arguments of what failed."""

log = logging.getLogger(__name__)


class Format(logging.Formatter):
    """One line: level, sentence, and what a machine greps for. Of an exception its kind and place, without its words."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; the marks come last."""
        return f"{record.levelname} {sentence(record)}"


class ToJournal(logging.Handler):
    """Hands each event to the journal: the sentence with its marks, and each mark as a field (AMI_BRIDGE_ACTION, ...).

    The marks stay in the sentence, so that ``journalctl | grep action=alarm`` finds what the documentation says.
    """

    def __init__(self, journal: Journal, otherwise: logging.Handler) -> None:
        super().__init__()
        self._journal, self._otherwise = journal, otherwise

    def emit(self, record: logging.LogRecord) -> None:
        """Write one event; where the journal does not take it, to stderr, which leads there too."""
        try:
            self._journal.send(fields(record))
        except OSError:
            self._otherwise.handle(record)


def fields(record: logging.LogRecord) -> dict[str, str]:
    """Return the journal's fields of one event (systemd.journal-fields(7))."""
    return {"MESSAGE": sentence(record), "PRIORITY": str(priority(record.levelno)), "SYSLOG_IDENTIFIER": "ami-bridge",
            "CODE_FUNC": record.funcName or "", **{PREFIX + name.upper(): value for name, value in marks(record).items()}}


def marks(record: logging.LogRecord) -> dict[str, str]:
    """Return what a machine looks for in an event."""
    return {name: str(value) for name in MARKS if (value := record.__dict__.get(name))}


def sentence(record: logging.LogRecord) -> str:
    """Return an event in one line: what happened, then the marks."""
    said = FOREIGN if record.name == "asyncio" and record.levelno >= logging.ERROR else record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    kind = [f"({fault(error)})"] if isinstance(error, Exception) else []
    return " ".join([*said.splitlines(), *kind, *(f"{name}={value}" for name, value in marks(record).items())])


def log_to_stderr(journal: str = SOCKET) -> None:
    """Send the log to stderr; where that is the journal, to the journal in fields. Faults of ours are told there too.

    Of what libraries say only warnings: one that makes letters tells each letter of a name it writes.
    """
    handler: logging.Handler = logging.StreamHandler()
    handler.setFormatter(Format())
    if ours(sys.stderr.fileno(), os.environ.get("JOURNAL_STREAM", "")):
        handler = ToJournal(Journal(journal), handler)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("ami_bridge").setLevel(logging.INFO)
    sys.excepthook = _fatal
    threading.excepthook = lambda lost: _fatal(lost.exc_type, lost.exc_value, lost.exc_traceback)


def _fatal(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Tell the way to a fault that nobody caught: files and lines, no values."""
    if issubclass(kind, SystemExit | KeyboardInterrupt):
        return
    way = " < ".join(f"{Path(at.filename).name}:{at.lineno}" for at in reversed(traceback.extract_tb(trace)))
    log.critical("A fault nobody expected: %s at %s. Report it, please", kind.__name__, way, extra={"action": "fault"})
