"""An entry of the trail in the words of whoever reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ami_bridge.core.audit import AuditEntry, Detail
from ami_bridge.core.audit_check import Place, Unreadable
from ami_bridge.web.words import Words

AREAS = {Detail.DUTY: "duties", Detail.VERDICT: "verdicts", Detail.DIRECTION: "directions"}
"""Where the words of a detail are, if it is one of a list."""


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


def said_of(place: Place, names: Mapping[str, str], words: Words) -> Said:
    """Return an entry in words. ``names``: id of an account -> who that is. Nothing here is safe as markup."""
    if isinstance(place, Unreadable):
        return Said(number=place.number, action=words("trail.unreadable"))
    entry = place.entry
    return Said(number=entry.number, at=entry.at, actor=_actor(entry.actor, names, words),
                refused=entry.outcome != "allowed", action=words.of("actions", entry.action),
                object=names.get(entry.object, entry.object), outcome=_outcome(entry, words),
                details=tuple(_details(entry, words)))


def _actor(actor: str, names: Mapping[str, str], words: Words) -> str:
    kind, _, name = actor.partition(":")
    if kind == "account":
        return names.get(name, name)
    return words("trail.machine", name=name) if kind == "os" else words.of("actors", actor)


def _outcome(entry: AuditEntry, words: Words) -> str:
    outcome = words.of("outcomes", entry.outcome)
    return f"{outcome}: {words.of('refusals', entry.reason)}" if entry.reason else outcome


def _details(entry: AuditEntry, words: Words) -> list[str]:
    said = [f"{words('trail.purpose')}: {words.of('purposes', entry.purpose)}"] if entry.purpose else []
    for key, value in entry.detail.items():
        area = next((area for detail, area in AREAS.items() if detail == key), "")
        said.append(f"{words.of('details', key)}: {words.of(area, str(value)) if area else value}")
    return said
