"""Looking at one call, and listening to it: who may, for which purpose, and an entry of the trail before anything goes out.

A call is there as long as it has not expired, under the key of its day; and what a hold keeps of it, under the hold's key,
for those who may see holds. **No oracle for ids**: a call that is unknown, expired, destroyed, or of teams and queues of
others is "not there", in the same words; the trail knows which. What its caller had **restricted** (GDPR article 18) is kept
for them: it is not there for a limited duty, and opened to nobody but for a purpose of the law.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import AuditEntry, Detail, Link
from ami_bridge.core.duties import Why
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import NotFound
from ami_bridge.core.holds import Hold
from ami_bridge.core.loudness import Waveform
from ami_bridge.core.purposes import BY_LAW
from ami_bridge.core.spans import Asked
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.holds import Source, held_entry, there
from ami_bridge.services.playing import Sound, audio_of, drawing, drawings, part, playable
from ami_bridge.services.remarks import Remarked, remarked
from ami_bridge.services.rights import Refused, Rights
from ami_bridge.services.trail import Look
from ami_bridge.vault import Vault, day_key, hold_key

NEWEST_LOOKS = 200
"""Entries of the trail that are shown beside a call."""

LOOKS = frozenset({Action.CALL_VIEWED, Action.CALL_LISTENED, Action.CALL_EXPORTED, Action.CALL_DISCLOSED})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody would see or hear, and for what: the call with ``id``, or (``held``) what the hold with ``id`` keeps."""

    id: UUID
    purpose: str
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """A look that was recorded. ``unheard``: why they may not hear it, if so. ``looks``: who looked, newest first.

    ``names``: actor of the trail -> the name of the person. ``holds``: those that hold still. ``restricted``: its caller
    asked that it is used for nothing else.
    """

    source: Source
    remarked: Remarked
    holds: tuple[Hold, ...]
    looks: tuple[AuditEntry, ...]
    names: Mapping[str, str]
    unheard: Why | None
    restricted: bool

    @property
    def entry(self) -> Entry:
        """Return the call."""
        return self.source.entry

    @property
    def audible(self) -> bool:
        """Tell whether there is sound, and they may hear it."""
        return self.unheard is None and bool(playable(self.entry))


