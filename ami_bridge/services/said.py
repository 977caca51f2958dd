"""What the daemon says of itself: its figures, read over HTTP; and what systemd says of the nightly job."""

import math
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from ami_bridge.config import Config
from ami_bridge.core.alarms import Name
from ami_bridge.spool import Spool

PATIENCE = 3.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - an address that is listened on, and where to find it
TIMER = "ami-bridge-purge.timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """Whether it runs, and what it says; ``shown`` tells whether it shows figures here, without which the rest is unknown.

    ``looked_at``: when its watch last looked, None before the first look. ``alarms``: those that hold, as of then.
    """

    running: bool
    shown: bool = False
    since: datetime | None = None
    version: str = ""
    connected: bool | None = None
    exchange_version: str = ""
    in_progress: int | None = None
    waiting: int | None = None
    looked_at: datetime | None = None
    alarms: tuple[Name, ...] = ()


def ask_daemon(config: Config) -> Daemon:
    """Return what the daemon of this configuration says; where it shows nothing, only whether it holds the spool."""
    said = _families(fetch(config.metrics.host, config.metrics.port)) if config.metrics.port else []
    if _word(said, "ami_bridge_build", "exchange") == config.exchange.name:
        return _daemon(said)
    return Daemon(running=Spool(config.spool.directory).locked())


def fetch(host: str, port: int) -> str:
    """Return the figures as text; empty where nobody shows any."""
    connection = HTTPConnection(ANYWHERE.get(host, host), port, timeout=PATIENCE)
    try:
        connection.request("GET", "/metrics", headers={"Accept": "text/plain"})
        answer = connection.getresponse()
        return answer.read().decode("utf-8", "replace") if answer.status == 200 else ""
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()


def next_purge() -> datetime | None:
    """Return when systemd begins the next run of the purge; None where it does not say."""
    command = ["systemctl", "show", "--property=NextElapseUSecRealtime", "--value", "--timestamp=unix", TIMER]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
        return datetime.fromtimestamp(int(said.strip().removeprefix("@")), UTC)
    except (OSError, ValueError, OverflowError, subprocess.SubprocessError):
        return None


def _families(text: str) -> list[Metric]:
    """Return the figures in a text; none where it is something else, of another program on our port."""
    try:
        return list(text_string_to_metric_families(text))
    except ValueError:
        return []


def _daemon(said: list[Metric]) -> Daemon:
    held = {word for family in said if family.name == "ami_bridge_alarm" for sample in family.samples if sample.value
            for word in sample.labels.values()}
    return Daemon(running=True, shown=True, since=_moment(said, "process_start_time_seconds"),
                  version=_word(said, "ami_bridge_build", "version"), looked_at=_moment(said, "ami_bridge_last_look"),
                  connected=bool(_value(said, "ami_bridge_exchange_connected")),
                  exchange_version=_word(said, "ami_bridge_exchange", "version"),
                  in_progress=_count(said, "ami_bridge_calls_in_progress"), waiting=_count(said, "ami_bridge_calls_waiting"),
                  alarms=tuple(name for name in Name if name.value in held))


def _value(said: Iterable[Metric], name: str) -> float:
    return next((sample.value for family in said for sample in family.samples if sample.name == name), math.nan)


def _count(said: Iterable[Metric], name: str) -> int | None:
    value = _value(said, name)
    return None if math.isnan(value) else int(value)


def _moment(said: Iterable[Metric], name: str) -> datetime | None:
    value = _value(said, name)
    return datetime.fromtimestamp(value, UTC) if value > 0 else None


def _word(said: Iterable[Metric], name: str, label: str) -> str:
    """Return a label of an info figure (``name`` without ``_info``)."""
    return next((sample.labels.get(label, "") for family in said for sample in family.samples
                 if sample.name == f"{name}_info"), "")
