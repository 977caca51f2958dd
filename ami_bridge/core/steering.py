"""Steering: what must be done to a recording while its call goes on. Pure: events in, orders out, the clock an argument.

A recording hears everything on the external party's channel. It is muted, so that its time line goes on in silence, while

- an agent has asked for it (``PAUSED``): card numbers and other private passages;
- the party is on hold and the route says so (``HELD``);
- somebody from outside is there who was not told (``UNTOLD``), or nobody of the company is left (``ALONE``).

It is begun anew when another has stopped it, and on builds of Asterisk that lose the voice of whoever comes second
(facts, section 0). What is wanted follows from the situation alone, so a lost answer or a restart needs no repair: the
next look asks for the same again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from ami_bridge.core.calls import Entered, Fact, Follower, Noticed, Silenced, Voiced
from ami_bridge.core.recordings import Why
from ami_bridge.core.text import interface_of

LOCAL = "Local/"
OPTIMISED = 0.5
"""Seconds within which another channel takes the place of a Local one."""

AGAIN = 2.0
"""Seconds after which an order that nobody carried out is given again."""

SETTLES = 1.0
"""Seconds after which a stop that our own dialplan did not explain was another's."""


class Wish(StrEnum):
    """What somebody asks: silence, an end to it, or the other of the two. NOTHING: only whether anybody answers."""

    PAUSE = "pause"
    RESUME = "resume"
    TOGGLE = "toggle"
    NOTHING = "nothing"


class Asked(NamedTuple):
    """Somebody asks for silence. One of ``call``, ``interface`` (an agent's device) and ``asker`` says where.

    ``asker``: the uniqueid of the agent's channel where a key was pressed, or another name by which to answer.
    ``seconds``: for how long at most, 0: as configured.
    """

    wish: Wish
    asker: str
    call: UUID | None
    interface: str
    by: str
    seconds: float
    at: float


class HoldBegan(NamedTuple):
    """A channel put whoever it speaks with on hold."""

    uniqueid: str
    at: float


class HoldEnded(NamedTuple):
    """A channel took them back."""

    uniqueid: str
    at: float


class MusicBegan(NamedTuple):
    """A channel hears music on hold."""

    uniqueid: str
    at: float


class MusicEnded(NamedTuple):
    """A channel hears music on hold no more."""

    uniqueid: str
    at: float


class BegunAnew(NamedTuple):
    """Our dialplan stopped MixMonitor and started it into the same file, as ``monitor``."""

    call: UUID
    at: float
    monitor: str = ""


class SomeStopped(NamedTuple):
    """Some MixMonitor on a channel was stopped: ours or another's."""

    uniqueid: str
    at: float


class TookPlace(NamedTuple):
    """A channel took the place of another that was still dialling: an attended transfer to a phone that rings.

    Asterisk moves what sat on ``of`` to ``uniqueid``: its MixMonitor, and its variables before those of ``uniqueid``
    (``main/channel.c``, channel_do_masquerade).
    """

    uniqueid: str
    of: str
    at: float


Sign = Asked | HoldBegan | HoldEnded | MusicBegan | MusicEnded | BegunAnew | SomeStopped | TookPlace
SIGNS = (Asked, HoldBegan, HoldEnded, MusicBegan, MusicEnded, BegunAnew, SomeStopped, TookPlace)


class Do(StrEnum):
    """What is to be done. RENEW: begin anew into the same file; REVIVE: the same, if another has stopped it.

    ANSWER: tell who asked how it stands. PART: stop a recording that came from another channel.
    """

    MUTE = "mute"
    UNMUTE = "unmute"
    RENEW = "renew"
    REVIVE = "revive"
    ANSWER = "answer"
    PART = "part"


class Own(NamedTuple):
    """What the variables of a recorded channel say of its recording."""

    call: UUID
    recording: UUID
    monitor: str


class Order(NamedTuple):
    """One thing to do, on the recorded channel ``uniqueid``; ``asker``: the channel whose keys asked for it, or empty.

    PART: ``stop`` is the MixMonitor that another channel left on this one, ``own`` what this one's variables are to say.
    """

    do: Do
    call: UUID | None
    uniqueid: str
    asker: str = ""
    why: Why | None = None
    by: str = ""
    stop: str = ""
    own: Own | None = None


@dataclass(frozen=True, slots=True)
class SteeringRules:
    """``longest``: seconds after which a pause ends by itself. ``deaf``: this Asterisk loses whoever comes second."""

    longest: float
    deaf: bool = False


class Pause(NamedTuple):
    """A silence that somebody asked for; ``until``: seconds since 1970."""

    by: str
    until: float


class Situation(NamedTuple):
    """What decides about one recording now. ``partners``: who shares a bridge with the recorded channel.

    ``outside``: of all channels of external parties whether they were told. ``internal``: the recorded party is not one.
    """

    partners: frozenset[str]
    outside: dict[str, bool]
    internal: bool
    pause: Pause | None
    on_hold: bool
    mute_hold: bool


