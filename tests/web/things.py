"""What there is in an office to ask for: each thing is made when it is first named."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pyrage.x25519 import Identity as Key

from ami_bridge.app import Bureau, agreeing, bureau, disclosing, keeping, key_store, people, purge, rights
from ami_bridge.core.accounts import Language, Scope
from ami_bridge.core.disclosures import Kind
from ami_bridge.core.duties import Duty
from ami_bridge.core.entries import Entry
from ami_bridge.core.requests import Answer, Identity, Outcome
from ami_bridge.core.requests import Kind as Wanted
from ami_bridge.services.disclosing import Wish as Disclosed
from ami_bridge.services.keeping import Keeping
from ami_bridge.services.purge import Asked
from ami_bridge.services.rights import Rights
from ami_bridge.services.subject_requests import Application
from ami_bridge.vault import day_key
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

    def bureau(self, login: str) -> Bureau:
        """What answers callers, for somebody."""
        return bureau(self.office.config, self.office.register, self.office.house.vault, self.as_(login))

    def keeping(self, login: str) -> Keeping:
        """The holds, for somebody."""
        return keeping(self.office.house.register, self.office.house.vault, self.as_(login))

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
def kept(things: Things) -> object:
    """A hold whose call nobody has opened."""
    return hold(things.office, record(things.office).id)


@made
def proposed(things: Things) -> object:
    """A hold whose release another has proposed."""
    held = hold(things.office, record(things.office).id)
    things["proposal"] = str(things.keeping("second").release(held).proposal.id)
    return held


@made
def proposal(things: Things) -> object:
    things.pop("proposed", None)
    _ = things["proposed"]
    return things["proposal"]


@made
def parcel(things: Things) -> object:
    """What the officer may hand out to an authority: another has approved it."""
    call = record(things.office).id
    return leaving(things, Kind.AUTHORITY, call, recipient="Poliisi", statute="PKL 4:3", recipient_key=things["recipient_key"])


@made
def copy(things: Things) -> object:
    """The same, for who called."""
    request = asked_for(things, Wanted.ACCESS)
    return leaving(things, Kind.COPY, UUID(things["frozen"]), request=request)


def leaving(things: Things, kind: Kind, call: UUID, **told: Any) -> object:
    house = things.office.house
    officer, second = things.as_("officer"), things.as_("second")
    listed = disclosing(house.register, house.vault, officer).propose(Disclosed(kind=kind, call=call, country="FI", **told))
    agreeing(house.register, second).approve(listed.proposal.proposal.id)
    return listed.disclosure.id


def asked_for(things: Things, kind: Wanted) -> UUID:
    """A request of somebody whose call was found and frozen; the call is ``frozen``."""
    number = things["new_number"]
    at_work = things.bureau("officer")
    told = Application(kind=kind, received_at=datetime.now(UTC), identity=Identity.IN_PERSON, name=CALLERS_NAME, numbers=(number,))
    things.pop("new_number")
    made = at_work.requests.open(told).id
    at_work.search.search(made)
    return made


@made
def request(things: Things) -> object:
    return asked_for(things, Wanted.ACCESS)


@made
def frozen(things: Things) -> object:
    things["request"] = str(MADE["request"](things))
    return things["frozen"]


@made
def frozen_by(things: Things) -> object:
    """The hold of the frozen call."""
    with things.office.register.reading() as work:
        return work.holds.of_call(UUID(things["frozen"]))[0].id


@made
def frozen_sound(things: Things) -> object:
    with things.office.register.reading() as work:
        return work.calls.get(things["frozen"], datetime.now(UTC)).recordings[0].id


@made
def session(things: Things) -> object:
    """The officer listens with who asked."""
    return things.bureau("officer").supervising.begin(UUID(things["request"]), 10).id


@made
def answered(things: Things) -> object:
    """A request that was answered."""
    found = asked_for(things, Wanted.ACCESS)
    at_work = things.bureau("officer").requests
    at_work.answer(found, UUID(things["frozen"]), Answer.OTHERS)
    at_work.settle(found, Outcome.REFUSED)
    return found


@made
def erasure(things: Things) -> object:
    return asked_for(things, Wanted.ERASURE)


@made
def agreed(things: Things) -> object:
    """A request to erase, to which two have agreed."""
    found = asked_for(things, Wanted.ERASURE)
    things.bureau("officer").erasing.propose(found)
    second = things.bureau("second").agreeing
    second.approve(next(one.proposal.id for one in second.all() if one.proposal.object == str(found)))
    return found


@made
def today(things: Things) -> object:
    return datetime.now(UTC).date()


@made
def recipient_key(things: Things) -> object:
    return Key.generate().to_public()


@made
def certificate(things: Things) -> object:
    """Of a day that is over, and on which nothing expired."""
    config = things.office.config
    key_store(config).make([day_key(datetime.now(UTC).date() - timedelta(days=1))])
    return purge(config, things.office.register, "os:tests").run(Asked(accept_clock=True)).certificates[-1].number


@made
def purpose(things: Things) -> object:
    return things.office.config.purposes.names[0]


@made
def number(things: Things) -> object:
    return CALLERS_NUMBER


@made
def new_number(things: Things) -> object:
    """The number of somebody who has called once: the call is ``frozen``, when it was searched for."""
    number = f"+35850{secrets.randbelow(10**7):07}"
    things["frozen"] = str(record(things.office, caller=number).id)
    return number


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
    made = at_work.add(things["login"], "Uuno Uusi", Language.FINNISH)
    at_work.grant(made.login, Duty.LISTENER, Scope(frozenset({"service"})))
    return made.id
