"""What one signed-in person may do, asked before each thing they do; a refusal is recorded."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ami_bridge.core.accounts import Account
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.duties import Reach, Why, decide, reach
from ami_bridge.core.errors import NotAllowed
from ami_bridge.core.purposes import open_to
from ami_bridge.services.trail import Trail

HINT = "Whoever looks after the accounts can tell who may."


class Refused(NotAllowed):
    """Somebody may not do something. ``why``: the reason, which the trail has too."""

    def __init__(self, action: Action, why: Why) -> None:
        super().__init__(f"{action} is not open to you: {why}", HINT)
        self.action, self.why = action, why


class Rights:
    """The rights of one account, as it stood when this request began. ``trail`` leaves traces of that account."""

    def __init__(self, account: Account, trail: Trail, purposes: Sequence[str], now: Callable[[], datetime]) -> None:
        self.account, self.trail = account, trail
        self.purposes = open_to(account.duties, purposes)
        self._now = now

    def may(self, action: Action) -> bool:
        """Tell whether some duty of theirs has an action, wherever: for menus, which promise nothing."""
        return reach(self.account.duties, action) is not Reach.NOWHERE

    def everywhere(self, action: Action) -> bool:
        """Tell whether an action is theirs for all calls, not only for those of their own teams and queues."""
        return reach(self.account.duties, action) is Reach.EVERYWHERE

    def allows(self, action: Action, *, in_scope: bool = True, purpose: str | None = None) -> bool:
        """Tell whether ``require`` would let them; nothing is recorded, for nothing is done: for what a page offers."""
        return self._why_not(action, in_scope, purpose) is None

    def require(self, action: Action, object: str = "", *, in_scope: bool = True, purpose: str | None = None,
                detail: Mapping[Detail, int | str] | None = None) -> None:
        """Refused, and recorded, when they may not. ``purpose``: None where the action needs none, else one of theirs.

        ``in_scope``: whether it concerns a call of their own teams and queues; asked only where their duty is so limited.
        """
        why = self._why_not(action, in_scope, purpose)
        if why is not None:
            named = purpose if purpose in self.purposes else ""
            self.trail.leave(action, object, detail, refused=why.value, purpose=named or "")
            raise Refused(action, why)

    def _why_not(self, action: Action, in_scope: bool, purpose: str | None) -> Why | None:
        verdict = decide(self.account.duties, action, self._now(), clearance_until=self.account.clearance_until,
                         in_scope=in_scope)
        if not verdict.allowed:
            return verdict.why
        return Why.NO_PURPOSE if purpose is not None and purpose not in self.purposes else None
