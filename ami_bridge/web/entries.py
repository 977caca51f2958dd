"""An entry of the trail in the words of whoever reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import AuditEntry, Detail
from ami_bridge.core.audit_check import Place, Unreadable
from ami_bridge.web.times import day_in
from ami_bridge.web.words import Words

AREAS = {Detail.DUTY: "duties", Detail.VERDICT: "verdicts", Detail.DIRECTION: "directions"}
"""Where the words of a detail are, if it is one of a list."""

DAYS = frozenset({Detail.SINCE, Detail.UNTIL})
Purpose = Callable[[str], str]
"""Returns the words for a purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One entry as it is shown; one that cannot be read has its number only, and ``at`` is None."""

    number: int
    at: datetime | None = None
    actor: str = ""
    action: str = ""
    object: str = ""
    refused: bool = False
    outcome: str = ""
    details: tuple[str, ...] = ()


def said_of(place: Place, names: Mapping[str, str], words: Words, purpose: Purpose) -> Said:
    """Return an entry in words. ``names``: id of an account -> who that is. Nothing here is safe as markup."""
    if isinstance(place, Unreadable):
        return Said(number=place.number, action=words("trail.unreadable"))
    entry = place.entry
    return Said(number=entry.number, at=entry.at, actor=_actor(entry.actor, names, words),
                refused=entry.outcome != "allowed", action=words.of("actions", entry.action),
                object=names.get(entry.object, entry.object), outcome=_outcome(entry, words),
                details=tuple(_details(entry, words, purpose)))


def _actor(actor: str, names: Mapping[str, str], words: Words) -> str:
    kind, _, name = actor.partition(":")
    if kind == "account":
        return names.get(name, name)
    return words("trail.machine", name=name) if kind == "os" else words.of("actors", actor)


def _outcome(entry: AuditEntry, words: Words) -> str:
    outcome = words.of("outcomes", entry.outcome)
    return f"{outcome}: {words.of('refusals', entry.reason)}" if entry.reason else outcome


def _details(entry: AuditEntry, words: Words, purpose: Purpose) -> list[str]:
    said = [f"{words('trail.purpose')}: {purpose(entry.purpose)}"] if entry.purpose else []
    values = {key: _value(entry, key, str(value), words) for key, value in entry.detail.items()}
    return said + [f"{words.of('details', key)}: {value}" for key, value in values.items()]


def _value(entry: AuditEntry, key: str, value: str, words: Words) -> str:
    if key in DAYS:
        return _day(value, words)
    if key == Detail.BY:
        return ", ".join(words.of("searched_by", word) for word in value.split(","))
    if key == Detail.SECTION:
        of_request = entry.action == Action.REQUEST_HANDLED
        return words.of("steps", value) if of_request else words.of("proposed", value)
    area = next((area for detail, area in AREAS.items() if detail == key), "")
    return words.of(area, value) if area else value


def _day(value: str, words: Words) -> str:
    """What somebody changed may be no day any more: it is shown as it is."""
    try:
        return day_in(date.fromisoformat(value), words.language)
    except ValueError:
        return value
