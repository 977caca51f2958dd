"""What tests of shapes of call do with softphones: let two talk, and see what was registered of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from ami_bridge.core.entries import Entry
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import State
from tests.diaries import says_otherwise
from tests.pbx.softphone import Line
from tests.pbx.system import NOTICE_HZ, System
from tests.pbx.tones import heard

HEARING_SECONDS = 20.0
TALK_SECONDS = 1.5


def talk(*lines: Line, seconds: float = TALK_SECONDS) -> None:
    """Wait until each of the parties hears every other; let them talk on for that long."""
    missing = [""]
    until = time.monotonic() + HEARING_SECONDS
    while missing and time.monotonic() < until:
        time.sleep(0.1)
        missing = [f"{one.tone} does not hear {other.tone}" for one in lines for other in lines
                   if one is not other and other.tone and not one.hears(other.tone)]
    assert not missing, missing
    time.sleep(seconds)


def dial(keys: str, after: float = 2.0) -> list[tuple[float, str]]:
    """Keys pressed one after the other."""
    return [(after if number == 0 else 0.25, key) for number, key in enumerate(keys)]


class Registered:
    """What came into the register within `new_entries`; filled when it ends."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def only(self, direction: Direction = Direction.INBOUND, *states: State) -> Entry:
        """The one entry of that direction; sealed, if not said otherwise."""
        (entry,) = [entry for entry in self.entries if entry.direction is direction]
        assert entry.state in (states or (State.SEALED,)), entry
        return entry


def known(system: System) -> set[UUID]:
    """The calls that are registered already."""
    return {entry.id for entry in system.calls()}


def new_entry(system: System, before: set[UUID]) -> Entry:
    """Wait for the one entry that was not known before."""
    system.wait_for(lambda: known(system) - before, "the entry", 20)
    (entry,) = [entry for entry in system.calls() if entry.id not in before]
    return entry


def diary_agrees(system: System, entry: Entry) -> None:
    """Wait until the exchange's diary says the same as the entry."""
    def agrees() -> bool:
        with suppress(AssertionError):  # the diary is not complete yet
            return says_otherwise(system.pbx, entry) == ()
        return False

    system.wait_for(agrees, "the diary to say the same", 20)


@contextmanager
def only_new_calls(system: System) -> Iterator[None]:
    """Within it the system shows only the calls that were made since."""
    before, everything = known(system), system.calls
    system.calls = lambda: [entry for entry in everything() if entry.id not in before]  # type: ignore[method-assign]
    yield
    system.calls = everything  # type: ignore[method-assign]


@contextmanager
def new_entries(system: System, n: int = 1) -> Iterator[Registered]:
    """Within it calls are made; at its end it waits until all is over, and there must be `n` new entries, neither more nor fewer."""
    before, registered = known(system), Registered()
    yield registered
    system.wait_for(lambda: "0 active channels" in system.pbx.rx("core show channels count"), "the end of all calls", 20)
    system.wait_for(lambda: not list(system.spool.live.iterdir()) and not list(system.spool.open_calls()), "the intake", 20)
    registered.entries = [entry for entry in system.calls() if entry.id not in before]
    assert len(registered.entries) == n, registered.entries
    for entry in registered.entries:
        diary_agrees(system, entry)


def voices(system: System, entry: Entry, *present: int, absent: tuple[int, ...] = ()) -> None:
    """The recording of the entry holds these tones (Hz), a second of each at least, none of the absent, and no notice."""
    audio = system.audio(entry)
    missing = [hz for hz in present if not heard(audio, hz)]
    strange = [hz for hz in (*absent, NOTICE_HZ) if heard(audio, hz, at_least=0.3)]
    assert (missing, strange) == ([], []), f"missing: {missing}, strange: {strange} Hz in {audio}"


def interfaces(entry: Entry) -> list[str]:
    """Who spoke, by time."""
    return [party.interface for party in entry.participants]