def silence(now: Situation) -> tuple[Why, str] | None:
    """Return why a recording must be silent, and who would have it so; None when it must not."""
    if now.pause:
        return Why.PAUSED, now.pause.by
    told = [now.outside[one] for one in now.partners if one in now.outside]
    if not all(told):
        return Why.UNTOLD, ""
    if told and len(told) == len(now.partners) and not now.internal:
        return Why.ALONE, ""
    return (Why.HELD, "") if now.on_hold and now.mute_hold else None


@dataclass(slots=True)
class _Steered:
    """One recording: what was decided, and what the exchange has done."""

    call: UUID
    recording: UUID
    uniqueid: str
    internal: bool
    mute_hold: bool
    monitor: str = ""
    pause: Pause | None = None
    music: bool = False
    silent: tuple[Why, str] | None = None
    heard: dict[str, str] = field(default_factory=dict)
    local_left: float = 0.0
    stopped: float = 0.0
    reviving: bool = False
    asker: str = ""
    ordered: tuple[Do, float] | None = None


class Steering:
    """Holds the situation of each recorded call. ``follower`` knows the bridges."""

    def __init__(self, follower: Follower, rules: SteeringRules) -> None:
        self.rules = rules
        self._follower = follower
        self._calls: dict[UUID, _Steered] = {}
        self._holding: set[str] = set()
        self._answers: list[Order] = []
        self._changed: set[UUID] = set()

    def begin(self, call: UUID, recording: UUID, uniqueid: str, *, internal: bool, mute_hold: bool, monitor: str = "",
              facts: Iterable[Fact] = ()) -> None:
        """Take up a call; ``facts`` is what its journal says of it, when it was begun by a former daemon."""
        if call in self._calls:
            return
        steered = self._calls[call] = _Steered(call, recording, uniqueid, internal, mute_hold, monitor)
        for fact in sorted((f for f in facts if isinstance(f, Silenced | Voiced)), key=lambda f: f.at):
            steered.silent = (Why(fact.why), fact.by) if isinstance(fact, Silenced) else None
            paused = isinstance(fact, Silenced) and fact.why == Why.PAUSED
            steered.pause = Pause(fact.by, fact.until) if isinstance(fact, Silenced) and paused else None
        self._changed.add(call)

    @property
    def calls(self) -> frozenset[UUID]:
        """Return the calls that are steered."""
        return frozenset(self._calls)

    def end(self, call: UUID) -> None:
        """Forget a call."""
        self._calls.pop(call, None)

    def forget_holds(self) -> None:
        """Drop who has whom on hold: after a gap it may be wrong."""
        self._holding.clear()
        for steered in self._calls.values():
            steered.music = False

    def moved(self, call: UUID) -> None:
        """Note that who is there has changed."""
        self._changed.add(call)

    def take(self, sign: Sign) -> UUID | None:
        """Take one sign of what happens on the exchange; return the call whose recording another had stopped and goes on."""
        if isinstance(sign, BegunAnew):
            return self._begun_anew(sign)
        if isinstance(sign, TookPlace):
            self._part(sign)
        elif isinstance(sign, Asked):
            self._ask(sign)
        elif isinstance(sign, HoldBegan):
            self._holding.add(sign.uniqueid)
        elif isinstance(sign, HoldEnded):
            self._holding.discard(sign.uniqueid)
        elif isinstance(sign, SomeStopped):
            for steered in self._on(sign.uniqueid):
                steered.stopped = sign.at
        else:
            for steered in self._on(sign.uniqueid):
                steered.music = isinstance(sign, MusicBegan)
        self._changed |= self._calls.keys()
        return None

    def _part(self, sign: TookPlace) -> None:
        """Have the recordings stopped that were on the channel whose place another took."""
        own = next((Own(one.call, one.recording, one.monitor) for one in self._on(sign.uniqueid)), None)
        self._answers += [Order(Do.PART, one.call, sign.uniqueid, stop=one.monitor, own=own)
                          for one in self._on(sign.of) if one.monitor]

    def _begun_anew(self, sign: BegunAnew) -> UUID | None:
        """A new MixMonitor hears: whoever is there now is heard from its beginning, and nothing is silent."""
        steered = self._calls.get(sign.call)
        if steered is None:
            return None
        revived = sign.call if steered.reviving else None
        steered.monitor = sign.monitor or steered.monitor
        steered.heard, steered.stopped, steered.silent = self._interfaces(steered), 0.0, None
        steered.reviving, steered.ordered = False, None
        self._changed.add(sign.call)
        return revived

    def left(self, uniqueid: str, at: float) -> None:
        """Note that a channel left its bridge."""
        for steered in self._calls.values():
            if steered.heard.get(uniqueid, "").startswith(LOCAL):
                steered.local_left = at

    def orders(self, now: float, *, all: bool = False) -> list[Order]:
        """Return what is to be done now (seconds since 1970), for the calls of which anything was heard, or for all.

        An order stands until ``done`` or for ``AGAIN`` seconds; hence all are to be asked for every second or so.
        """
        found, self._answers = self._answers, []  # those that no situation asks for again
        asked, self._changed = set(self._calls) if all else self._changed & self._calls.keys(), set()
        for steered in map(self._calls.__getitem__, asked):
            order = self._order(steered, now) or self._answer(steered)
            if order and not (steered.ordered and steered.ordered[0] is order.do and now < steered.ordered[1] + AGAIN):
                steered.ordered = order.do, now
                found.append(order)
        return found

    def done(self, order: Order, at: float) -> list[Noticed]:
        """Note that the exchange has carried out an order; return the fact that follows from it."""
        steered = self._calls.get(order.call) if order.call else None
        if steered is None or order.call is None:
            return []
        if order.do is Do.REVIVE:
            steered.stopped, steered.reviving = 0.0, True
        if order.do not in (Do.MUTE, Do.UNMUTE):
            return []
        self._changed.add(order.call)
        steered.ordered = None
        steered.asker = "" if steered.asker == order.asker else steered.asker
        if order.do is Do.UNMUTE:
            steered.silent = None
            return [Noticed(order.call, Voiced(at))]
        assert order.why
        steered.silent = order.why, order.by
        until = steered.pause.until if steered.pause and order.why is Why.PAUSED else 0.0
        return [Noticed(order.call, Silenced(str(order.why), order.by, until, at))]

    def _order(self, steered: _Steered, now: float) -> Order | None:
        if steered.pause and now >= steered.pause.until:
            steered.pause = None
        wanted = silence(self._situation(steered))
        if wanted != steered.silent:
            do = Do.MUTE if wanted else Do.UNMUTE
            return Order(do, steered.call, steered.uniqueid, steered.asker, *(wanted or (None, "")))
        if wanted is None and self._must_renew(steered):
            return Order(Do.RENEW, steered.call, steered.uniqueid)
        if wanted is None and steered.stopped and now > steered.stopped + SETTLES:
            return Order(Do.REVIVE, steered.call, steered.uniqueid)
        return None

    def _answer(self, steered: _Steered) -> Order | None:
        if not steered.asker:
            return None
        asker, steered.asker = steered.asker, ""
        return Order(Do.ANSWER, steered.call, steered.uniqueid, asker, *(steered.silent or (None, "")))

    def _situation(self, steered: _Steered) -> Situation:
        partners = frozenset(self._partners(steered))
        on_hold = bool(partners & self._holding) or (steered.music and bool(steered.heard))
        return Situation(partners, self._follower.outside, steered.internal, steered.pause, on_hold, steered.mute_hold)

    def _must_renew(self, steered: _Steered) -> bool:
        """Tell whether a recording must begin anew: not for the first who is heard, nor for whom a Local channel stood."""
        partners = self._partners(steered)
        new = partners.keys() - steered.heard.keys()
        took_its_place = any(abs(partners[one].at - steered.local_left) < OPTIMISED for one in new)
        if new and (not steered.heard or took_its_place or not self.rules.deaf):
            steered.heard |= self._interfaces(steered)
            return False
        return bool(new)

    def _interfaces(self, steered: _Steered) -> dict[str, str]:
        return {id: line.interface for id, line in self._partners(steered).items()}

    def _partners(self, steered: _Steered) -> dict[str, Entered]:
        return self._follower.partners(steered.uniqueid)

    def _on(self, uniqueid: str) -> list[_Steered]:
        return [steered for steered in self._calls.values() if steered.uniqueid == uniqueid]

    def _ask(self, asked: Asked) -> None:
        """Set or end a pause; who asks for what is not there, or is from outside, is told so."""
        steered = None if asked.wish is Wish.NOTHING else self._meant(asked)
        if steered is None:
            if asked.asker:
                self._answers.append(Order(Do.ANSWER, None, "", asked.asker))
            return
        if asked.wish is Wish.PAUSE or (asked.wish is Wish.TOGGLE and steered.pause is None):
            seconds = min(asked.seconds or self.rules.longest, self.rules.longest)
            steered.pause = Pause(asked.by, asked.at + seconds)
        else:
            steered.pause = None
        steered.asker, steered.ordered = asked.asker, None

    def _meant(self, asked: Asked) -> _Steered | None:
        if asked.call:
            return self._calls.get(asked.call)
        for steered in self._calls.values():
            speakers = {id: face for id, face in self._interfaces(steered).items() if id not in self._follower.outside}
            if steered.internal:
                speakers[steered.uniqueid] = ""
            if asked.asker in speakers or (asked.interface and interface_of(asked.interface) in speakers.values()):
                return steered
        return None
