"""Finding calls for somebody: only those that they may see, a page at a time, each page recorded before it is shown."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import By, Detail, first_day, last_day
from ami_bridge.core.entries import Entry
from ami_bridge.register import CallFilter, Place, Register
from ami_bridge.register.register import Work
from ami_bridge.services.remarks import Remarked, remarked
from ami_bridge.services.rights import Rights

PAGE = 50
"""Calls on a page."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some calls, newest first; which of them are held; and where the next page begins (None: there is none)."""

    calls: tuple[Remarked, ...]
    held: frozenset[UUID]
    following: Place | None


class Search:
    """Finds calls for whom ``rights`` allow it. Days in the trail are of ``zone``."""

    def __init__(self, register: Register, rights: Rights, now: Callable[[], datetime], zone: tzinfo) -> None:
        self._register, self._rights, self._now, self._zone = register, rights, now, zone

    def page(self, terms: CallFilter, after: Place | None = None, limit: int = PAGE) -> Page:
        """Return the page of ``limit`` calls after a place. What the terms say of now, scope and limit does not count.

        Whose duty is limited does not find a call that its caller had restricted: such a page is shorter by it.
        """
        self._rights.require(Action.CALLS_SEARCHED)
        scope = None if self._rights.everywhere(Action.CALLS_SEARCHED) else self._rights.account.scope
        wanted = replace(terms, now=self._now(), scope=scope, after=after, limit=limit + 1)
        with self._rights.trail.looking(Action.CALLS_SEARCHED) as look:
            with self._register.reading() as work:
                found = find(work, wanted)
                hidden = work.requests.restricted_among([one.id for one in found]) if scope else frozenset()
                shown = tuple(remarked(work, [one for one in found[:limit] if one.id not in hidden]))
                held = work.holds.on([one.entry.id for one in shown], wanted.now)
            look.detail |= {Detail.FOUND: len(shown), **asked(terms, self._zone)}
        last = found[limit - 1] if len(found) > limit else None
        return Page(shown, held, Place(last.started_at, last.id) if last else None)


def find(work: Work, wanted: CallFilter) -> list[Entry]:
    """Return the calls that fit, newest first; an agent's name as the directory writes it, whatever its capital letters."""
    return work.calls.find(replace(wanted, agent=work.agents.spelled(wanted.agent) if wanted.agent else None))


def asked(wanted: CallFilter, zone: tzinfo) -> dict[Detail, int | str]:
    """Return by what was searched, as the trail may know it: that a number or a name was given, never which."""
    given = ((By.AGENT, wanted.agent), (By.LENGTH, wanted.shortest or wanted.longest), (By.NUMBER, wanted.number),
             (By.QUEUE, wanted.queue))
    said = ((Detail.BY, ",".join(name for name, value in given if value)), (Detail.DIRECTION, str(wanted.direction or "")),
            (Detail.SINCE, first_day(wanted.since, zone) if wanted.since else ""),
            (Detail.UNTIL, last_day(wanted.until, zone) if wanted.until else ""))
    return {key: value for key, value in said if value}
