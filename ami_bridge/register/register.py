"""The register as others see it: open it, then read or write in one transaction."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Self

from sqlalchemy import URL, Connection

from ami_bridge.register import engine, guards, partitions, schema
from ami_bridge.register.accounts import Accounts
from ami_bridge.register.agents import Agents
from ami_bridge.register.audit import Audit
from ami_bridge.register.calls import Calls
from ami_bridge.register.days import Days
from ami_bridge.register.destructions import Destructions
from ami_bridge.register.disclosures import Disclosures
from ami_bridge.register.findings import Findings
from ami_bridge.register.gaps import Gaps
from ami_bridge.register.health import Health, health
from ami_bridge.register.holds import Holds
from ami_bridge.register.proofs import Proofs
from ami_bridge.register.proposals import Proposals
from ami_bridge.register.refusals import RegisterUnavailable, refusals
from ami_bridge.register.requests import Requests
from ami_bridge.register.tallies import Tallies

SEEN = "ami_bridge_version_seen"
FORGETFUL = ("subject_requests", "request_calls")
"""Tables in whose rows something is forgotten while they stay: too small for PostgreSQL to clean them by itself soon."""


@dataclass(frozen=True, slots=True)
class Work:
    """What can be done within one transaction."""

    calls: Calls
    agents: Agents
    days: Days
    holds: Holds
    destructions: Destructions
    gaps: Gaps
    findings: Findings
    tallies: Tallies
    audit: Audit
    accounts: Accounts
    proofs: Proofs
    proposals: Proposals
    disclosures: Disclosures
    requests: Requests

    @classmethod
    def on(cls, connection: Connection) -> Self:
        """Return the work on one connection."""
        return cls(Calls(connection), Agents(connection), Days(connection), Holds(connection),
                   Destructions(connection), Gaps(connection), Findings(connection), Tallies(connection),
                   Audit(connection), Accounts(connection), Proofs(connection), Proposals(connection),
                   Disclosures(connection), Requests(connection))


class Register:
    """The retention database. One object serves all threads of a process; each transaction takes its own connection.

    Errors of the database come out as RegisterError; RegisterUnavailable where trying again may help.
    """

    def __init__(self, address: URL) -> None:
        self.place = engine.place_of(address)
        self._generation, self._opened = 0, False
        self._engine = engine.engine_for(address)
        self._readers = engine.readers(self._engine)
        self._writers = engine.writers(self._engine)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a register of exactly our version; RegisterError with the way out otherwise. Makes no file."""
        address = engine.address_of(url)
        file = engine.file_of(address)
        if file:
            schema.refuse_absent(file)
        register = cls(address)
        with register._closed_on_failure(), register._connected(writing=False) as connection:
            schema.check(connection, register.place)
        register._opened = True
        return register

    @classmethod
    def create(cls, url: str) -> Self:
        """Make the schema, or bring it to our version, and open it. May be repeated; RegisterError when it is too new."""
        address = engine.address_of(url)
        file = engine.file_of(address)
        if file:
            schema.make_file(file)
        register = cls(address)
        with register._closed_on_failure(), register._connected(writing=True) as connection:
            schema.upgrade(connection, register.place)
        register._opened = True
        return register

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """One transaction that writes: committed durably at the end, undone on any exception."""
        with self._connected(writing=True) as connection:
            yield Work.on(connection)

    @contextmanager
    def reading(self) -> Iterator[Work]:
        """One transaction that sees a single moment and cannot write."""
        with self._connected(writing=False) as connection:
            yield Work.on(connection)

    def prepare(self, days: Iterable[date]) -> None:
        """Make room for calls that expire on ``days``, so that no call has to wait for it."""
        with self._connected(writing=True) as connection:
            partitions.prepare(connection, days)

    def health(self) -> Health:
        """Return how the database is set up."""
        with self._connected(writing=False) as connection:
            return health(connection)

    def unguarded(self) -> tuple[str, ...]:
        """Return the names of the guards (``register.guards``) that are missing, switched off, or not as we make them."""
        with self._connected(writing=False) as connection:
            return guards.unguarded(connection)

    def guard(self) -> tuple[str, ...]:
        """Put back the guards that ``unguarded`` names, and return them."""
        with self._connected(writing=True) as connection:
            return guards.restore(connection)

    def columns(self) -> dict[str, frozenset[str]]:
        """Return every table of the database and its columns."""
        with self._connected(writing=False) as connection:
            return schema.columns(connection)

    def scrub(self, days: Iterable[date] = ()) -> bool:
        """See that nothing deleted is left: in SQLite's write-ahead log, in PostgreSQL's dead rows (``days``, requests).

        False when a reader was in the way: try again. Source: https://www.sqlite.org/pragma.html (wal_checkpoint).
        """
        with refusals(self.place):
            if self._engine.dialect.name == engine.SQLITE:
                return self._checkpoint()
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for name in (*FORGETFUL, *(name for day in days for name in partitions.there(connection, day))):
                    connection.exec_driver_sql(f"VACUUM {name}")
            return True

    def _checkpoint(self) -> bool:
        with closing(self._engine.raw_connection()) as connection:
            busy, _, _ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _connected(self, writing: bool) -> Iterator[Connection]:
        """Give a transaction. A file on a failed disk shall be opened anew, and shall not keep the disk from being mended.

        So all connections are closed then; one that is in use at that moment would otherwise outlive its pool.
        """
        side, generation = self._writers if writing else self._readers, self._generation
        try:
            with refusals(self.place), side.connect() as connection:
                with connection.begin():
                    self._refuse_another_version(connection)
                    yield connection
                if generation != self._generation:
                    connection.invalidate()
        except RegisterUnavailable:
            self._generation += 1
            self.close()
            raise

    def _refuse_another_version(self, connection: Connection) -> None:
        """Look once a connection: while the server was away the register may have been upgraded. Entries wait then."""
        if not self._opened or connection.info.get(SEEN):
            return
        wrong = schema.unusable(schema.found_revision(connection), self.place)
        if wrong:
            raise RegisterUnavailable(f"{wrong.args[0]}", wrong.hint)
        connection.info[SEEN] = True

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise
