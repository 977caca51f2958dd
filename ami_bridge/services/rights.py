"""What one signed-in person may do, asked before each thing they do; a refusal is recorded."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from ami_bridge.core.accounts import Account
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.duties import Duty, Reach, Refused, Why, decide, reach
from ami_bridge.core.proposals import MACHINE
from ami_bridge.core.purposes import open_to
from ami_bridge.services.trail import Trail


class Rights:
    """The rights of one account, as it stood when this request began. ``trail`` leaves traces of that account."""

    def __init__(self, account: Account, trail: Trail, purposes: Sequence[str], now: Callable[[], datetime]) -> None:
        self.account, self.trail = account, trail
        self.purposes = open_to(account.duties, purposes)
        self._now = now

    @property
    def duties(self) -> frozenset[Duty]:
        """Return their duties."""
        return self.account.duties

    def may(self, action: Action) -> bool:
        """Tell whether some duty of theirs has an action, wherever: for menus, which promise nothing."""
        return reach(self.account.duties, action) is not Reach.NOWHERE

    def everywhere(self, action: Action) -> bool:
        """Tell whether an action is theirs for all calls, not only for those of their own teams and queues."""
        return reach(self.account.duties, action) is Reach.EVERYWHERE

    def why_not(self, action: Action, *, in_scope: bool = True, purpose: str | None = None) -> Why | None:
        """Return why ``require`` would refuse, None where it would not; nothing is recorded, for nothing is done.

        For what a page offers.
        """
        verdict = decide(self.account.duties, action, self._now(), clearance_until=self.account.clearance_until,
                         in_scope=in_scope)
        if not verdict.allowed:
            return verdict.why
        return Why.NO_PURPOSE if purpose is not None and purpose not in self.purposes else None

    def require(self, action: Action, object: str = "", *, in_scope: bool = True, purpose: str | None = None,
                detail: Mapping[Detail, int | str] | None = None) -> None:
        """Refused, and recorded, when they may not. ``purpose``: None where the action needs none, else one of theirs.

        ``in_scope``: whether it concerns a call of their own teams and queues; asked only where their duty is so limited.
        """
        why = self.why_not(action, in_scope=in_scope, purpose=purpose)
        if why is not None:
            named = purpose if purpose in self.purposes else ""
            self.refuse(action, why, object, detail, named or "")

    def refuse(self, action: Action, why: Why, object: str = "", detail: Mapping[Detail, int | str] | None = None,
               purpose: str = "") -> NoReturn:
        """Raise Refused, having recorded it."""
        self.trail.leave(action, object, detail, refused=why.value, purpose=purpose)
        raise Refused(action, why)


class MachineRights:
    """Whoever runs a command of this machine: bound by the machine and not by duties, until two persons must agree."""

    duties = MACHINE

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    def require(self, action: Action, object: str = "") -> None:
        """Refuse nothing."""


Bound = Rights | MachineRights
"""Whose rights something is done by."""
