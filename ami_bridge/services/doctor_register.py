"""The doctor's look at the register: its version, and the settings that durability and erasure rest on."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ami_bridge.config import Config
from ami_bridge.services.findings import Finding, Status, error, ok, warning

if TYPE_CHECKING:
    from ami_bridge.register.health import Health

NAME, GUARDS = "register-settings", "register-guards"
SKEW = 5.0
"""Seconds by which the database's clock may differ from ours."""


class Wanted(NamedTuple):
    """A setting: the values that will do, what is at stake, how bad it is, what to do."""

    values: tuple[str, ...]
    stake: str
    says: Status
    remedy: str


LOST = "a call that was registered may be lost with the power"
A_BUG = "This is a bug: report it."
IN_SERVER = "Set it in postgresql.conf, then reload the server."
WANTED = {
    "journal_mode": Wanted(("wal",), "readers and writers keep each other waiting", Status.WARNING,
                           "Keep the register on a local disk: WAL needs shared memory."),
    "synchronous": Wanted(("2", "3"), LOST, Status.ERROR, A_BUG),
    "foreign_keys": Wanted(("1",), "entries may lose what belongs to them", Status.ERROR, A_BUG),
    "secure_delete": Wanted(("1",), "what was deleted stays in the file", Status.ERROR, A_BUG),
    "fsync": Wanted(("on",), "a power failure may ruin the register", Status.ERROR, IN_SERVER),
    "full_page_writes": Wanted(("on",), "a power failure may ruin the register", Status.ERROR, IN_SERVER),
    "synchronous_commit": Wanted(("on", "remote_apply", "local", "remote_write"), LOST, Status.ERROR, IN_SERVER),
    "server_encoding": Wanted(("utf8",), "names of agents cannot be kept whole", Status.ERROR,
                              "Move the register to a database made with ENCODING 'UTF8'."),
    "log_error_verbosity": Wanted(("terse",), "the server writes a row that it refuses, with its numbers, into its own log",
                                  Status.WARNING, IN_SERVER),
}


def register_open(config: Config) -> Iterator[Finding]:
    """Look whether the register opens, has our version, and is set up as it must be."""
    from ami_bridge.register import Register

    register = Register.open(config.register.url)
    try:
        yield ok("register", f"{register.place} answers and has the right version")
        yield from guards(register.unguarded())
        yield from settings(register.health(), datetime.now(UTC))
    finally:
        register.close()


def guards(missing: Sequence[str]) -> Iterator[Finding]:
    """Judge the triggers by which the database itself refuses to change the trail, or when a call is to go."""
    faults = [error(GUARDS, f"the trigger {name} is missing, switched off, or not as it was made",
                    "See who had all rights on the database, run 'ami-bridge audit verify', then "
                    "'ami-bridge register upgrade' as the owner of the tables: it puts triggers back.")
              for name in missing]
    yield from faults or [ok(GUARDS, "the triggers that guard trail and register are there as they were made")]


def settings(found: "Health", now: datetime) -> Iterator[Finding]:
    """Judge the settings, what the check of the file found, and the clock of the database."""
    faults = [*wrong(found), *skewed(found, now)]
    if found.damage:
        faults.append(error(NAME, "the register's file is damaged", "Stop the daemon and restore it: 'ami-bridge rebuild'."))
    yield from faults or [ok(NAME, f"{found.kind} keeps what is committed, and wipes what is deleted")]


def wrong(found: "Health") -> Iterator[Finding]:
    """Yield each setting that will not do."""
    for name, value in found.settings.items():
        wanted = WANTED[name]
        if value not in wanted.values:
            said = f"{name} is {value}: {wanted.stake}"
            yield Finding(NAME, wanted.says, said, wanted.remedy)


def skewed(found: "Health", now: datetime) -> Iterator[Finding]:
    """Warn when the database's clock is another than ours."""
    if found.clock and (off := abs((found.clock - now).total_seconds())) > SKEW:
        yield warning(NAME, f"the clock of the database differs from ours by {off:.0f} s", "Synchronise both machines.")
