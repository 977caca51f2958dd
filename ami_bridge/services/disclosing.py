"""What leaves: proposed by one, approved by another, then handed out by the first, within a week.

Nothing leaves without an entry: register and trail have it, with the SHA-256 of the file, before its first byte goes.
The file is made in memory (``memfd_create(2)``), never on a disk.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BufferedRandom
from typing import BinaryIO
from uuid import UUID

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.disclosures import (
    ACTION,
    PURPOSE,
    Disclosure,
    HandedOut,
    Kind,
    checked,
    covering,
    digest_of,
    facts_of,
    sound_file,
)
from ami_bridge.core.duties import Refused, Why
from ami_bridge.core.errors import AudioError, NotFound
from ami_bridge.core.proposals import PROPOSAL_LASTS, Proposal
from ami_bridge.core.requests import Answer
from ami_bridge.core.requests import Kind as Asked
from ami_bridge.register import Register
from ami_bridge.register.register import Work
from ami_bridge.services.agreeing import Agreeing, Shown
from ami_bridge.services.holds import Holding, Source, there
from ami_bridge.services.request_search import standing
from ami_bridge.services.rights import Rights
from ami_bridge.services.trail import Look
from ami_bridge.vault import Digest, Vault, audio_file, outside_key, seal_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall leave, of which call. See ``core.disclosures.Disclosure``."""

    kind: Kind
    call: UUID
    country: str
    recipient: str = ""
    statute: str = ""
    recipient_key: str = ""
    request: UUID | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the register: what shall leave, its proposal, and the files that did."""

    disclosure: Disclosure
    proposal: Shown
    handed_out: tuple[HandedOut, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file that leaves now: its name, its size in bytes, and where it is read from, once. Close ``content`` then."""

    name: str
    size: int
    content: BinaryIO = field(repr=False)


