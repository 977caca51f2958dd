"""What people do with recordings, as the check of the notice sees it: evidence, and its judgement. Pure.

Looks, what was handed out, requests of callers, who supervises: all from the register, as counts and days.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ami_bridge.core.actions import Action
from ami_bridge.core.eea import EEA
from ami_bridge.core.promise_declared import VERBS
from ami_bridge.core.promise_evidence import Said, broken, kept, many, unclear

FOR_A_PURPOSE = frozenset({Action.CALL_VIEWED, Action.CALL_LISTENED, Action.CALL_EXPORTED, Action.CALL_DISCLOSED,
                           Action.LISTENING_SUPERVISED})
"""What nobody does but for a purpose."""

LEAVING = frozenset({Action.CALL_EXPORTED, Action.CALL_DISCLOSED})
A_QUARTER = timedelta(days=92)
"""Within which somebody should have read the trail: nobody supervises a use that they never look at."""

LISTS = "See who may run them (N10), and in 'ami-bridge audit list' who did; each look names a purpose now."
TRAIL = "See them in the trail ('ami-bridge audit list'); the controller decides what follows."


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Looks at calls that were allowed: by personal accounts or for a purpose; of those by accounts without one (``bare``);
    for one that is not of the list; ``typed``: by verbs without one, of before they asked for it.
    """

    asked: int = 0
    bare: int = 0
    foreign: int = 0
    typed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Files that left. ``alone``: not agreed to by a second person, or changed since; ``bare``: without recipient or
    statute; ``unlisted``: of which the trail knows, and the register of disclosures does not.
    """

    files: int = 0
    alone: int = 0
    bare: int = 0
    unlisted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Requests of callers that wait for an answer; those of them that are late, and since when the oldest is."""

    waiting: int = 0
    late: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """Auditors who can sign in; when the trail was last read; the time of asking."""

    auditors: int
    read_at: datetime | None
    now: datetime


def unknown_verb(verbs: Iterable[str]) -> Said | None:
    """Say that there is a verb which nobody looked at; None when all are declared."""
    unknown = sorted(set(verbs) - VERBS)
    return unclear(f"the verb {unknown[0]} is not among those declared",
                   "See what it does with callers' data.") if unknown else None


def looks(seen: tuple[Collection[str], Looks]) -> Said:
    """Judge whether whoever looked at a call named one of the purposes of the notice."""
    verbs, found = seen
    if found.bare:
        return broken(f"{many(found.bare, 'look')} at calls by personal accounts, without a purpose", TRAIL)
    if found.foreign:
        return unclear(f"{many(found.foreign, 'look')} at calls, for a purpose that is not configured now", TRAIL)
    if found.typed:
        return unclear(f"{many(found.typed, 'look')} at calls from the command line without a purpose, of before it "
                       "asked for one", LISTS)
    said = f"{many(found.asked, 'look')} at calls, each for a purpose that is configured, or that the law gives"
    return unknown_verb(verbs) or kept(said if found.asked else "nobody looked at a call yet")


def left(seen: Left) -> Said:
    """Judge whether nothing left but by two persons, to somebody, on some basis, with an entry."""
    for count, what in ((seen.unlisted, "in the trail, and not in the register of disclosures"),
                        (seen.alone, "that no second person agreed to as it is"),
                        (seen.bare, "without recipient or statute")):
        if count:
            return broken(f"{many(count, 'file')} handed out {what}", TRAIL)
    return kept(f"{many(seen.files, 'file')} handed out, each with its recipient, basis and two persons"
                if seen.files else "nothing was handed out")


def recipients(countries: Collection[str]) -> Said:
    """Judge the countries to which something left."""
    outside = sorted(set(countries) - EEA)
    if outside:
        return broken(f"something was handed out to {', '.join(outside)}, outside the EU/EEA", TRAIL)
    return kept(f"all that was handed out went to {', '.join(sorted(set(countries)))}" if countries
                else "nothing was handed out")


def asked(seen: Asked) -> Said:
    """Judge whether callers who asked were answered in their time (GDPR, article 12(3))."""
    if seen.late:
        return broken(f"{many(seen.late, 'request')} of callers not answered in time, since {seen.since:%Y-%m-%d}",
                      "Answer in the console, under Requests, today.")
    return kept(f"{many(seen.waiting, 'request')} of callers waiting, none of them late" if seen.waiting
                else "no request of a caller waits")


def supervision(seen: Supervision) -> Said:
    """Judge whether somebody looks at what others do."""
    if not seen.auditors:
        return unclear("nobody who can sign in may read the trail",
                       "Run 'ami-bridge account grant LOGIN auditor', for somebody who does not listen.")
    if seen.read_at is None or seen.now - seen.read_at > A_QUARTER:
        last = f"since {seen.read_at:%Y-%m-%d}" if seen.read_at else "yet"
        return unclear(f"nobody has read the trail {last}", "Have an auditor read it, and note that they did.")
    return kept(f"the trail was last read on {seen.read_at:%Y-%m-%d}")
