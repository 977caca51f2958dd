"""Follow: what the exchange reports is folded into facts, and the facts are journaled beside the tickets."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from uuid import UUID

from ami_bridge.asterisk.files import measure
from ami_bridge.core.calls import (
    BridgeLeft,
    Closed,
    Ended,
    Event,
    Fact,
    Follower,
    Gone,
    Noticed,
    Open,
    RecordingStarted,
    Started,
)
from ami_bridge.core.errors import AudioError, SpoolError
from ami_bridge.core.parties import Direction
from ami_bridge.core.steering import SIGNS, Do, Order, Sign, Steering, SteeringRules
from ami_bridge.core.tickets import Ticket
from ami_bridge.spool import Spool

log = logging.getLogger(__name__)


class Follow:
    """Keeps the fold and writes its facts; and what follows from them for the recordings in progress.

    ``on_closed`` is told each call whose audio is complete, ``on_orders`` what the exchange is to do, ``on_revived`` each
    call that another had stopped and that goes on. ``mute_hold``: the routes whose party is not recorded while on hold.
    """

    def __init__(self, spool: Spool, on_closed: Callable[[UUID], None], rules: SteeringRules,
                 mute_hold: frozenset[str] = frozenset(),
                 on_orders: Callable[[list[Order]], None] = lambda orders: None,
                 on_revived: Callable[[UUID], None] = lambda call: None) -> None:
        self._spool, self._mute_hold = spool, mute_hold
        self._on_closed, self._on_orders, self._on_revived = on_closed, on_orders, on_revived
        self._follower = Follower()
        self._steering = Steering(self._follower, rules)
        self._monitors: dict[UUID, str] = {}

    @property
    def rules(self) -> SteeringRules:
        """Return the rules by which recordings in progress are steered."""
        return self._steering.rules

    @rules.setter
    def rules(self, rules: SteeringRules) -> None:
        self._steering.rules = rules

    @property
    def open_calls(self) -> int:
        """Return how many calls are being followed."""
        return self._follower.open_calls

    def resume(self) -> int:
        """Take up every call that has a ticket (at start, and after the link was down); return how many."""
        self._follower.forget_bridges()
        self._steering.forget_holds()
        tickets = [ticket for call in self._spool.open_calls() if (ticket := self._open(call))]
        for ticket in tickets:
            if ticket.recording:
                self._follower.resume(ticket.call, ticket.recording, ticket.uniqueid, ticket.opened_at.timestamp())
                self._steer(ticket)
        return len(tickets)

    def in_progress(self) -> list[Open]:
        """Return the calls whose channel is there, as far as is known."""
        return self._follower.in_progress()

    def goes_on(self, call: UUID) -> bool:
        """Tell whether a call's channel was seen, and has not hung up as far as is known."""
        return self._follower.goes_on(call)

    def has_hung_up(self, uniqueid: str) -> bool:
        """Tell whether any channel was seen to hang up lately."""
        return self._follower.has_hung_up(uniqueid)

    def take(self, events: Iterable[Event | Sign]) -> None:
        """Apply events in order and journal what follows from them."""
        facts: list[Noticed] = []
        for event in events:
            if isinstance(event, SIGNS):
                self._take_sign(event)
            else:
                if isinstance(event, RecordingStarted):
                    self._monitors[event.call] = event.monitor
                facts += self._follower.apply(event)
                if isinstance(event, BridgeLeft):
                    self._steering.left(event.uniqueid, event.at)
        self._keep(facts)

    def steer(self, at: float, *, all: bool = False) -> None:
        """Give out what is to be done to recordings in progress at this time (seconds since 1970)."""
        orders = [order for order in self._steering.orders(at, all=all) if self._is_needed(order, at)]
        if orders:
            self._on_orders(orders)

    def carried_out(self, order: Order, at: float) -> None:
        """Journal what the exchange has done to a recording."""
        self._keep(self._steering.done(order, at))
        self.steer(at)

    def _take_sign(self, sign: Sign) -> None:
        revived = self._steering.take(sign)
        if revived:
            self._on_revived(revived)

    def _is_needed(self, order: Order, at: float) -> bool:
        """Tell whether an order must be given; a recording that was not stopped at all needs no reviving."""
        if order.do is not Do.REVIVE or order.call is None or self._was_stopped(order.call):
            return True
        self._steering.done(order, at)
        return False

    def _was_stopped(self, call: UUID) -> bool:
        ticket = self._open(call)
        if ticket is None or ticket.recording is None:
            return False
        try:
            return measure(self._spool.audio(ticket.recording)).closed
        except (AudioError, FileNotFoundError):
            return False

    def _steer(self, ticket: Ticket) -> None:
        assert ticket.recording
        self._steering.begin(ticket.call, ticket.recording, ticket.uniqueid, internal=ticket.direction is Direction.INTERNAL,
                             mute_hold=ticket.route in self._mute_hold, monitor=self._monitors.pop(ticket.call, ""),
                             facts=self._spool.facts(ticket.call))

    def _keep(self, noticed: list[Noticed]) -> None:
        facts: dict[UUID, list[Fact]] = defaultdict(list)
        for one in noticed:
            facts[one.call].append(one.fact)
        for call, learnt in facts.items():
            self._journal(call, learnt)
            self._steer_by(call, learnt)

    def _steer_by(self, call: UUID, facts: list[Fact]) -> None:
        if any(isinstance(fact, Started) for fact in facts) and (ticket := self._open(call)):
            self._steer(ticket)
        if any(isinstance(fact, Closed | Ended | Gone) for fact in facts):
            self._steering.end(call)
        else:
            self._steering.moved(call)

    def _journal(self, call: UUID, facts: list[Fact]) -> None:
        if not self._spool.has_ticket(call):
            return
        self._spool.append_facts(call, facts)
        if any(isinstance(fact, Closed) for fact in facts):
            self._on_closed(call)

    def _open(self, call: UUID) -> Ticket | None:
        try:
            ticket = self._spool.ticket(call)
        except (SpoolError, FileNotFoundError):
            return None
        return ticket if ticket.recording else None