class Listen:
    """Shows and plays calls to whom ``rights`` allow it."""

    def __init__(self, register: Register, vault: Vault, rights: Rights, now: Callable[[], datetime]) -> None:
        self._register, self._vault, self._rights, self._now = register, vault, rights, now

    def view(self, wanted: Wanted) -> Viewed:
        """Return a call with all that is kept of it, and who looked at it. Refused, or NotFound; either is recorded."""
        source = self._open(Action.CALL_VIEWED, wanted)
        self._rights.trail.leave(Action.CALL_VIEWED, str(source.entry.id), purpose=wanted.purpose)
        unheard = self._rights.why_not(Action.CALL_LISTENED, purpose=wanted.purpose)
        with self._register.reading() as work:
            looks = tuple(_looks(work, source.entry.id))
            holds = tuple(hold for hold in work.holds.of_call(source.entry.id) if hold.active(self._now()))
            return Viewed(source=source, remarked=remarked(work, [source.entry])[0], holds=holds, looks=looks,
                          names=_names(work, looks), unheard=unheard, restricted=work.requests.restricted(source.entry.id))

    def sound(self, wanted: Wanted, recording: UUID, asked: Asked) -> Sound:
        """Return some of a recording's bytes, about a minute of sound at most, recorded before they are returned.

        Refused, NotFound, OutOfRange, AudioError or KeyMissing; each is recorded.
        """
        source = self._open(Action.CALL_LISTENED, wanted)
        with self._looking(Action.CALL_LISTENED, wanted, source) as look:
            heard = part(self._vault, source, recording, asked)
            look.detail |= dict(zip((Detail.FROM, Detail.TO), heard.seconds, strict=True))
        return heard

    def measure(self, wanted: Wanted, recording: UUID) -> int:
        """Return how many bytes a recording has, for one who may hear it; recorded as a view."""
        source = self._open(Action.CALL_LISTENED, wanted)
        with self._looking(Action.CALL_VIEWED, wanted, source):
            return audio_of(source, recording).size

    def waveform(self, wanted: Wanted, recording: UUID) -> Waveform:
        """Return the waveform of a recording, for one who may hear it; recorded as a view."""
        source = self._open(Action.CALL_LISTENED, wanted)
        with self._looking(Action.CALL_VIEWED, wanted, source):
            return drawing(self._vault, source, recording)

    def waveforms(self, viewed: Viewed) -> dict[UUID, Waveform]:
        """Return the waveforms of a call that was just looked at, by recording; none of one that cannot be opened."""
        return drawings(self._vault, [viewed.source]) if viewed.audible else {}

    def _open(self, action: Action, wanted: Wanted) -> Source:
        """Return what is wanted. What does not depend on the call is asked first, so that a refusal tells nothing of it."""
        self._rights.require(action, str(wanted.id), purpose=wanted.purpose)
        if wanted.held:
            self._rights.require(Action.HOLD_VIEWED, str(wanted.id))
        with self._looking_for(action, wanted), self._register.reading() as work:
            source = self._found(work, wanted) or _not_there()
            restricted = work.requests.restricted(source.entry.id)
        visible = not restricted and self._covers(source.entry)
        try:
            self._rights.require(action, str(source.entry.id), in_scope=visible, purpose=wanted.purpose)
        except Refused as refusal:
            if refusal.why is Why.OUT_OF_SCOPE:
                _not_there()
            raise
        if restricted and wanted.purpose not in BY_LAW:
            self._rights.refuse(action, Why.RESTRICTED, str(source.entry.id), purpose=wanted.purpose)
        return source

    def _covers(self, entry: Entry) -> bool:
        """Tell whether a call is among those that a limited duty lets them see: of their own teams and queues."""
        teams = frozenset(party.team for party in entry.participants if party.team)
        return self._rights.account.scope.covers(teams, frozenset({entry.queue} - {""}))

    def _found(self, work: Work, wanted: Wanted) -> Source | None:
        if not wanted.held:
            entry = work.calls.get(str(wanted.id), self._now())
            return Source(entry, day_key(entry.expiry_day)) if entry else None
        hold = work.holds.get(str(wanted.id))
        return held(self._vault, hold) if hold and hold.active(self._now()) else None

    def _looking_for(self, action: Action, wanted: Wanted) -> AbstractContextManager[None]:
        return self._rights.trail.refusals(action, Look(self._register, str(wanted.id), purpose=wanted.purpose))

    def _looking(self, action: Action, wanted: Wanted, source: Source) -> AbstractContextManager[Look]:
        return self._rights.trail.looking(action, str(source.entry.id), wanted.purpose)


def held(vault: Vault, hold: Hold) -> Source:
    """Return what a hold keeps of its call, opened with the hold's key."""
    with there():
        return Source(held_entry(vault, hold), hold_key(hold.id))


def _not_there() -> NoReturn:
    raise NotFound("there is no such call", "It may have been destroyed in its time, or belong to another team.",
                   mistake="no-call")


def _looks(work: Work, call: UUID) -> list[AuditEntry]:
    """Return who looked at a call, by what the trail says of the call, or of a session in which it was to be heard."""
    of_call = [one for one in _entries(work, str(call)) if one.action in LOOKS]
    of_sessions = [one for found in work.requests.of_call(call) for one in _entries(work, str(found.request))
                   if one.action == Action.LISTENING_SUPERVISED and one.at >= found.found_at]
    return sorted([*of_call, *of_sessions], key=lambda one: one.number, reverse=True)[:NEWEST_LOOKS]


def _entries(work: Work, object: str) -> list[AuditEntry]:
    return [one.entry for one in work.audit.of_object(object, NEWEST_LOOKS) if isinstance(one, Link)]


def _names(work: Work, looks: Sequence[AuditEntry]) -> dict[str, str]:
    actors = {look.actor for look in looks}
    return {f"account:{one.id}": one.name for one in work.accounts.all() if f"account:{one.id}" in actors}
