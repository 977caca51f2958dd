"""What there is in an office to ask for: each thing is made when it is first named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ami_bridge.app import people, rights
from ami_bridge.core.accounts import Language
from ami_bridge.core.entries import Entry
from ami_bridge.services.rights import Rights
from tests.web.console import Console
from tests.web.recordings import hold, record

MADE: dict[str, Callable[["Things"], object]] = {}
"""How each is made, by its name."""

CALLERS_NAME, CALLERS_NUMBER = "Kalle Kuuma", "+358401234567"


class Things(dict):
    """Ids and other words that a request is made of, by name; ``"/calls/{call}".format_map(things)``."""

    def __init__(self, office: Console) -> None:
        self.office = office

    def __missing__(self, name: str) -> str:
        self[name] = str(MADE[name](self))
        return self[name]

    @property
    def entry(self) -> Entry:
        """The call of these things, of the listener's team."""
        with self.office.register.reading() as work:
            found = work.calls.get(self["call"], datetime.now(UTC))
        assert found
        return found

    def as_(self, login: str) -> Rights:
        """The rights of somebody, to do beforehand what they must have done."""
        return rights(self.office.config, self.office.register, self.office.account(login))


def made(maker: Callable[[Things], object]) -> Callable[[Things], object]:
    MADE[maker.__name__] = maker
    return maker


@made
def call(things: Things) -> object:
    return record(things.office).id


@made
def foreign(things: Things) -> object:
    return record(things.office, team="sales", queue="q-sales", agent="Seán Salo").id


@made
def recording(things: Things) -> object:
    return things.entry.recordings[0].id


@made
def held(things: Things) -> object:
    return hold(things.office, UUID(things["call"]))


@made
def purpose(things: Things) -> object:
    return things.office.config.purposes.names[0]


@made
def number(things: Things) -> object:
    return CALLERS_NUMBER


@made
def soon(things: Things) -> object:
    return (datetime.now(UTC) + timedelta(days=20)).date()


@made
def login(things: Things) -> object:
    """A name that nobody has."""
    with things.office.register.reading() as work:
        return f"new{len(work.accounts.all())}"


@made
def account(things: Things) -> object:
    """Somebody new, to whom things may be done."""
    at_work = people(things.office.config, things.office.register, "os:tests")
    return at_work.add(things["login"], "Uuno Uusi", Language.FINNISH).id
