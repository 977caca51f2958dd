"""Announce a call and decide about its recording: the script behind every entry point.

The order is the promise (N1): decide, answer, play, check that it was heard to the end, keep the ticket, say the
verdict. MixMonitor starts only after that, in the dialplan.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from agi_scripts import variables
from agi_scripts.variables import Line
from ami_bridge.core.agi import Conversation, Reply, Step, command
from ami_bridge.core.errors import AgiHangup
from ami_bridge.core.notice import (
    CHOSEN,
    Choice,
    Decision,
    EntryPoint,
    NoticeProof,
    Policy,
    Prompt,
    Reason,
    Route,
    Verdict,
    decide,
    heard_to_the_end,
    reason_after,
    verdict_of_no,
    verdict_without_notice,
)
from ami_bridge.core.parties import Direction
from ami_bridge.core.tickets import Ticket

SAMPLES_A_SECOND = 8000
MARGIN = 5
"""Seconds a playback may take beyond its length before the exchange is held to be stuck."""

OTHER_KEYS = 3
"""How many keys may be pressed while one is waited for."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the script works with: the policy, where tickets go (blocking, durable), the clock, new UUIDv7 keys.

    ``obstacle`` tells why nothing may be recorded for now: it could not be sealed, or not be kept; None when it may.
    ``passed`` is told of a call that leaves no entry, and why; quick.
    """

    policy: Policy
    keep: Callable[[Ticket], None]
    now: Callable[[], datetime]
    new_id: Callable[[datetime], UUID]
    obstacle: Callable[[], Reason | None]
    passed: Callable[[Direction, Reason], object] = lambda direction, reason: None


def announce(desk: Desk, environment: dict[str, str]) -> Conversation:
    """Run the conversation for one call (see the module)."""
    yield variables.keep_waiting(MARGIN)
    line = variables.answer((yield variables.question()).text)
    decision = decide(desk.policy, _entry_point(line))
    if decision.record and (obstacle := desk.obstacle()):
        decision = replace(decision, record=False, reason=obstacle)
    draft = _draft(desk, line, decision)
    if not decision.record:
        yield from _say_no(desk, decision, draft)
    elif not decision.prompts:
        yield from _say_yes(desk, decision, draft)
    else:
        yield from _after_notice(desk, decision, draft)


def ready(environment: dict[str, str]) -> Conversation:
    """Tell the dialplan that the daemon answers: asked on the caller's channel before an outbound call is dialled."""
    yield variables.give(ready="1")


def _after_notice(desk: Desk, decision: Decision, draft: Ticket) -> Generator[Step, Any, None]:
    try:
        yield command("ANSWER", patience=MARGIN, theirs=True)
        proof = yield from _play(desk, decision)
    except AgiHangup:
        yield from _keep(desk, _unrecorded(draft, Reason.HUNG_UP_IN_NOTICE))
        raise
    assert decision.route
    reason = reason_after(decision.route.choice, proof)
    if reason is Reason.ANNOUNCED:
        yield from _say_yes(desk, decision, replace(draft, notice=proof))
    else:
        yield from _say_why_not(desk, decision, replace(_unrecorded(draft, reason), notice=proof))


def _play(desk: Desk, decision: Decision) -> Generator[Step, Any, NoticeProof | None]:
    """Play the first prompt that can be played; None when none could. AgiHangup when the party left.

    Only a key that opts out may cut the notice short: who opts in has heard it all.
    """
    route = decision.route
    assert route
    key = route.choice_key if route.choice is Choice.OPT_OUT else ""
    for prompt in decision.prompts:
        patience = prompt.samples // SAMPLES_A_SECOND + MARGIN
        yield variables.keep_waiting(patience)
        reply: Reply = yield command("STREAM FILE", prompt.file, key, patience=patience, theirs=True)
        if _is_key(reply, key):
            return _proof(prompt, reply, desk.now(), key)
        if reply.result != "0":
            yield command("CHANNEL STATUS")
        if reply.result == "0" or reply.endpos > 0:
            pressed = "" if route.choice is Choice.NONE else (yield from _choice(route))
            return _proof(prompt, reply, desk.now(), pressed)
    return None


