"""The doctor's look at where Asterisk sends what it notes of calls: databases and system logs, by its configuration.

Sources (Asterisk 22): the samples of logger.conf, extconfig.conf and of the cdr and cel back ends.
"""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from ami_bridge.asterisk.conf import Conf, read
from ami_bridge.config import Config
from ami_bridge.services.doctor_places import IN_LOGS
from ami_bridge.services.findings import Finding, ok, warning

NAME = "backends"
BACK_ENDS = ("cdr_adaptive_odbc", "cdr_odbc", "cdr_pgsql", "cdr_mysql", "cdr_tds", "cdr_beanstalkd", "cdr_radius",
             "cdr_syslog", "cel_odbc", "cel_pgsql", "cel_tds", "cel_beanstalkd", "cel_radius")
"""Files that have settings only where somebody set that back end up; in the samples they are commented out, but for ..."""

SAMPLED = "columns"
"""... this section."""

HARMLESS = ("console", "security")
CLEAR = "Have its rows removed after {days} days there, or turn it off (modules.conf: noload => {module}.so)."
SYSTEM_LOG = "Log to files that logrotate clears, or keep the system's log for {days} days at most (MaxRetentionSec)."
OTHER_LOG = "Rotate it daily and keep {days} old files at most (logrotate), or take the line out."


def backends(config: Config, folder: Path) -> Iterator[Finding]:
    """Warn of each back end that is set up: what it keeps, no run of ours clears."""
    days = config.retention.days - 1
    found = [*databases(folder, days), *realtime(folder, days), *logs(folder, days)]
    yield from found or [ok(NAME, "Asterisk sends what it notes of calls to no database and to no system log")]


def databases(folder: Path, days: int) -> Iterator[Finding]:
    """Warn of call records in databases."""
    for module in BACK_ENDS:
        conf = there(folder, f"{module}.conf")
        is_set = any(own for section, own in conf.sections.items() if section != SAMPLED)
        if is_set and conf.yes("general", "enabled", otherwise=True):
            yield warning(NAME, f"{folder / module}.conf is set up: a row a call is kept there",
                          CLEAR.format(days=days, module=module))


def realtime(folder: Path, days: int) -> Iterator[Finding]:
    """Warn of the queues' log in a database."""
    if there(folder, "extconfig.conf").all("settings", "queue_log"):
        yield warning(NAME, "extconfig.conf keeps queue_log in a database: numbers of callers",
                      f"Have its rows removed after {days} days there, or take the line out.")


def logs(folder: Path, days: int) -> Iterator[Finding]:
    """Warn of logs that go to the system's, and of files under names that we do not look for."""
    for key in there(folder, "logger.conf").keys("logfiles"):
        if key.startswith("syslog"):
            yield warning(NAME, f"logger.conf sends Asterisk's log to the system's ({key}): numbers of callers",
                          SYSTEM_LOG.format(days=days))
        elif key not in HARMLESS and not any(fnmatch(key, place.pattern) for place in IN_LOGS):
            yield warning(NAME, f"logger.conf writes a log of its own ({key}): numbers of callers",
                          OTHER_LOG.format(days=days))


def there(folder: Path, name: str) -> Conf:
    """Return what a file says; nothing where it is not there."""
    return read(folder, name) if (folder / name).is_file() else Conf(folder)
