"""The daemon's log: one line an event, to stderr, where journald adds the time."""

import logging
import traceback

MARKS = ("action", "alarm", "call", "reason")


class Format(logging.Formatter):
    """One line: level, sentence, and what a machine greps for."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; the marks come last."""
        marks = [f"{name}={value}" for name in MARKS if (value := record.__dict__.get(name))]
        return " ".join([super().format(record), *marks])


def log_to_stderr() -> None:
    """Send the log to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(Format("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def fault(error: Exception) -> str:
    """Return kind and place of a fault of ours, without its words: they might quote a call."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in line {where.lineno} of {where.name}"
