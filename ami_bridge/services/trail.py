"""Leaving traces: before anything of a caller is shown, with what is changed, or (what must not wait) afterwards."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ami_bridge.core import alarms
from ami_bridge.core.actions import Action
from ami_bridge.core.alarms import Alarm
from ami_bridge.core.audit import Detail, Outcome, Trace
from ami_bridge.core.duties import Refused
from ami_bridge.core.errors import (
    AmiBridgeError,
    Busy,
    ConfigurationError,
    KeyMissing,
    NotAllowed,
    NotFound,
    RegisterError,
    TrailError,
)
from ami_bridge.register import Register
from ami_bridge.register.register import Work

REASONS: dict[type[AmiBridgeError], str] = {
    NotFound: "not-found", KeyMissing: "key-missing", ConfigurationError: "wrong-request", Busy: "busy",
    NotAllowed: "not-allowed"}
NOT_SHOWN = "Nothing was shown or done. Whoever runs this must be able to write to the register."


@dataclass(slots=True)
class Look:
    """What somebody looks at or does: filled in while it is found out, recorded before they get it."""

    register: Register
    object: str = ""
    detail: dict[Detail, int | str] = field(default_factory=dict)
    purpose: str = ""


class Trail:
    """Leaves traces of one ``actor``. ``alarm`` is told when something went on without one."""

    def __init__(self, register: Register, actor: str, now: Callable[[], datetime], alarm: Callable[[Alarm], None]) -> None:
        self._register, self.actor, self._now, self._alarm = register, actor, now, alarm

    @contextmanager
    def looking(self, action: Action, object: str = "", purpose: str = "") -> Iterator[Look]:
        """Record what the block found, or that it was refused, before whoever asked gets to see it.

        TrailError when that cannot be recorded: then nothing is to be shown. An error of the register is not recorded.
        """
        look = Look(self._register, object, purpose=purpose)
        with self.refusals(action, look):
            yield look
        self.leave(action, look.object, look.detail, purpose=look.purpose)

    @contextmanager
    def refusals(self, action: Action, look: Look) -> Iterator[None]:
        """Record that the block was refused; what it does is recorded where it is done. Not an error of the register."""
        try:
            yield
        except RegisterError:
            raise
        except AmiBridgeError as refusal:
            self.leave(action, look.object, look.detail, refused=reason_of(refusal), purpose=look.purpose)
            raise

    def leave(self, action: Action, object: str = "", detail: Mapping[Detail, int | str] | None = None,
              refused: str = "", purpose: str = "") -> None:
        """Record one action before it is done; TrailError, and nothing must be shown or done, when that cannot be."""
        try:
            self.done(action, object, detail, refused, purpose)
        except RegisterError as problem:
            raise TrailError(f"this cannot be recorded in the trail: {problem.args[0]}",
                             f"{NOT_SHOWN} {problem.hint}".rstrip()) from None

    def done(self, action: Action, object: str = "", detail: Mapping[Detail, int | str] | None = None,
             refused: str = "", purpose: str = "") -> None:
        """Record what is done already, in a transaction of its own; RegisterError when that cannot be."""
        with self._register.writing() as work:
            self.within(work, action, object, detail, refused, purpose)

    def within(self, work: Work, action: Action, object: str = "", detail: Mapping[Detail, int | str] | None = None,
               refused: str = "", purpose: str = "") -> None:
        """Record one action in the transaction that does it: both are there afterwards, or neither."""
        work.audit.leave(Trace(actor=self.actor, action=action, object=object, purpose=purpose, detail=detail or {},
                               reason=refused, outcome=Outcome.REFUSED if refused else Outcome.ALLOWED), self._now())

    def afterwards(self, action: Action, object: str = "", detail: Mapping[Detail, int | str] | None = None,
                   refused: str = "") -> None:
        """Record what must not wait for the trail and is done already. When it cannot be, that alarms, and nothing else."""
        try:
            self.done(action, object, detail, refused)
        except RegisterError as problem:
            self._alarm(alarms.trail_unwritten(action.value, problem))


def reason_of(refusal: AmiBridgeError) -> str:
    """Return why something was refused, in a word."""
    if isinstance(refusal, Refused):
        return refusal.why.value
    return next((word for kind, word in REASONS.items() if isinstance(refusal, kind)), "failed")