class Disclosing:
    """The register of what leaves, on behalf of one account. Blocking."""

    def __init__(self, register: Register, vault: Vault, holding: Holding, rights: Rights, agreeing: Agreeing,
                 new_id: Callable[[datetime], UUID]) -> None:
        self._register, self._vault, self._holding, self._new_id = register, vault, holding, new_id
        self._rights, self._agreeing = rights, agreeing

    def propose(self, wish: Wish) -> Listed:
        """Propose that recordings of a call leave. ConfigurationError outside the EU/EEA, or when too little is said.

        NotFound when there is no such call, neither in its time nor on hold, or no sound of it; for a copy, when no request
        for access of whoever had that call stands.
        """
        action, call = ACTION[wish.kind], str(wish.call)
        self._agreeing.may_propose(action, call)
        with self._rights.trail.refusals(action, Look(self._register, call, purpose=PURPOSE[wish.kind])):
            disclosure = self._drawn_up(wish)
            self._sound(disclosure)
            with self._agreeing.alone() as work:
                _refuse_unasked(work, disclosure)
                work.disclosures.add(disclosure)
                self._agreeing.propose(work, action, str(disclosure.id), digest_of(disclosure))
                return self._listed(work, disclosure)

    def all(self) -> list[Listed]:
        """Return the whole register, the newest first; recorded before."""
        self._rights.require(Action.DISCLOSURES_LISTED)
        with self._rights.trail.looking(Action.DISCLOSURES_LISTED) as look, self._register.reading() as work:
            found = [self._listed(work, one) for one in work.disclosures.all()]
            look.detail[Detail.FOUND] = len(found)
        return found

    def show(self, disclosure: UUID) -> Listed:
        """Return one line of it; recorded before. NotFound when there is none."""
        self._rights.require(Action.DISCLOSURES_LISTED, str(disclosure))
        with self._rights.trail.looking(Action.DISCLOSURES_LISTED) as look, self._register.reading() as work:
            look.object = str(disclosure)
            return self._listed(work, _there(work.disclosures.get(disclosure)))

    def hand_out(self, disclosure: UUID) -> Parcel:
        """Return the file that two agreed on, to whoever proposed it. That it leaves is written down before this returns.

        Refused (recorded) without a second person, after a week, for another than the proposer, and where one of the two
        has no duty, or the proposer no clearance, any more. NotFound, AudioError or KeyMissing when the sound is gone.
        """
        found = self._found(disclosure)
        call = str(found.call)
        self._rights.require(found.action, call, purpose=found.purpose)
        with self._rights.trail.refusals(found.action, Look(self._register, call, purpose=found.purpose)):
            with self._register.reading() as work:
                self._agreeing.judge(work, self._mine(work, found), digest=digest_of(found), again=True)
                _refuse_unasked(work, found)
            content, digest = self._packed(found)
            try:
                self._write_down(found, digest)
            except BaseException:
                content.close()
                raise
        return Parcel(found.file, digest.size, content)

    def _found(self, disclosure: UUID) -> Disclosure:
        self._rights.require(Action.DISCLOSURES_LISTED, str(disclosure))  # else a refusal would tell that there is one
        look = Look(self._register, str(disclosure))
        with self._rights.trail.refusals(Action.DISCLOSURES_LISTED, look), self._register.reading() as work:
            return _there(work.disclosures.get(disclosure))

    def _mine(self, work: Work, disclosure: Disclosure) -> Proposal:
        proposal = _proposal(work, disclosure)
        if proposal.made_by != self._agreeing.actor:
            raise Refused(disclosure.action, Why.NOT_PROPOSER)
        return proposal

    def _drawn_up(self, wish: Wish) -> Disclosure:
        now = self._agreeing.now()
        key = outside_key(wish.recipient_key) if wish.recipient_key.strip() else ""
        return checked(Disclosure(
            id=self._new_id(now), kind=wish.kind, call=wish.call, request=wish.request, recipient=wish.recipient,
            country=wish.country, statute=wish.statute, recipient_key=key, made_by=self._agreeing.actor, made_at=now))

    def _sound(self, disclosure: Disclosure) -> Source:
        source = self._holding.source(str(disclosure.call), self._agreeing.now())
        if not any(recording.audio for recording in source.entry.recordings):
            raise NotFound("there is no sound of this call", "See the call's page for why.", mistake="no-sound")
        return source

    def _packed(self, disclosure: Disclosure) -> tuple[BufferedRandom, Digest]:
        """Return the file, at its beginning, and its digest."""
        with ExitStack() as unless_kept:
            plain = unless_kept.enter_context(_memory())
            with there():
                self._pack(self._sound(disclosure), disclosure, plain)
            digest = _measured(plain)
            if not disclosure.recipient_key:
                unless_kept.pop_all()
                return plain, digest
            sealed = _memory()
            digest = seal_to(plain, sealed, disclosure.recipient_key)
            sealed.seek(0)
            return sealed, digest

    def _pack(self, source: Source, disclosure: Disclosure, target: BinaryIO) -> None:
        entry, at = source.entry, disclosure.made_at.timetuple()[:6]
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(zipfile.ZipInfo("README.txt", at), covering(disclosure, entry.exchange))
            archive.writestr(zipfile.ZipInfo("facts.json", at), facts_of(entry))
            for recording in entry.recordings:
                if recording.audio:
                    with archive.open(zipfile.ZipInfo(sound_file(recording), at), "w", force_zip64=True) as member:
                        opened = self._vault.open(audio_file(source.key, recording.id), member)
                    if opened.sha256 != recording.audio.sha256:
                        raise AudioError("a sealed file of this call is not what was registered", "Run 'ami-bridge verify'.")

    def _write_down(self, disclosure: Disclosure, digest: Digest) -> None:
        with self._agreeing.alone() as work:
            proposal = self._mine(work, disclosure)
            _refuse_unasked(work, disclosure)
            self._agreeing.carry(work, proposal, digest=digest_of(_there(work.disclosures.get(disclosure.id))), again=True)
            work.disclosures.hand_out(disclosure.id, HandedOut(self._agreeing.now(), digest.sha256))
            self._rights.trail.within(work, disclosure.action, str(disclosure.call), purpose=disclosure.purpose)

    def _listed(self, work: Work, disclosure: Disclosure) -> Listed:
        files = work.disclosures.handed_out([disclosure.id]).get(disclosure.id, ())
        return Listed(disclosure, self._agreeing.shown(work, _proposal(work, disclosure)), tuple(files))


def _memory() -> BufferedRandom:
    return open(os.memfd_create("disclosure", os.MFD_CLOEXEC), "w+b")


def _measured(content: BufferedRandom) -> Digest:
    """Return the digest of a file in memory, and leave it at its beginning."""
    size = content.tell()
    content.seek(0)
    found = Digest(size, hashlib.file_digest(content, "sha256").hexdigest())
    content.seek(0)
    return found


def _proposal(work: Work, disclosure: Disclosure) -> Proposal:
    return work.proposals.of(disclosure.action, str(disclosure.id))[0]


def _refuse_unasked(work: Work, disclosure: Disclosure) -> None:
    """A copy is for a caller whose request for access stands, and of a call of theirs."""
    if disclosure.kind is not Kind.COPY:
        return
    asked = standing(work, disclosure.request) if disclosure.request else None
    theirs = {one.call for one in work.requests.calls(asked.id) if one.answer is not Answer.OTHERS} if asked else set()
    if asked is None or asked.kind is not Asked.ACCESS or disclosure.call not in theirs:
        raise NotFound("there is no such call among those of a request for access", "Search for the calls of the request.",
                       mistake="copy-request")


def _there(disclosure: Disclosure | None) -> Disclosure:
    if disclosure is None:
        raise NotFound("there is no such disclosure", "See the register of disclosures.")
    return disclosure


def forget(register: Register, keep: timedelta, now: datetime) -> dict[str, int]:
    """Forget what left, and what two agreed on, ``keep`` ago; return how many, for the report of the purge.

    They name no caller, and are evidence: they stay a little longer than what the trail says of them.
    """
    before = now - keep - 2 * PROPOSAL_LASTS
    with register.writing() as work:
        return {"disclosures": work.disclosures.forget(before), "proposals": work.proposals.forget(before)}
