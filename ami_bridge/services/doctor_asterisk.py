"""Where the doctor finds Asterisk on this machine: its folders, and its user. By asterisk.conf, else as it is built."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ami_bridge.asterisk import process
from ami_bridge.asterisk.conf import Conf, read
from ami_bridge.config import Config
from ami_bridge.services.findings import Finding, warning

SPOOL, RUN, LOGS = Path("/var/spool/asterisk"), Path("/var/run/asterisk"), Path("/var/log/asterisk")
USER = "asterisk"


@dataclass(frozen=True, slots=True)
class Asterisk:
    """Asterisk's folders, and as whom it runs (None: not known)."""

    spool: Path
    logs: Path
    identity: process.Identity | None

    @property
    def outgoing(self) -> Path:
        """Return where call files are put (``pbx/pbx_spool.c``)."""
        return self.spool / "outgoing"


def found(config: Config) -> Asterisk:
    """Look for Asterisk. What cannot be read is taken to be as usual."""
    conf = asterisk_conf(config)
    spool, run, logs = (Path(conf.last("directories", key, str(usual)))
                        for key, usual in (("astspooldir", SPOOL), ("astrundir", RUN), ("astlogdir", LOGS)))
    who = process.running(run) or process.named(conf.last("options", "runuser", USER), conf.last("options", "rungroup"))
    return Asterisk(spool, logs, who)


def in_configuration(name: str, check: Callable[[Config, Path], Iterable[Finding]]) -> Callable[[Config], Iterable[Finding]]:
    """Return a check of the files in ``[exchange] configuration``: nothing where there is no such folder on this host.

    That they cannot be read is a warning: the daemon's user need not.
    """
    def checked(config: Config) -> Iterable[Finding]:
        folder = config.exchange.configuration
        try:
            return list(check(config, folder)) if folder and folder.is_dir() else []
        except OSError as problem:
            return [warning(name, f"{problem.filename} cannot be read ({problem.strerror})", "Run the doctor as root.")]

    return checked


def asterisk_conf(config: Config) -> Conf:
    """Return what asterisk.conf says; nothing when it cannot be read."""
    folder = config.exchange.configuration
    try:
        return read(folder, "asterisk.conf") if folder else Conf(Path())
    except OSError:
        return Conf(folder or Path())
