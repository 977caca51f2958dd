"""Steering: what must be done to a recording while its call goes on. Pure: signs in, orders out, the clock an argument.

A recording hears everything on the external party's channel. It is muted, so that its time line goes on in silence, while

- an agent has asked for it (``PAUSED``): card numbers and other private passages;
- somebody from outside is there who was not told (``UNTOLD``), or nobody of the company is left (``ALONE``);
- the party is on hold and the route says so (``HELD``).

It is restarted, into the same file, when another has stopped it, and on builds of Asterisk that lose the voice of whoever
comes second (facts, section 0). What is wanted follows from the situation alone, so a lost answer needs no repair: the
next look asks for the same again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from ami_bridge.core.calls import Follower
from ami_bridge.core.facts import OPTIMISED, Entered, Fact, Noticed, Silenced, Taken, Voiced
from ami_bridge.core.orders import Do, Order, Own
from ami_bridge.core.questions import Questions
from ami_bridge.core.recordings import Why
from ami_bridge.core.signs import (
    Asked,
    HoldBegan,
    HoldEnded,
    MusicBegan,
    Restarted,
    Sign,
    SomeStopped,
    TookPlace,
    Wish,
)
from ami_bridge.core.silence import Pause, Situation, settles_in, silence
from ami_bridge.core.steered import Steered
from ami_bridge.core.text import LOCAL

AGAIN = 2.0
"""Seconds after which an order that nobody carried out is given again."""

TRIES = 3
"""How often a restart is ordered that the dialplan does not answer: it does not know our key."""

SETTLES = 1.0
"""Seconds after which a stop that our own dialplan did not explain was another's."""


@dataclass(frozen=True, slots=True)
class SteeringRules:
    """``longest``: seconds after which a pause ends by itself. ``loses_second``: Asterisk loses whoever comes second."""

    longest: float
    loses_second: bool = True


