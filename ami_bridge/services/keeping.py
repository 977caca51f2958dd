"""Holds, as people with duties for them work: listed, looked at, placed, and proposed to be released.

Nothing here tells anything of a held call but its id: the retention officer works with holds, and hears and sees no caller.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.errors import NotFound
from ami_bridge.core.holds import Hold
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.agreeing import Agreeing, Shown
from ami_bridge.services.holds import Holding, Wish
from ami_bridge.services.releasing import Release, release
from ami_bridge.services.rights import Rights
from ami_bridge.services.trail import Look


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, and the proposal to release it, where one stands."""

    hold: Hold
    release: Shown | None


class Keeping:
    """The holds, on behalf of one account. Blocking."""

    def __init__(self, register: Register, holding: Holding, rights: Rights, agreeing: Agreeing) -> None:
        self._register, self._holding, self._rights, self._agreeing = register, holding, rights, agreeing

    def all(self) -> list[Held]:
        """Return all holds, the one that ends first first; recorded before."""
        self._rights.require(Action.HOLDS_LISTED)
        with self._rights.trail.looking(Action.HOLDS_LISTED) as look, self._register.reading() as work:
            found = self._held(work, work.holds.all())
            look.detail[Detail.FOUND] = len(found)
        return found

    def show(self, hold: UUID) -> Held:
        """Return a hold; recorded before. NotFound when there is no such hold. Its call is shown by ``listen``."""
        self._rights.require(Action.HOLD_VIEWED, str(hold))
        with self._rights.trail.looking(Action.HOLD_VIEWED, str(hold)):
            return self._find(hold)

    def place(self, call: UUID, reason: str, basis: str, until: datetime, remind_at: datetime | None = None) -> Hold:
        """Hold a call. NotFound when there is no such call; ConfigurationError when too little is said; Busy in a purge."""
        self._rights.require(Action.HOLD_PLACED, str(call))
        wish = Wish(call=str(call), reason=reason, basis=basis, by=self._rights.account.name, until=until,
                    remind_at=remind_at)
        with self._rights.trail.refusals(Action.HOLD_PLACED, Look(self._register, str(call))):
            return self._holding.place(wish)

    def release(self, hold: UUID) -> Release:
        """Propose the release of a hold, or do it where another proposed it."""
        return release(self._agreeing, str(hold))

    def _find(self, hold: UUID) -> Held:
        with self._register.reading() as work:
            found = work.holds.get(str(hold))
            if found is None:
                raise NotFound("there is no such hold", "See the list of holds.")
            return self._held(work, [found])[0]

    def _held(self, work: Work, holds: list[Hold]) -> list[Held]:
        waiting = self._agreeing.all_open(work, Action.HOLD_RELEASED)
        asked = [waiting[str(hold.id)] for hold in holds if str(hold.id) in waiting and not hold.released_at]
        shown = {one.proposal.object: one for one in self._agreeing.all_shown(work, asked)}
        return [Held(hold, shown.get(str(hold.id))) for hold in holds]
