"""Reconcile: calls, tickets, files, vault and register are compared, and each difference is mended or reported, once.

Three sources that fail apart from each other: what Asterisk says now (AMI), what it wrote down (CEL), and the files.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from ami_bridge.asterisk.cel import Noted, Promise, event, promise
from ami_bridge.core.errors import RegisterError, SpoolError
from ami_bridge.core.events import ChannelsPresent, Event
from ami_bridge.core.facts import Started, moment
from ami_bridge.core.findings import Kind, Outcome
from ami_bridge.core.notice import Policy
from ami_bridge.core.tickets import Ticket
from ami_bridge.register import Register
from ami_bridge.services.adopt import NOTICE_IN_PROGRESS, ids_of, read_marker, ticket_in_diary, ticket_of
from ami_bridge.services.diary import Diary, Mark
from ami_bridge.services.report import Report
from ami_bridge.services.superseded import is_known
from ami_bridge.services.verify import named
from ami_bridge.services.witness import Witness
from ami_bridge.spool import FALLBACK_PREFIX, Spool
from ami_bridge.vault import Vault, day_key

log = logging.getLogger(__name__)

NEWS = timedelta(hours=24)
"""How old a promise in the diary may be, when it is not known how far the diary was read."""

IN_PROGRESS = {"notice": timedelta(seconds=NOTICE_IN_PROGRESS), "recording": timedelta(seconds=5),
               "left": timedelta(minutes=1), "asked": timedelta(minutes=1)}
"""How long the dialplan may be at work by itself after a line in the diary, before that counts as the end of it."""

LEFT, ASKED = "left", "asked"
"""The steps of a caller who left before there was a verdict, and of one for whom a script is asked.

Mostly the script has written a ticket all the same. Of ``asked`` no more is heard when Asterisk dies in the notice.
"""

EARLY = (LEFT, ASKED)

LISTED = timedelta(minutes=1)
"""How old a list of channels may be that says whether a caller, for whom a script was asked, is still there."""

ON_ITS_WAY = timedelta(hours=1)
MOST_FILES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What is compared. ``monitor``: folders of recordings not ours, where what is newer than ``installed`` counts."""

    spool: Spool
    vault: Vault
    register: Register
    policy: Policy
    monitor: tuple[Path, ...]
    installed: datetime


