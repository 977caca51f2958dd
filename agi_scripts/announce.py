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
    Decision,
    EntryPoint,
    NoticeProof,
    Policy,
    Prompt,
    Reason,
    Verdict,
    decide,
    heard_to_the_end,
    verdict_without_notice,
)
from ami_bridge.core.tickets import Ticket

SAMPLES_A_SECOND = 8000
MARGIN = 5
"""Seconds a playback may take beyond its length before the exchange is held to be stuck."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the script works with: the policy, where tickets go (blocking, durable), the clock, new UUIDv7 keys.

    ``obstacle`` tells why nothing may be recorded for now: it could not be sealed, or not be kept; None when it may.
    """

    policy: Policy
    keep: Callable[[Ticket], None]
    now: Callable[[], datetime]
    new_id: Callable[[datetime], UUID]
    obstacle: Callable[[], Reason | None]


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
        yield from _say_yes(desk, draft)
    else:
        yield from _after_notice(desk, decision, draft)


def ready(environment: dict[str, str]) -> Conversation:
    """Tell the dialplan that the daemon answers: asked on the caller's channel before an outbound call is dialled."""
    yield variables.give(ready="1")


def _after_notice(desk: Desk, decision: Decision, draft: Ticket) -> Generator[Step, Any, None]:
    try:
        yield command("ANSWER", patience=MARGIN)
        proof = yield from _play(desk, decision.prompts)
    except AgiHangup:
        yield from _keep(desk, _unrecorded(draft, Reason.HUNG_UP_IN_NOTICE))
        raise
    if proof is None or proof.heard_samples != proof.samples:
        reason = Reason.PROMPT_MISSING if proof is None else Reason.PROMPT_CUT_SHORT
        yield from _say_why_not(desk, decision, replace(_unrecorded(draft, reason), notice=proof))
    else:
        yield from _say_yes(desk, replace(draft, notice=proof))


def _play(desk: Desk, prompts: tuple[Prompt, ...]) -> Generator[Step, Any, NoticeProof | None]:
    """Play the first prompt that can be played; None when none could. AgiHangup when the party left."""
    for prompt in prompts:
        patience = prompt.samples // SAMPLES_A_SECOND + MARGIN
        yield variables.keep_waiting(patience)
        reply: Reply = yield command("STREAM FILE", prompt.file, "", patience=patience)
        if reply.result != "0":
            yield command("CHANNEL STATUS")
        if reply.result == "0" or reply.endpos > 0:
            return _proof(prompt, reply, desk.now())
    return None


def _proof(prompt: Prompt, reply: Reply, at: datetime) -> NoticeProof:
    heard = prompt.samples if heard_to_the_end(prompt, reply.result, reply.endpos) else reply.endpos
    return NoticeProof(prompt=prompt.name, language=prompt.language, version=prompt.version, sha256=prompt.sha256,
                       samples=prompt.samples, heard_samples=heard, at=at)


def _say_yes(desk: Desk, ticket: Ticket) -> Generator[Step, Any, None]:
    """Keep the ticket, then say so. A party who left in between was not recorded: the ticket must not promise it."""
    if not (yield from _keep(desk, ticket)):
        yield variables.give(verdict=Verdict.UNKEPT)
        return
    try:
        notice = ticket.notice
        yield variables.give(call=str(ticket.call), recording=str(ticket.recording), route=ticket.route,
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
        yield variables.give(verdict=Verdict.PASS)


def _say_why_not(desk: Desk, decision: Decision, ticket: Ticket) -> Generator[Step, Any, None]:
    kept = yield from _keep(desk, ticket)
    yield variables.give(verdict=verdict_without_notice(decision.route) if kept else Verdict.UNKEPT)


def _keep(desk: Desk, ticket: Ticket) -> Generator[Step, Any, bool]:
    """Keep a ticket; False when the spool cannot take it: then nothing may be recorded, and the dialplan notes the call."""
    try:
        yield partial(desk.keep, ticket)
    except OSError:
        return False
    return True


def _entry_point(line: Line) -> EntryPoint:
    return EntryPoint(direction=line.direction, context=line.context, did=line.did, queue=line.queue,
                      language=line.language)


def _draft(desk: Desk, line: Line, decision: Decision) -> Ticket:
    now = desk.now()
    return Ticket(
        call=desk.new_id(now), recording=desk.new_id(now), exchange=desk.policy.exchange, direction=line.direction,
        route=decision.route.name if decision.route else "",
        days=decision.route.days if decision.route else desk.policy.days, reason=decision.reason, caller=line.caller,
        callee=line.did, channel=line.channel, uniqueid=line.uniqueid, linkedid=line.linkedid,
        company_channel=line.company_channel, company_name=line.company_name, opened_at=now,
    )


def _unrecorded(ticket: Ticket, reason: Reason) -> Ticket:
    return replace(ticket, recording=None, reason=reason)
