"""Steer: recordings in progress are looked after; what is to be done to them is given out, and what was done is a fact."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from ami_bridge.asterisk.files import measure
from ami_bridge.core.calls import Follower
from ami_bridge.core.errors import AudioError, SpoolError
from ami_bridge.core.events import BridgeLeft, ChannelsPresent, Event, HungUp, RecordingStarted
from ami_bridge.core.facts import Closed, Ended, Fact, Gone, Noticed, Outside
from ami_bridge.core.orders import Do, Order
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import Why
from ami_bridge.core.signs import Sign
from ami_bridge.core.steering import Steering, SteeringRules
from ami_bridge.core.tickets import Ticket
from ami_bridge.spool import Spool


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told: what the exchange is to do; each call whose recording another had stopped and goes on; each that could
    not be restarted; and in how many seconds to look again.
    """

    orders: Callable[[list[Order]], None]
    revived: Callable[[UUID], None]
    given_up: Callable[[UUID], None]
    later: Callable[[float], None]


class Steer:
    """Steers the recordings that ``follower`` knows. ``mute_hold``: the routes whose party is not recorded while on hold.

    After a gap nothing is ordered before it is known again who is in which bridge.
    """

    def __init__(self, spool: Spool, follower: Follower, rules: SteeringRules, mute_hold: frozenset[str],
                 told: Told) -> None:
        self._spool, self._follower, self._mute_hold, self._told = spool, follower, mute_hold, told
        self._steering = Steering(follower, rules)
        self._placed = True
        self._looks_at: float | None = None

    def set_rules(self, rules: SteeringRules) -> None:
        """Change the rules."""
        self._steering.rules = rules

    @property
    def rules(self) -> SteeringRules:
        """Return the rules."""
        return self._steering.rules

    def take_up(self, tickets: Iterable[Ticket]) -> None:
        """Take up calls whose tickets were found, after a gap; who was outside and not told is known from their journals."""
        self._placed = False
        self._steering.forget_holds()
        for ticket in tickets:
            facts = self._spool.facts(ticket.call)
            silent = [fact for fact in facts if getattr(fact, "why", "") == Why.UNTOLD]
            for fact in facts if silent else ():
                if isinstance(fact, Outside):
                    self._follower.outside.setdefault(fact.channel, False)
            self._begin(ticket, facts)

    def see(self, event: Event) -> None:
        """Note an event that the fold has taken. What comes next, in the same breath, may concern a recording that began."""
        if isinstance(event, ChannelsPresent):
            self._placed = True
        elif isinstance(event, RecordingStarted):
            if ticket := recorded(self._spool, event.call):
                self._begin(ticket, (), event.monitor)
        elif isinstance(event, BridgeLeft | HungUp):
            self._steering.left(event.uniqueid, event.at)

    def take(self, sign: Sign) -> list[Noticed]:
        """Take a sign; return the facts that follow from it."""
        return self._steering.take(sign)

    def learn(self, call: UUID, facts: list[Fact]) -> None:
        """Note what the fold found out of a call."""
        if any(isinstance(fact, Closed | Ended | Gone) for fact in facts):
            self._steering.end(call)
        else:
            self._steering.moved(call)

    def look(self, at: float, *, whole: bool = False) -> None:
        """Give out what is to be done at this time (seconds since 1970)."""
        orders = self._steering.orders(at, whole=whole) if self._placed else []
        needed = [order for order in orders if self._is_needed(order)]
        if needed:
            self._told.orders(needed)
        if self._steering.settles_at != self._looks_at:
            self._looks_at = self._steering.settles_at
            if self._looks_at is not None:
                self._told.later(max(self._looks_at - at, 0.0))
        self._say()

    def done(self, order: Order, at: float) -> list[Noticed]:
        """Note what the exchange has done; return the facts that follow from it."""
        return self._steering.done(order, at)

    def _say(self) -> None:
        for calls, tell in ((self._steering.revived, self._told.revived), (self._steering.given_up, self._told.given_up)):
            while calls:
                tell(calls.pop())

    def _begin(self, ticket: Ticket, facts: Iterable[Fact], monitor: str = "") -> None:
        assert ticket.recording
        self._steering.begin(ticket.call, ticket.recording, ticket.uniqueid, internal=ticket.direction is Direction.INTERNAL,
                             mute_hold=ticket.route in self._mute_hold, monitor=monitor, facts=facts)

    def _is_needed(self, order: Order) -> bool:
        """Tell whether an order must be given; a recording that was not stopped at all needs no reviving."""
        if order.do is not Do.REVIVE or order.call is None or self._was_stopped(order.call):
            return True
        self._steering.goes_on(order.call)
        return False

    def _was_stopped(self, call: UUID) -> bool:
        ticket = recorded(self._spool, call)
        if ticket is None or ticket.recording is None:
            return False
        try:
            return measure(self._spool.audio(ticket.recording)).closed
        except (AudioError, FileNotFoundError):
            return False


def recorded(spool: Spool, call: UUID) -> Ticket | None:
    """Return the ticket of a call that is recorded; None when there is none, it cannot be read, or nothing is recorded."""
    try:
        ticket = spool.ticket(call)
    except (SpoolError, FileNotFoundError):
        return None
    return ticket if ticket.recording else None
