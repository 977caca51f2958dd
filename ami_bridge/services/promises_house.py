"""What all evidence of the self-check is gathered from."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from ami_bridge.config import Config
from ami_bridge.core.errors import RegisterError
from ami_bridge.core.promise_evidence import Late
from ami_bridge.register import Register, Work
from ami_bridge.spool import Spool
from ami_bridge.vault import KeyStore, Vault

OUR_LANGUAGES = ("fi", "sv", "en")
"""Languages that the settings have texts in."""


@dataclass(frozen=True, slots=True)
class House:
    """The system at ``now``. ``verbs``: what the program can do. ``away``: why there is no register."""

    config: Config
    file: Path
    now: datetime
    verbs: Collection[str]
    register: Register | None
    away: RegisterError | None = None

    @contextmanager
    def reading(self) -> Iterator[Work]:
        """One look into the register; RegisterError where it does not answer."""
        with self.opened().reading() as work:
            yield work

    def opened(self) -> Register:
        """Return the register; RegisterError where it does not answer."""
        if self.register is None:
            raise self.away or RegisterError("the register does not answer", "Run 'ami-bridge doctor'.")
        return self.register

    @property
    def keys(self) -> KeyStore:
        """Return the keys; no folder is made."""
        return KeyStore(self.config.keys.recipients, self.config.keys.private)

    @property
    def vault(self) -> Vault:
        """Return the vault; no folder is made."""
        return Vault(self.config.vault.directory, self.keys)

    @property
    def spool(self) -> Spool:
        """Return the spool; no folder is made."""
        return Spool(self.config.spool.directory)

    @property
    def patience(self) -> timedelta:
        """Return for how long the nightly job may leave what is past its time."""
        return timedelta(hours=self.config.purge.overdue_hours)

    @property
    def deadline(self) -> datetime:
        """Return the time at or before which what was past its time must be gone."""
        return self.now - self.patience

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages spoken that the settings have texts in."""
        return tuple(one for one in self.config.notice.languages if one in OUR_LANGUAGES)

    def late(self, due: list[datetime]) -> Late:
        """Return what was due and is still here, of things that were due at these times."""
        over = [at for at in due if at <= self.deadline]
        return Late(len(over), min(over, default=None))


def end_of(day: date) -> datetime:
    """Return when a day of expiry is over."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
