"""The notice policy: which call is recorded, what its parties are told, and whether they heard it.

Serves promise N1: nobody's voice is kept before they were told to the end.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ami_bridge.core.parties import Direction

ONE_FRAME = 160
"""Samples in 20 ms at 8 kHz: the accuracy with which Asterisk reports where a playback ended."""


class OnFailure(StrEnum):
    """What the dialplan does by itself when no script answers (facts 63-65)."""

    FALLBACK_RECORD = "fallback-record"
    REFUSE = "refuse"
    ALLOW_UNRECORDED = "allow-unrecorded"


class Reason(StrEnum):
    """Why a call is, or is not, recorded. Kept in the register; every member is explained in the reference."""

    ANNOUNCED = "announced"
    NOTICE_NOT_REQUIRED = "notice-not-required"
    ROUTE_SAYS_NO = "route-says-no"
    NO_ROUTE = "no-route"
    PROMPT_MISSING = "prompt-missing"
    PROMPT_CUT_SHORT = "prompt-cut-short"
    HUNG_UP_IN_NOTICE = "hung-up-in-notice"
    SCRIPTS_SILENT = "scripts-silent"
    NO_KEY = "no-key"
    NO_ROOM = "no-room"
    OPTED_OUT = "opted-out"
    NOT_OPTED_IN = "not-opted-in"


class Verdict(StrEnum):
    """What the dialplan is told to do. Empty: no script answered. UNKEPT: no ticket could be written; note the call.

    OFFER: go on unrecorded, and let the company's party ask for it.
    """

    RECORD = "record"
    PASS = "pass"  # noqa: S105
    REFUSE = "refuse"
    UNKEPT = "unkept"
    OFFER = "offer"


class Choice(StrEnum):
    """Whether the party may decide by a key. OPT_OUT: pressing it means no recording. OPT_IN: only pressing it means one."""

    NONE = "none"
    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"


class HoldPolicy(StrEnum):
    """What happens to the recording while the party is on hold: it goes on, or is silent (fact 40)."""

    RECORD = "record"
    MUTE = "mute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One version of a spoken notice. ``file`` is what Asterisk plays (no ending); ``samples`` at 8 kHz."""

    name: str
    language: str
    version: int
    file: str
    samples: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One rule. An empty tuple matches everything; a ``dids`` entry ending in ``*`` matches a prefix.

    ``on_demand``: only when the company's party asks for it in the conversation. ``stereo``: each side in its own channel.
    ``notice`` names the prompt; the empty text means none is played (internal calls only). ``days`` of 24 hours after its
    end such a call is forgotten. ``choice_key``: one character of 0-9, ``*`` and ``#``; ``choice_seconds``: how long it is
    waited for after the notice.
    """

    name: str
    days: int
    directions: tuple[Direction, ...] = ()
    contexts: tuple[str, ...] = ()
    dids: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    record: bool = True
    notice: str = "recorded"
    languages: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.FALLBACK_RECORD
    choice: Choice = Choice.NONE
    choice_key: str = "9"
    choice_seconds: int = 3
    on_demand: bool = False
    stereo: bool = False

    def matches(self, entry: "EntryPoint") -> bool:
        """Tell whether this route is for a call that came in at ``entry``."""
        return (
            (not self.directions or entry.direction in self.directions)
            and (not self.contexts or entry.context in self.contexts)
            and (not self.dids or any(did_matches(pattern, entry.did) for pattern in self.dids))
            and (not self.queues or entry.queue in self.queues)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """Where a call meets us: direction, the admin's context, the number dialled, the queue it leads to, its language.

    ``demanded``: the company's party asks for a recording in the midst of the conversation.
    """

    direction: Direction
    context: str
    did: str
    queue: str = ""
    language: str = ""
    demanded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All rules in order (the first match decides) and all current prompts, for one exchange.

    ``days``: the retention that the privacy notice promises, for calls without a route. ``floor``: bytes that must be free
    in the spool, or nothing is recorded.
    """

    exchange: str
    days: int
    floor: int
    routes: tuple[Route, ...]
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Record or not, why, by which route, and which prompts to try, best first (empty: none needed)."""

    record: bool
    reason: Reason
    route: Route | None
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeProof:
    """Evidence that a notice was played to a party. Samples at 8 kHz; ``at`` is the end of the playback (aware).

    ``pressed``: the key by which the party chose; empty when it pressed none, or had no choice.
    """

    prompt: str
    language: str
    version: int
    sha256: str
    samples: int
    heard_samples: int
    at: datetime
    witness: str = "agi"
    pressed: str = ""


def did_matches(pattern: str, did: str) -> bool:
    """Tell whether a dialled number fits a pattern: equal, or its beginning where the pattern ends in ``*``."""
    return did.startswith(pattern[:-1]) if pattern.endswith("*") else did == pattern


def route_for(policy: Policy, entry: EntryPoint) -> Route | None:
    """Return the first route that matches, or None."""
    return next((route for route in policy.routes if route.matches(entry)), None)


def decide(policy: Policy, entry: EntryPoint) -> Decision:
    """Decide about a call: the first matching route rules; a call that no route matches is not recorded."""
    route = route_for(policy, entry)
    if route is None:
        return Decision(record=False, reason=Reason.NO_ROUTE, route=None)
    if not route.record or (route.on_demand and not entry.demanded):
        return Decision(record=False, reason=Reason.ROUTE_SAYS_NO, route=route)
    if not route.notice:
        return Decision(record=True, reason=Reason.NOTICE_NOT_REQUIRED, route=route)
    prompts = prompts_for(policy, route, entry.language)
    if not prompts:
        return Decision(record=False, reason=Reason.PROMPT_MISSING, route=route)
    return Decision(record=True, reason=Reason.ANNOUNCED, route=route, prompts=prompts)


def verdict_of_no(decision: Decision) -> Verdict:
    """Return what happens to a call that is not to be recorded: it goes on; where it may be asked for, it is offered."""
    offered = decision.route is not None and decision.route.record and decision.reason is Reason.ROUTE_SAYS_NO
    return Verdict.OFFER if offered else Verdict.PASS


def prompts_for(policy: Policy, route: Route, language: str) -> tuple[Prompt, ...]:
    """Return the route's prompts in the order to try: the channel's language if the route speaks it, then its list."""
    wanted = language.partition("_")[0]
    order = sorted(route.languages, key=lambda spoken: spoken != wanted)
    by_language = {p.language: p for p in policy.prompts if p.name == route.notice}
    return tuple(by_language[spoken] for spoken in order if spoken in by_language)


def heard_to_the_end(prompt: Prompt, result: str, endpos: int) -> bool:
    """Tell whether ``STREAM FILE`` played the whole prompt: result 0 and the end position within one frame.

    Source: Asterisk 22 res/res_agi.c handle_streamfile; a key press, a hangup or a shorter file all fail here.
    """
    return result == "0" and abs(endpos - prompt.samples) <= ONE_FRAME


def reason_after(choice: Choice, proof: NoticeProof | None) -> Reason:
    """Return whether a call is recorded after its notice, and why not: never before it was heard, or against a choice.

    Who opts out in the middle of the notice has chosen all the same.
    """
    if proof is None:
        return Reason.PROMPT_MISSING
    if choice is Choice.OPT_OUT and proof.pressed:
        return Reason.OPTED_OUT
    if proof.heard_samples != proof.samples:
        return Reason.PROMPT_CUT_SHORT
    return Reason.NOT_OPTED_IN if choice is Choice.OPT_IN and not proof.pressed else Reason.ANNOUNCED


CHOSEN = frozenset({Reason.OPTED_OUT, Reason.NOT_OPTED_IN})
"""The reasons by which a call goes on unrecorded because the party would have it so, whatever the route says of failures."""


def verdict_without_notice(route: Route | None) -> Verdict:
    """Return what happens to a call whose notice could not be played: it goes on unrecorded, unless refused by rule."""
    refused = route is not None and route.on_failure is OnFailure.REFUSE
    return Verdict.REFUSE if refused else Verdict.PASS