class Reconcile:
    """The comparison. Blocking; ``listen`` for one thread.

    ``take`` is told what the diary says of a gap; ``ask``: have it asked anew which channels there are. ``witness``
    compares the register with the diary, where there is one.
    """

    def __init__(self, places: Places, diary: Diary | None, report: Report, take: Callable[[Iterable[Event]], None],
                 now: Callable[[], datetime], ask: Callable[[], None] = lambda: None,
                 witness: Witness | None = None) -> None:
        self._places, self._diary, self._report, self._take, self._now = places, diary, report, take, now
        self._ask, self._witness = ask, witness
        self._present = ChannelsPresent(frozenset(), 0.0)
        self._channels: dict[UUID, str] = {}
        self._spool = places.spool
        self._promised: dict[str, tuple[Promise, Mark]] = {}
        self._readable = True

    def listen(self) -> None:
        """Read on in the diary: see that each call noted there has ticket or entry and, in a gap, learn what happened."""
        if self._diary is None:
            return
        now = self._now().timestamp()
        mark = self._diary.mark(now)
        try:
            lines = self._diary.read(now)
        except OSError as problem:
            if self._readable:
                log.error("Asterisk's diary cannot be read (%s)", problem.strerror, extra={"action": "diary_unreadable"})
            self._readable = False
            return
        self._readable = True
        oldest = (self._now() - NEWS).timestamp()
        for line in lines:
            if line.at > oldest and (found := promise(line)):
                self._promised[found.file] = (found, mark)
        if self._report.gaps:
            self._hear(lines, mark)
        with suppress(RegisterError, OSError):
            self._look_at_tickets()
            for file, (promised, _) in list(self._promised.items()):
                if self._is_kept(promised):
                    del self._promised[file]
            self._diary.keep_position(min([read for _, read in self._promised.values()], default=self._diary.mark(now)))

    def _hear(self, lines: Iterable[Noted], mark: Mark) -> None:
        """Learn from the diary what happened in a gap; what the spool cannot take now is read again the next time."""
        assert self._diary
        try:
            self._take(heard for line in lines if (heard := event(line)))
        except OSError as problem:
            self._diary.go_back(mark)
            log.error("What the diary says of a gap cannot be journaled now (%s)", problem.strerror,
                      extra={"action": "journal_failed"})

    def list(self, present: ChannelsPresent) -> None:
        """Take which channels there are."""
        self._present = present

    def _look_at_tickets(self) -> None:
        """Note the channels of all open tickets; each ticket is read once."""
        there = set(self._spool.open_calls()) if self._promised else set()
        known = {call: channel for call, channel in self._channels.items() if call in there}
        self._channels = known | {call: ticket.uniqueid for call in there - known.keys() if (ticket := self._read(call))}

    def rewind(self, at: datetime) -> None:
        """Read the diary again from a time on: a gap began."""
        if self._diary:
            self._diary.rewind(at.timestamp())

    def look(self) -> None:
        """Compare files, tickets, vault, register and diary. RegisterError when the register is away."""
        self._sounds()
        for path in self._spool.damaged():
            self._report.note(Kind.TICKET_DAMAGED, path.stem, Outcome.REPORTED, _changed(path), _uuid(path.stem))
        for folder in self._places.monitor:
            self._rogues(folder)
        self._vault()
        if self._witness:
            self._witness.look()

    # -- what the diary promised

    def _is_kept(self, promised: Promise) -> bool:
        """Tell whether a promise is kept, or broken and dealt with; False: it cannot be told yet.

        Ticket or marker come before the diary's line: when none is there the call is registered, or they are lost. A marker
        that is there may still turn out to be torn.
        """
        call = promised.call
        try:
            if call is None and self._spool.has_marker(promised.file):
                return False
            step = promised.marker.partition(" ")[0]
            if step in EARLY and (told := self._told_early(self._ticket(promised), step)) is not None:
                return told
            call = call or ids_of(promised.file)[0]
            if self._spool.has_ticket(call) or self._is_registered(call):
                if promised.call is None:
                    self._spool.replace_marker(promised.file, ids_of(promised.file)[1])
                return True
            ticket = self._ticket(promised)
        except (ValueError, KeyError, IndexError):
            log.error("A line of the diary cannot be read", extra={"action": "diary_damaged"})
            return True
        if step not in EARLY and promised.call is None and self._is_at_work(ticket, step):
            return False
        self._adopt(ticket, Kind.CALL_WITHOUT_TICKET)
        self._spool.replace_marker(promised.file, ticket.recording)
        return True

    def _told_early(self, ticket: Ticket, step: str) -> bool | None:
        """Tell whether a promise from before the verdict is kept; None: it is broken. Mostly the ticket that came says so.

        The register is asked only when no ticket came for long: it may be away, and should not be kept busy.
        """
        if ticket.uniqueid in self._channels.values():
            return True
        if self._is_at_work(ticket, step):
            return False
        if is_known(ticket, (), self._places.register):
            return True
        return False if step == ASKED and not self._has_gone(ticket) else None

    def _is_at_work(self, ticket: Ticket, step: str) -> bool:
        """Tell whether the dialplan, or a script, may still be at work with a call after such a step."""
        return self._now() - ticket.opened_at < IN_PROGRESS.get(step, timedelta())

    def _has_gone(self, ticket: Ticket) -> bool:
        """Tell whether a channel is surely not there any more."""
        if self._now() - moment(self._present.at) > LISTED:
            self._ask()
            return False
        return ticket.uniqueid not in self._present.uniqueids

    def _ticket(self, promised: Promise) -> Ticket:
        if promised.call is not None:
            return ticket_in_diary(promised.call, UUID(promised.file), promised.marker, self._places.policy)
        marker = read_marker(promised.marker)
        if not marker.fields[4].startswith("/"):
            marker.steps.setdefault("notice", marker.steps[marker.last])
        return ticket_of(marker, promised.file, self._places.policy)

    def _adopt(self, ticket: Ticket, kind: Kind) -> None:
        self._spool.write_ticket(ticket)
        if ticket.recording:
            self._spool.append_facts(ticket.call, [Started(ticket.opened_at.timestamp())])
            self._report.note(kind, str(ticket.call), Outcome.ADOPTED, ticket.opened_at, ticket.call)

    def _is_registered(self, call: UUID) -> bool:
        with self._places.register.reading() as work:
            return work.calls.has(call)

    # -- sound without a ticket

    def _sounds(self) -> None:
        """Adopt sound whose ticket is lost where the diary knows it; report all other sound that nobody promised."""
        promised = {ticket.recording for call in self._spool.open_calls() if (ticket := self._read(call))}
        for path in self._spool.sounds():
            own = _uuid(path.stem) if path.suffix == ".wav" else None
            if own in promised or path.suffix == ".damaged" or path.with_suffix(".txt").exists():
                continue
            if not path.exists() or (own and self._has_ticket_by_now(own)):
                continue
            ticket = self._noted(path.stem) if own or path.stem.startswith(FALLBACK_PREFIX) else None
            if ticket and not self._is_registered(ticket.call):
                self._adopt(ticket, Kind.FILE_WITHOUT_TICKET)
                self._spool.replace_marker(path.stem, ticket.recording)
            elif own or path.stem.startswith(FALLBACK_PREFIX):
                self._report.note(Kind.FILE_WITHOUT_TICKET, path.stem, Outcome.REPORTED, _changed(path))
            else:
                self._rogue(path)

    def _has_ticket_by_now(self, recording: UUID) -> bool:
        return any(ticket.recording == recording for call in self._spool.open_calls() if (ticket := self._read(call)))

    def _noted(self, file: str) -> Ticket | None:
        with suppress(OSError, ValueError, KeyError, IndexError):
            for line in self._diary.search(f"/{file} ") if self._diary else ():
                found = promise(line)
                if found and found.file == file and (ticket := self._ticket(found)).recording:
                    return ticket
        return None

    def _read(self, call: UUID) -> Ticket | None:
        try:
            return self._spool.ticket(call)
        except (OSError, SpoolError):  # damaged or gone: the intake says so
            return None

    # -- recordings that are not ours

    def _rogues(self, folder: Path) -> None:
        with suppress(OSError):
            for path, _ in zip(_files(folder), range(MOST_FILES), strict=False):
                if _changed(path) > self._places.installed:
                    self._rogue(path)

    def _rogue(self, path: Path) -> None:
        """Other software puts numbers into the names of its recordings, so a name is never repeated."""
        digest = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()
        self._report.note(Kind.ROGUE_RECORDING, digest, Outcome.REPORTED, _changed(path))

    # -- vault and register

    def _vault(self) -> None:
        """Compare the days that calls of these days expire on; ``verify`` compares all, at night."""
        today = self._now().date()
        days = {route.days for route in self._places.policy.routes} | {self._places.policy.days}
        for day in sorted({today + timedelta(days=n + back) for n in days for back in (0, -1)}):
            there = set(self._places.vault.files(day_key(day)))
            with self._places.register.reading() as work:
                registered = {named(kept, day): kept.call for kept in work.days.files(day)}
            for file in registered.keys() - there:
                if not self._places.vault.path(file).exists():
                    self._report.note(Kind.ENTRY_WITHOUT_FILE, file, Outcome.REPORTED, self._now(), registered[file])
            for file in there - registered.keys():
                path = self._places.vault.path(file)
                with suppress(FileNotFoundError):
                    if self._now() - _changed(path) > ON_ITS_WAY:
                        self._report.note(Kind.FILE_WITHOUT_ENTRY, file, Outcome.REPORTED, _changed(path))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
