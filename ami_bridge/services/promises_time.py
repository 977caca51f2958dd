"""Evidence of forgetting: nothing is here past its time, and the nightly job runs (N8)."""

import glob
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ami_bridge.core.promise_evidence import Days, Late, Runs
from ami_bridge.services import doctor_asterisk, doctor_places
from ami_bridge.services.findings import Status
from ami_bridge.services.keys import days_over
from ami_bridge.services.promises_house import House, end_of
from ami_bridge.services.said import next_purge
from ami_bridge.services.sweep import line_time
from ami_bridge.services.watch import installed_at

CRON = (Path("/etc/cron.d/ami-bridge"), Path("/etc/cron.daily/ami-bridge"))


def entries(house: House) -> Late:
    """Count the calls of the register that should be gone."""
    with house.reading() as work:
        counts, oldest = work.days.counts(house.deadline), work.days.oldest_expiry()
    past = sum(count.past for count in counts)
    return Late(past, oldest if past else None)


def sealed_files(house: House) -> Late:
    """Count the files under days of the vault that should be gone."""
    vault = house.vault
    return house.late([end_of(day) for day in vault.days() if end_of(day) <= house.deadline
                       for _ in vault.files(day.isoformat())])


def keys(house: House) -> Late | None:
    """Count the private halves of days that should be gone; None where they are on another host."""
    store = house.keys
    if store.private is None:
        return None
    return house.late([end_of(day) for day in days_over(store, house.now) if (store.private / f"{day}.key").exists()])


def holds(house: House) -> Late:
    """Count the holds that ended, or were released, and are still here."""
    with house.reading() as work:
        return house.late([min(hold.until, hold.released_at or hold.until) for hold in work.holds.all()
                           if not hold.active(house.now)])


def spool(house: House) -> Late:
    """Count what finished calls left in the spool."""
    return _old_files(house, house.spool.leftovers())


def leftovers(house: House) -> Late:
    """Count other files that the purge is to clear."""
    found = (Path(name) for pattern in house.config.purge.leftovers for name in glob.iglob(pattern))  # noqa: PTH207 - full paths
    return _old_files(house, (path for path in found if path.is_file() and not path.is_symlink()))


def journals(house: House) -> Late:
    """Count journals, also what was set aside of them, whose first line should be gone."""
    config = house.config
    named = (*config.purge.journals, *([config.cel.file] if config.cel.file else []))
    firsts = (_first(path) for journal in named for path in _parts(journal))
    return house.late([at + _promised(house) for at in firsts if at])


def _parts(journal: Path) -> Iterator[Path]:
    yield from (path for path in (journal, *journal.parent.glob(f"{glob.escape(journal.name)}.*")) if path.is_file())


def _first(path: Path) -> datetime | None:
    """Return the time of the first line, the oldest; None of an empty file."""
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    return (line_time(line) or _changed(path)) if line.strip() else None


def _old_files(house: House, paths: Iterable[Path]) -> Late:
    return house.late([at + _promised(house) for path in paths if (at := _changed(path))])


def _changed(path: Path) -> datetime | None:
    """Return when a file was last changed; None when it is gone meanwhile."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _promised(house: House) -> timedelta:
    return timedelta(days=house.config.retention.days)


def runs(house: House) -> Runs:
    """Ask for the last good run of the nightly job."""
    with house.reading() as work:
        last = work.destructions.last_success()
    return Runs(last=last, installed=installed_at(house.config, house.now), patience=house.patience, now=house.now)


def timer(house: House) -> bool:
    """Ask systemd, else look for a line of cron."""
    return next_purge() is not None or any(path.is_file() for path in CRON)


def days(house: House) -> Days:
    """Compare the days of the routes, and of what is kept, with those promised."""
    promised = house.config.retention.days
    with house.reading() as work:
        last = max(work.days.all_days(), default=None)
    longer = tuple(route.name for route in house.config.policy_routes() if route.days > promised)
    furthest = (last - house.now.astimezone(UTC).date()).days if last else 0
    return Days(promised=promised, longer=longer, furthest=furthest)


def elsewhere(house: House) -> int:
    """Count the places where Asterisk and others keep what no run of ours clears. Their files' names may hold numbers."""
    exchange = doctor_asterisk.found(house.config)
    found = doctor_places.places(house.config, exchange.logs, exchange.spool)
    return sum(one.status is not Status.OK for one in found)


GATHERERS: dict[str, Callable[[House], Any]] = {
    "entries": entries, "sealed-files": sealed_files, "keys": keys, "holds": holds, "spool": spool, "leftovers": leftovers,
    "journals": journals, "runs": runs, "timer": timer, "days": days, "elsewhere": elsewhere}
