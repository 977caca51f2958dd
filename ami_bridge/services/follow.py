"""Follow: what the exchange reports is folded into facts, and the facts are journaled beside the tickets."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from uuid import UUID

from ami_bridge.core.calls import Follower, Open
from ami_bridge.core.events import Event
from ami_bridge.core.facts import Closed, Fact, Noticed
from ami_bridge.core.orders import Order
from ami_bridge.core.parties import Direction
from ami_bridge.core.signs import SIGNS, Sign
from ami_bridge.core.steering import SteeringRules
from ami_bridge.services.steer import Steer, Told, recorded
from ami_bridge.spool import Spool

log = logging.getLogger(__name__)


class Follow:
    """Keeps the fold and writes its facts. ``on_closed`` is told each call whose audio is complete; ``told``: see ``Steer``.
    """

    def __init__(self, spool: Spool, on_closed: Callable[[UUID], None], rules: SteeringRules, mute_hold: frozenset[str],
                 told: Told) -> None:
        self._spool, self._on_closed = spool, on_closed
        self._follower = Follower()
        self.steer = Steer(spool, self._follower, rules, mute_hold, told)

    @property
    def open_calls(self) -> int:
        """Return how many calls are being followed."""
        return self._follower.open_calls

    def resume(self) -> int:
        """Take up every call that has a ticket (at start, and after the link was down); return how many."""
        self._follower.forget_bridges()
        tickets = [ticket for call in self._spool.open_calls() if (ticket := recorded(self._spool, call))]
        for ticket in tickets:
            if ticket.recording:
                self._follower.resume(ticket.call, ticket.recording, ticket.uniqueid, ticket.opened_at.timestamp(),
                                      outside=ticket.direction is not Direction.INTERNAL)
        self.steer.take_up(tickets)
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
        facts: dict[UUID, list[Fact]] = defaultdict(list)
        for event in events:
            for noticed in self._apply(event):
                facts[noticed.call].append(noticed.fact)
        for call, learnt in facts.items():
            self._journal(call, learnt)
            self.steer.learn(call, learnt)

    def carried_out(self, order: Order, at: float) -> None:
        """Journal what the exchange has done to a recording, ``at`` seconds since 1970."""
        for call, fact in self.steer.done(order, at):
            self._journal(call, [fact])
        self.steer.look(at)

    def _apply(self, event: Event | Sign) -> list[Noticed]:
        if isinstance(event, SIGNS):
            return self.steer.take(event)
        noticed = self._follower.apply(event)
        self.steer.see(event)
        return noticed

    def _journal(self, call: UUID, facts: list[Fact]) -> None:
        if not self._spool.has_ticket(call):
            return
        self._spool.append_facts(call, facts)
        if any(isinstance(fact, Closed) for fact in facts):
            self._on_closed(call)