def _choice(route: Route) -> Generator[Step, Any, str]:
    """Return the route's key when it is pressed in time; other keys are passed over."""
    for _ in range(OTHER_KEYS):
        yield variables.keep_waiting(route.choice_seconds + MARGIN)
        reply: Reply = yield command("WAIT FOR DIGIT", route.choice_seconds * 1000, theirs=True,
                                     patience=route.choice_seconds + MARGIN)
        if _is_key(reply, route.choice_key):
            return route.choice_key
        if reply.result == "0":
            break
        if reply.result == "-1":
            yield command("CHANNEL STATUS")
    return ""


def _is_key(reply: Reply, key: str) -> bool:
    """Tell whether a reply names a key: Asterisk gives its character code (res/res_agi.c, handle_waitfordigit)."""
    return bool(key) and reply.result == str(ord(key))


def _proof(prompt: Prompt, reply: Reply, at: datetime, pressed: str) -> NoticeProof:
    heard = prompt.samples if heard_to_the_end(prompt, reply.result, reply.endpos) else reply.endpos
    return NoticeProof(prompt=prompt.name, language=prompt.language, version=prompt.version, sha256=prompt.sha256,
                       samples=prompt.samples, heard_samples=heard, at=at, pressed=pressed)


def _say_yes(desk: Desk, decision: Decision, ticket: Ticket) -> Generator[Step, Any, None]:
    """Keep the ticket, then say so. A party who left in between was not recorded: the ticket must not promise it."""
    if not (yield from _keep(desk, ticket)):
        yield variables.give(verdict=Verdict.UNKEPT)
        return
    try:
        notice = ticket.notice
        stereo = "1" if decision.route and decision.route.stereo else ""
        yield variables.give(call=str(ticket.call), recording=str(ticket.recording), route=ticket.route, stereo=stereo,
                             notice=notice.prompt if notice else "", language=notice.language if notice else "",
                             verdict=Verdict.RECORD)
    except AgiHangup:
        yield from _keep(desk, _unrecorded(ticket, Reason.HUNG_UP_IN_NOTICE))
        raise


def _say_no(desk: Desk, decision: Decision, draft: Ticket) -> Generator[Step, Any, None]:
    """A call that nobody wants recorded leaves no trace; one that could not be announced leaves an entry."""
    if decision.reason in (Reason.PROMPT_MISSING, Reason.NO_KEY, Reason.NO_ROOM):
        yield from _say_why_not(desk, decision, _unrecorded(draft, decision.reason))
    else:
        desk.passed(draft.direction, decision.reason)
        yield variables.give(verdict=verdict_of_no(decision))


def _say_why_not(desk: Desk, decision: Decision, ticket: Ticket) -> Generator[Step, Any, None]:
    """A conversation in the midst of which a recording was asked for is not ended for want of it."""
    kept = yield from _keep(desk, ticket)
    goes_on = ticket.reason in CHOSEN or (decision.route is not None and decision.route.on_demand)
    verdict = Verdict.PASS if goes_on else verdict_without_notice(decision.route)
    yield variables.give(verdict=verdict if kept else Verdict.UNKEPT)


def _keep(desk: Desk, ticket: Ticket) -> Generator[Step, Any, bool]:
    """Keep a ticket; False when the spool cannot take it: then nothing may be recorded, and the dialplan notes the call."""
    try:
        yield partial(desk.keep, ticket)
    except OSError:
        return False
    return True


def _entry_point(line: Line) -> EntryPoint:
    return EntryPoint(direction=line.direction, context=line.context, did=line.did, queue=line.queue,
                      language=line.language, demanded=line.demanded)


def _draft(desk: Desk, line: Line, decision: Decision) -> Ticket:
    now = desk.now()
    return Ticket(
        call=desk.new_id(now), recording=desk.new_id(now), exchange=desk.policy.exchange, direction=line.direction,
        route=decision.route.name if decision.route else "", queue=line.queue,
        days=decision.route.days if decision.route else desk.policy.days, reason=decision.reason, caller=line.caller,
        callee=line.did, channel=line.channel, uniqueid=line.uniqueid, linkedid=line.linkedid,
        company_channel=line.company_channel, company_name=line.company_name, opened_at=now,
    )


def _unrecorded(ticket: Ticket, reason: Reason) -> Ticket:
    return replace(ticket, recording=None, reason=reason)