class Steering:
    """Holds the situation of each recorded call. ``follower`` knows the bridges.

    ``revived`` and ``given_up`` are for the reader to empty: calls whose recording another had stopped and that goes on, and
    those that could not be restarted.
    """

    def __init__(self, follower: Follower, rules: SteeringRules) -> None:
        self.rules = rules
        self.revived: list[UUID] = []
        self.given_up: list[UUID] = []
        self._follower = follower
        self._calls: dict[UUID, Steered] = {}
        self._holding: set[str] = set()
        self._questions = Questions()
        self._detached: list[Order] = []
        self._changed: set[UUID] = set()
        self._settling: dict[UUID, float] = {}

    @property
    def settles_at(self) -> float | None:
        """Return when to look again (seconds since 1970): something is seen that may be only for a moment."""
        return min(self._settling.values(), default=None)

    def begin(self, call: UUID, recording: UUID, uniqueid: str, *, internal: bool, mute_hold: bool, monitor: str = "",
              facts: Iterable[Fact] = ()) -> None:
        """Take up a call; ``facts`` is what its journal says of it, when it was begun by a former daemon."""
        if call in self._calls:
            return
        steered = self._calls[call] = Steered(call, recording, uniqueid, internal, mute_hold, monitor)
        for fact in sorted((f for f in facts if isinstance(f, Silenced | Voiced)), key=lambda f: f.at):
            steered.silent = (Why(fact.why), fact.by) if isinstance(fact, Silenced) else None
            paused = isinstance(fact, Silenced) and fact.why == Why.PAUSED
            steered.pause = Pause(fact.by, fact.until) if isinstance(fact, Silenced) and paused else None
        self._changed.add(call)

    def end(self, call: UUID) -> None:
        """Forget a call."""
        self._calls.pop(call, None)
        self._settling.pop(call, None)

    def forget_holds(self) -> None:
        """Drop what may have changed unheard in a gap: who has whom on hold, and what Asterisk calls each MixMonitor."""
        self._holding.clear()
        for steered in self._calls.values():
            steered.music, steered.monitor = False, ""

    def moved(self, call: UUID) -> None:
        """Note that who is there has changed."""
        self._changed.add(call)

    def take(self, sign: Sign) -> list[Noticed]:
        """Take one sign of what happens on the exchange; return the fact that follows from it."""
        if isinstance(sign, Restarted):
            return self._restarted(sign)
        if isinstance(sign, TookPlace):
            return self._detach(sign)
        if isinstance(sign, Asked):
            self._questions.ask(sign, self._meant(sign), self.rules.longest)
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
        return []

    def left(self, uniqueid: str, at: float) -> None:
        """Note that a channel left its bridge, or hung up."""
        self._holding.discard(uniqueid)
        for steered in self._calls.values():
            if steered.heard.get(uniqueid, "").startswith(LOCAL):
                steered.local_left = at

    def orders(self, now: float, *, whole: bool = False) -> list[Order]:
        """Return what is to be done now (seconds since 1970), for the calls of which anything was heard; ``whole``: for all.

        An order stands until ``done`` or for ``AGAIN`` seconds; hence the whole is to be asked for every second or so.
        """
        found = self._questions.refusals() + self._detached
        self._detached = []
        settled = {call for call, at in self._settling.items() if at <= now}
        asked, self._changed = set(self._calls) if whole else (self._changed | settled) & self._calls.keys(), set()
        for steered in map(self._calls.__getitem__, asked):
            self._look_at_partners(steered)
            order = self._order(steered, now)
            if order and not (steered.ordered and steered.ordered[0] is order.do and now < steered.ordered[1] + AGAIN):
                steered.ordered = order.do, now
                found.append(order)
        answers, withdrawn = self._questions.answers(now, self._calls, self._stands)
        self._changed |= withdrawn
        return found + answers

    def done(self, order: Order, at: float) -> list[Noticed]:
        """Note that the exchange has carried out an order; return the fact that follows from it."""
        steered = self._calls.get(order.call) if order.call else None
        if steered is None or order.call is None:
            return []
        if order.do in (Do.RESTART, Do.REVIVE):
            steered.reviving, steered.tries = order.do is Do.REVIVE, steered.tries + 1
        if order.do not in (Do.MUTE, Do.UNMUTE):
            return []
        self._changed.add(order.call)
        steered.ordered = None
        if order.do is Do.UNMUTE:
            steered.silent = None
            return [Noticed(order.call, Voiced(at))]
        assert order.why
        steered.silent = order.why, order.by
        until = steered.pause.until if steered.pause and order.why is Why.PAUSED else 0.0
        return [Noticed(order.call, Silenced(str(order.why), order.by, until, at))]

    def goes_on(self, call: UUID) -> None:
        """Note that a recording was not stopped: the MixMonitor that was is another's."""
        if steered := self._calls.get(call):
            steered.stopped, steered.ordered = 0.0, None
            self._changed.add(call)

    def _order(self, steered: Steered, now: float) -> Order | None:
        if steered.pause and now >= steered.pause.until:
            steered.pause = None
        wanted = silence(self._situation(steered))
        if not self._is_settled(steered, wanted, now):
            return None
        if wanted is None and steered.stopped and now > steered.stopped + SETTLES and self._partners(steered):
            return self._restart(steered, Do.REVIVE)
        if wanted != steered.silent:
            return Order(Do.MUTE if wanted else Do.UNMUTE, steered.call, steered.uniqueid, "", *(wanted or (None, "")))
        if wanted is None and self._partners(steered).keys() - steered.heard.keys():
            return self._restart(steered, Do.RESTART)
        return None

    def _stands(self, steered: Steered) -> bool:
        """Tell whether a recording is silent, or not, as it should be."""
        return silence(self._situation(steered)) == steered.silent

    def _is_settled(self, steered: Steered, wanted: tuple[Why, str] | None, now: float) -> bool:
        """Tell whether what is wanted is clear, and has lasted for long enough."""
        self._settling.pop(steered.call, None)
        if self._is_unclear(steered, wanted):
            steered.wanted = steered.silent
            return False
        if wanted != steered.wanted or now < steered.since:
            steered.wanted, steered.since = wanted, now
        at = steered.since + settles_in(steered.silent, wanted)
        if at > now:
            self._settling[steered.call] = at
        return at <= now

    def _is_unclear(self, steered: Steered, wanted: tuple[Why, str] | None) -> bool:
        """Tell whether it cannot be seen yet who comes for somebody outside: nobody, or a Local channel to nowhere."""
        if wanted or steered.silent is None or steered.silent[0] not in (Why.UNTOLD, Why.ALONE):
            return False
        faces = self._follower.voices(steered.uniqueid).values()
        return not faces or any(face.startswith(LOCAL) for face in faces)

    def _restart(self, steered: Steered, do: Do) -> Order | None:
        """Return the order; none where the dialplan has not answered it so often that it does not know it."""
        if steered.tries < TRIES:
            return Order(do, steered.call, steered.uniqueid)
        steered.heard, steered.stopped, steered.tries = self._interfaces(steered), 0.0, 0
        self.given_up.append(steered.call)
        return None

    def _situation(self, steered: Steered) -> Situation:
        partners = self._partners(steered).keys()
        on_hold = bool(partners & self._holding) or (steered.music and bool(steered.heard))
        voices = frozenset(self._follower.voices(steered.uniqueid))
        return Situation(voices, self._follower.outside, steered.internal, steered.pause, on_hold, steered.mute_hold)

    def _look_at_partners(self, steered: Steered) -> None:
        """Note who needs no restart: the first who is heard, and whoever a Local channel stood for."""
        partners = self._partners(steered)
        new = partners.keys() - steered.heard.keys()
        took_its_place = any(abs(partners[one].at - steered.local_left) < OPTIMISED for one in new)
        if new and (not steered.heard or took_its_place or not self.rules.loses_second):
            steered.heard |= self._interfaces(steered)

    def _interfaces(self, steered: Steered) -> dict[str, str]:
        return {id: line.interface for id, line in self._partners(steered).items()}

    def _partners(self, steered: Steered) -> dict[str, Entered]:
        return self._follower.partners(steered.uniqueid)

    def _on(self, uniqueid: str) -> list[Steered]:
        return [steered for steered in self._calls.values() if steered.uniqueid == uniqueid]

    def _restarted(self, sign: Restarted) -> list[Noticed]:
        """A new MixMonitor hears: whoever is there now is heard from its beginning, and nothing is silent."""
        steered = self._calls.get(sign.call)
        if steered is None:
            return []
        if steered.reviving:
            self.revived.append(sign.call)
        was_silent, steered.silent = steered.silent, None
        steered.heard, steered.stopped, steered.tries = self._interfaces(steered), 0.0, 0
        steered.monitor, steered.reviving, steered.ordered = sign.monitor or steered.monitor, False, None
        self._changed.add(sign.call)
        return [Noticed(sign.call, Voiced(sign.at))] if was_silent else []

    def _detach(self, sign: TookPlace) -> list[Noticed]:
        """Have the recording stopped that was on the channel whose place another took."""
        own = next((Own(one.call, one.recording, one.monitor) for one in self._on(sign.uniqueid) if one.monitor), None)
        taken = list(self._on(sign.of))
        self._detached += [Order(Do.DETACH, one.call, sign.uniqueid, stop=one.monitor, own=own) for one in taken]
        return [Noticed(one.call, Taken(sign.at)) for one in taken]

    def _meant(self, asked: Asked) -> list[Steered]:
        """Return every recording that somebody may mean: an agent may be in several, and be heard in each."""
        if asked.wish is Wish.NOTHING:
            return []
        if asked.call:
            return [self._calls[asked.call]] if asked.call in self._calls else []
        return [steered for steered in self._calls.values() if self._is_of(asked, steered)]

    def _is_of(self, asked: Asked, steered: Steered) -> bool:
        outside = self._follower.outside
        speakers = {id: face for id, face in self._follower.voices(steered.uniqueid).items() if id not in outside}
        if steered.internal:
            speakers[steered.uniqueid] = ""
        return asked.asker in speakers or bool(asked.interface and asked.interface in speakers.values())
