"""Evidence from register and vault: what is kept, does it agree, can a caller's call be found (N4, N5, N11)."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ami_bridge.core.duties import hears, may_hold
from ami_bridge.core.entries import Entry
from ami_bridge.core.entry_json import entry_from_json
from ami_bridge.core.errors import AmiBridgeError, RegisterError
from ami_bridge.core.promise_evidence import Hearing, Kept, Staff, Trial, Tried, Whole
from ami_bridge.core.recordings import KEPT
from ami_bridge.heads import Heads
from ami_bridge.register import CallFilter
from ami_bridge.services.promises_house import House
from ami_bridge.services.trail_keeping import verify_trail
from ami_bridge.services.verify import YOUNG, named
from ami_bridge.vault import Vault, day_key, entry_file

NEWEST = 100
"""Calls among which one with a number, and one with sound, is looked for."""


def columns(house: House) -> Kept:
    """Ask the database for its tables."""
    return Kept(house.opened().columns())


def whole(house: House) -> Whole:
    """Compare the names of sealed files with the register, day by day, as ``verify`` does; nothing is opened."""
    registered, absent, stray, vault = 0, 0, 0, house.vault
    with house.reading() as work:
        days = sorted({*work.days.all_days(), *vault.days()})
    for day in days:
        with house.reading() as work:
            there = set(vault.files(day_key(day)))
            known = {named(kept, day) for kept in work.days.files(day)}
        registered += len(known)
        absent += len(known - there)
        stray += sum(_is_old(vault, file) for file in there - known)
    return Whole(registered=registered, absent=absent, stray=stray)


def _is_old(vault: Vault, file: str) -> bool:
    """Tell whether a file is there for so long that it cannot be on its way in."""
    try:
        return time.time() - vault.path(file).stat().st_mtime > YOUNG.total_seconds()
    except FileNotFoundError:
        return False


def hearing(house: House) -> Hearing:
    """Ask for open gaps, and whether a daemon holds the spool."""
    with house.reading() as work:
        since = min((gap.began_at for gap in work.gaps.open(house.config.exchange.name)), default=None)
    return Hearing(since, house.spool.locked())


def newest(house: House) -> list[Entry]:
    """Return some calls, newest first."""
    with house.reading() as work:
        return work.calls.find(CallFilter(now=house.now, limit=NEWEST))


def search(house: House) -> Trial:
    """Look for a call by its caller's number, as for a request of that caller."""
    try:
        wanted = next((entry for entry in newest(house) if any(map(str.isdigit, entry.caller))), None)
        if wanted is None:
            return Trial(Tried.NOTHING)
        asked = CallFilter(now=house.now, number=wanted.caller, since=wanted.started_at,
                           until=wanted.started_at + timedelta(seconds=1))
        with house.reading() as work:
            found = any(entry.id == wanted.id for entry in work.calls.find(asked))
        return Trial(Tried.WORKED) if found else Trial(Tried.FAILED, "a call that is there was not found")
    except RegisterError as problem:
        return Trial(Tried.FAILED, str(problem.args[0]))


def opening(house: House) -> Trial:
    """Open the newest recording and its entry; nothing of it is written anywhere."""
    entry = next((entry for entry in newest(house) if entry.state in KEPT), None)
    if entry is None:
        return Trial(Tried.NOTHING)
    if house.keys.private is None:
        return Trial(Tried.APART)
    try:
        return _opened(house.vault, entry)
    except (AmiBridgeError, FileNotFoundError) as problem:
        why = str(problem.args[0]) if isinstance(problem, AmiBridgeError) else "a sealed file is gone"
        return Trial(Tried.FAILED, why)


def _opened(vault: Vault, entry: Entry) -> Trial:
    if entry_from_json(vault.read(entry_file(day_key(entry.expiry_day), entry.id))) != entry:
        return Trial(Tried.FAILED, "the sealed entry says otherwise than the register")
    for recording in entry.recordings:
        if recording.audio and vault.open(recording.audio.file).sha256 != recording.audio.sha256:
            return Trial(Tried.FAILED, "a recording does not hold what was registered")
    return Trial(Tried.WORKED)


def holding(house: House) -> Trial:
    """Ask for the holds, by which what was found for a caller is kept."""
    try:
        with house.reading() as work:
            work.holds.all()
    except RegisterError as problem:
        return Trial(Tried.FAILED, str(problem.args[0]))
    return Trial(Tried.WORKED)


def trail(house: House) -> tuple[int, str]:
    """Verify the trail against the heads that were written down here; return how many entries, and what is wrong."""
    audit = house.config.audit
    try:
        verdict = verify_trail(house.opened(), Heads(audit.directory, audit.key), house.now)
    except RegisterError:
        raise
    except AmiBridgeError as problem:
        return 0, str(problem.args[0])
    return verdict.entries, str(verdict)


def duties(house: House) -> Staff:
    """Count the personal accounts by what their duties let them do."""
    with house.reading() as work:
        active = [account for account in work.accounts.all() if account.disabled_at is None]
    hearing = [account for account in active if hears(account.duties)]
    uncleared = [one for one in hearing if one.clearance_until is None or one.clearance_until <= house.now]
    return Staff(accounts=len(active), hearing=len(hearing), uncleared=len(uncleared),
                 mixed=sum(not may_hold(account.duties).allowed for account in active))


GATHERERS: dict[str, Callable[[House], Any]] = {
    "columns": columns, "whole": whole, "hearing": hearing, "search": search, "opening": opening, "holding": holding,
    "trail": trail, "duties": duties,
    "scoring": lambda house: (columns(house), house.verbs)}
