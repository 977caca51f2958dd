"""The spool: tickets and live audio of calls in progress, on a directory that is best a tmpfs.

::

    <spool>/policy.json            the notice policy, compiled from the configuration, read by the process AGI
    <spool>/daemon.lock            held by the running daemon
    <spool>/tickets/<call>.json    the ticket: written once, by whichever script announced the call
    <spool>/tickets/<call>.facts   its journal, one JSON array a line: written by the daemon only
    <spool>/heard                  touched while everything of the exchange is heard: when we last knew all
    <spool>/diary, witness         how far Asterisk's own diary (CEL) was read, and how far it was compared
    <spool>/suspended              there while nothing may be recorded, because finished calls cannot be sealed
    <spool>/live/<recording>.wav   written by MixMonitor
    <spool>/legs/<recording>-r.wav  the recorded party alone, and -t.wav whoever they speak with; on some routes
    <spool>/live/fb-*.wav, .txt    written by the dialplan alone when no script answered
    <spool>/live/doctor-*.wav      two seconds of a tone, while the doctor looks at them

Every write is temp, fsync, rename, fsync of the folder; every removal may be repeated. Standard library only: the
process AGI imports this.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import get_type_hints
from uuid import UUID

from ami_bridge.core import tickets
from ami_bridge.core.errors import SpoolError
from ami_bridge.core.facts import FACTS, Fact
from ami_bridge.core.notice import Reason

FILE_MODE = 0o640
FOLDER_MODE = 0o2770
FALLBACK_PREFIX = "fb-"
TRIAL_PREFIX = "doctor-"
INODES = 1000
"""Free inodes below which nothing is recorded: a call takes three."""


def write_durably(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write a whole file so that after a crash it is there in full or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _write_all(descriptor: int, content: bytes) -> None:
    written = os.write(descriptor, content)
    while written < len(content):
        written += os.write(descriptor, content[written:])


def sync_folder(folder: Path) -> None:
    """Make renames and removals in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Spool:
    """The spool under ``root``. Safe to open from several processes; only one may hold the daemon's lock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tickets = root / "tickets"
        self.live = root / "live"
        self.legs_folder = root / "legs"
        self.policy = root / "policy.json"
        self.heard = root / "heard"
        self.diary, self.witness = root / "diary", root / "witness"
        self._suspended = str(root / "suspended")

    def create(self) -> None:
        """Make the folders; SpoolError when that cannot be."""
        try:
            for folder in (self.root, self.tickets, self.live, self.legs_folder):
                folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise SpoolError(f"the spool folder {self.root} cannot be made ({error.strerror})",
                             "Check [spool] directory and who may write there.") from error

    def in_memory(self) -> bool:
        """Tell whether tickets are written without a disk: the folder lies on a tmpfs (Linux, proc(5), mountinfo)."""
        device = self.tickets.stat().st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        lines = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
        return any(line.split(" ")[2] == number and " - tmpfs " in line for line in lines)

    def obstacle(self, floor: int) -> Reason | None:
        """Return why nothing may be recorded for now: recording is suspended, or fewer than ``floor`` bytes are free."""
        if self.suspended():
            return Reason.NO_KEY
        return None if self.has_room(floor) else Reason.NO_ROOM

    def has_room(self, floor: int) -> bool:
        """Tell whether so many bytes, and some inodes, are free (statvfs(3); a file system without inodes counts none)."""
        disk = os.statvfs(self.live)
        return disk.f_bavail * disk.f_frsize >= floor and (disk.f_files == 0 or disk.f_favail >= INODES)

    def free(self) -> int:
        """Return how many bytes are free."""
        disk = os.statvfs(self.live)
        return disk.f_bavail * disk.f_frsize

    def suspended(self) -> bool:
        """Tell whether nothing may be recorded for now."""
        return os.path.exists(self._suspended)  # noqa: PTH110 - a tenth of pathlib's time, on every call

    def suspend(self, suspended: bool) -> None:
        """Say to all scripts, and to the dialplan, whether anything may be recorded. May be repeated."""
        if suspended:
            Path(self._suspended).touch(FILE_MODE)
        else:
            Path(self._suspended).unlink(missing_ok=True)

    def lock(self) -> int:
        """Take the daemon's lock for the life of this process and return its descriptor; SpoolError when held."""
        descriptor = os.open(self.root / "daemon.lock", os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise SpoolError(f"another daemon already works on the spool {self.root}",
                             "Stop it first (systemctl stop ami-bridge), or give this one a spool of its own.") from error
        return descriptor

    def refuse_daemon(self) -> None:
        """Refuse to go on while a daemon works on this spool (SpoolError). Makes no file."""
        try:
            working = self._is_locked()
        except OSError as error:
            raise SpoolError(f"whether a daemon works on the spool {self.root} cannot be seen ({error.strerror})",
                             "Run this as the daemon's user: runuser -u ami-bridge -- ...") from error
        if working:
            raise SpoolError(f"a daemon works on the spool {self.root}",
                             "Stop it first: systemctl stop ami-bridge. Calls go on meanwhile.")

    def locked(self) -> bool:
        """Tell whether a daemon works on this spool. A daemon that starts at this very moment may be refused its lock."""
        with suppress(OSError):
            return self._is_locked()
        return False

    def _is_locked(self) -> bool:
        try:
            descriptor = os.open(self.root / "daemon.lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def write_ticket(self, ticket: tickets.Ticket) -> None:
        """Keep a ticket durably. Until this returns, MixMonitor must not start."""
        write_durably(self._ticket(ticket.call), tickets.to_json(ticket).encode())

    def ticket(self, call: UUID) -> tickets.Ticket:
        """Return a ticket; SpoolError when it is damaged, FileNotFoundError when it is gone."""
        return tickets.from_json(self._ticket(call).read_text("utf-8", errors="replace"))

    def append_facts(self, call: UUID, facts: list[Fact]) -> None:
        """Add facts to a call's journal. A torn last line is skipped when read: facts enrich, no recording needs them."""
        lines = "".join(json.dumps([type(fact).__name__, *fact], ensure_ascii=False) + "\n" for fact in facts)
        descriptor = os.open(self._facts(call), os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        try:
            os.write(descriptor, lines.encode())
        finally:
            os.close(descriptor)
        if not self.has_ticket(call):
            self._facts(call).unlink(missing_ok=True)

    def facts(self, call: UUID) -> list[Fact]:
        """Return what is known of a call beyond its ticket, in the order it was learnt."""
        try:
            lines = self._facts(call).read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [fact for fact in map(_fact, lines) if fact is not None]

    def has_ticket(self, call: UUID) -> bool:
        """Tell whether a call's ticket is still here."""
        return self._ticket(call).exists()

    def open_calls(self) -> Iterator[UUID]:
        """Yield every call with a ticket, oldest first."""
        for path in sorted(self.tickets.glob("*.json")):
            call = _uuid(path.stem)
            if call:
                yield call

    def audio(self, recording: UUID) -> Path:
        """Return where MixMonitor writes a recording."""
        return self.live / f"{recording}.wav"

    def legs(self, name: UUID | str) -> tuple[Path, Path]:
        """Return where MixMonitor writes the two sides of a recording: the recorded party, and whoever they speak with."""
        return self.legs_folder / f"{name}-r.wav", self.legs_folder / f"{name}-t.wav"

    def sounds(self) -> Iterator[Path]:
        """Yield every file in the folder of live audio but the markers of the dialplan and the doctor's test call."""
        yield from (path for path in sorted(self.live.iterdir())
                    if path.is_file() and path.suffix != ".txt" and not path.name.startswith(TRIAL_PREFIX))

    def trial(self, token: str) -> Path:
        """Return where the dialplan records the doctor's test call."""
        return self.live / f"{TRIAL_PREFIX}{token}.wav"

    def damaged(self) -> Iterator[Path]:
        """Yield the tickets and markers that were set aside."""
        yield from sorted([*self.tickets.glob("*.damaged"), *self.live.glob("*.damaged")])

    def fallbacks(self) -> Iterator[Path]:
        """Yield the markers that the dialplan left when no script answered, oldest first."""
        yield from sorted(self.live.glob(f"{FALLBACK_PREFIX}*.txt"), key=lambda path: path.stat().st_mtime)

    def leftovers(self) -> Iterator[Path]:
        """Yield every file that a call may have left: tickets, journals, markers, audio, and what was set aside."""
        for folder in (self.tickets, self.live, self.legs_folder):
            yield from (path for path in sorted(folder.iterdir()) if path.is_file())

    def discard(self, call: UUID, recording: UUID | None) -> None:
        """Remove a registered call's plaintext audio, journal and ticket.

        The ticket goes last: a crash repeats work, it never loses any. A fact may be learnt meanwhile, hence once more.
        """
        if recording:
            for sound in (*self.legs(recording), self.audio(recording)):
                sound.unlink(missing_ok=True)
        self._facts(call).unlink(missing_ok=True)
        self._ticket(call).unlink(missing_ok=True)
        self._facts(call).unlink(missing_ok=True)

    def has_marker(self, name: str) -> bool:
        """Tell whether a marker of this name waits to be adopted."""
        return (self.live / f"{name}.txt").exists()

    def replace_marker(self, name: str, recording: UUID | None) -> None:
        """Give the audio of a lost or torn marker the name its new ticket promises. May be repeated."""
        self.adopt_audio(self.live / f"{name}.damaged", recording)

    def adopt_audio(self, marker: Path, recording: UUID | None) -> None:
        """Give the audio beside a marker the name its ticket promises, then remove the marker. May be repeated."""
        audio = marker.with_suffix(".wav")
        if recording:
            for there, wanted in zip(self.legs(marker.stem), self.legs(recording), strict=True):
                if there.exists():
                    there.rename(wanted)
        if recording and audio.exists():
            audio.rename(self.audio(recording))
        marker.unlink(missing_ok=True)
        sync_folder(self.live)

    def set_marker_aside(self, marker: Path) -> None:
        """Put a damaged marker out of the way; its audio stays where it is."""
        marker.rename(marker.with_suffix(".damaged"))

    def set_aside(self, call: UUID) -> None:
        """Put a damaged ticket out of the way; its audio stays where it is."""
        self._ticket(call).rename(self._ticket(call).with_suffix(".damaged"))

    def _ticket(self, call: UUID) -> Path:
        return self.tickets / f"{call}.json"

    def _facts(self, call: UUID) -> Path:
        return self.tickets / f"{call}.facts"


_FIELDS = {kind: [str if text is str else int | float for text in get_type_hints(kind).values()] for kind in FACTS.values()}


def _fact(line: str) -> Fact | None:
    try:
        name, *fields = json.loads(line)
        kind = FACTS[name]
        right = all(isinstance(field, wanted) for field, wanted in zip(fields, _FIELDS[kind], strict=True))
        return kind(*fields) if right else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
