"""Evidence of what people did with recordings: looks, what was handed out, requests, supervision (N2, N6, N7, N10, N11)."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from ami_bridge.core.actions import Action
from ami_bridge.core.disclosures import Disclosure, HandedOut, Kind, in_order
from ami_bridge.core.duties import Duty
from ami_bridge.core.promise_people import FOR_A_PURPOSE, LEAVING, Asked, Left, Looks, Supervision
from ami_bridge.core.proposals import Proposal
from ami_bridge.core.purposes import BY_LAW
from ami_bridge.core.requests import State
from ami_bridge.register import Work
from ami_bridge.services.promises_house import House


def looks(house: House) -> Looks:
    """Count the looks in the trail by who looked and for what."""
    known = {*house.config.purposes.names, *BY_LAW}
    with house.reading() as work:
        counted = work.audit.counted(FOR_A_PURPOSE)
    own = {purpose: count for (by_account, purpose), count in counted.items() if by_account}
    return Looks(asked=sum(count for (by_account, purpose), count in counted.items() if by_account or purpose),
                 bare=own.get("", 0), typed=counted.get((False, ""), 0),
                 foreign=sum(count for (_, purpose), count in counted.items() if purpose and purpose not in known))


def left(house: House) -> Left:
    """Hold each file that left against the proposal that two persons agreed on, and against the trail."""
    with house.reading() as work:
        gone = _gone(work)
        traced, agreed = work.audit.objects(LEAVING), _agreed(work, [one for one, _ in gone])
    listed = Counter((one.action.value, str(one.call)) for one, _ in gone)
    alone = (not any(in_order(one, each, [file]) for each in agreed.get(str(one.id), [])) for one, file in gone)
    return Left(files=len(gone), alone=sum(alone),
                bare=sum(not one.recipient or (one.kind is Kind.AUTHORITY and not one.statute) for one, _ in gone),
                unlisted=sum(max(0, count - listed[key]) for key, count in traced.items()))


def _gone(work: Work) -> list[tuple[Disclosure, HandedOut]]:
    found = {one.id: one for one in work.disclosures.all()}
    return [(found[id], file) for id, files in work.disclosures.handed_out(found).items() for file in files]


def _agreed(work: Work, disclosures: list[Disclosure]) -> dict[str, list[Proposal]]:
    found: dict[str, list[Proposal]] = {}
    for action in LEAVING:
        for proposal in work.proposals.of(action, *{str(one.id) for one in disclosures if one.action is action}):
            found.setdefault(proposal.object, []).append(proposal)
    return found


def recipients(house: House) -> frozenset[str]:
    """Return the countries to which something left."""
    with house.reading() as work:
        return frozenset(one.country for one, _ in _gone(work))


def requests(house: House) -> Asked:
    """Count the requests of callers that wait, and those that are late."""
    with house.reading() as work:
        due = [request.due_at for request in work.requests.all() if request.state is State.OPEN]
    late = [at for at in due if at <= house.now]
    return Asked(waiting=len(due), late=len(late), since=min(late, default=None))


def supervision(house: House) -> Supervision:
    """Ask who can read the trail, and when it was read."""
    with house.reading() as work:
        auditors = sum(one.usable and Duty.AUDITOR in one.duties for one in work.accounts.all())
        return Supervision(auditors=auditors, read_at=work.audit.latest(Action.TRAIL_READ), now=house.now)


GATHERERS: dict[str, Callable[[House], Any]] = {
    "listening": lambda house: (house.verbs, looks(house)), "disclosures": left, "recipients": recipients,
    "requests": requests, "supervision": supervision}
