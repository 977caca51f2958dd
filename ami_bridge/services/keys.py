"""The keys of the days: made ahead by the nightly job, never for a day that is over, destroyed only then."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Detail
from ami_bridge.core.errors import KeyMissing, PurgeRefused
from ami_bridge.core.retention import days_of_keys
from ami_bridge.services.trail import Trail
from ami_bridge.vault import KeyStore, day_key, day_of


def make_ahead(store: KeyStore, today: date, days: int, ahead: int) -> list[str]:
    """Make the keys of all days on which a call may expire until ``ahead`` days from now; return the new ones' names.

    No earlier day gets one: what was destroyed stays so.
    """
    return store.make(map(day_key, days_of_keys(today, days, ahead)))


def keep_ahead(store: KeyStore, trail: Trail, today: date, days: int, ahead: int) -> None:
    """Make them where the private halves are kept, and leave a trace of those that were new."""
    made = make_ahead(store, today, days, ahead) if store.private else []
    if made:
        trail.afterwards(Action.KEYS_MADE, detail={Detail.FOUND: len(made)})


def days_left(store: KeyStore, today: date, days: int, most: int = 400) -> int:
    """Return for how many days from today there is a key for every call; 0 when a call of today may lack one.

    Where the private halves are kept, a key without its own does not count: what is sealed to it would be lost.
    """
    there = {pair.name for pair in store.pairs() if pair.public and (pair.private or store.private is None)}
    if any(day_key(day) not in there for day in days_of_keys(today, days, 0)):
        return 0
    further = days_of_keys(today, days, most)[days + 1:]
    return next((n for n, day in enumerate(further, 1) if day_key(day) not in there), most)


def days_over(store: KeyStore, now: datetime) -> list[date]:
    """Return the days that are over (UTC) and of which a half of the key is still here."""
    today = now.astimezone(UTC).date()
    days = (day_of(pair.name) for pair in store.pairs())
    return [day for day in days if day is not None and day < today]


def destroy_days(store: KeyStore, days: Iterable[date], now: datetime) -> list[str]:
    """Destroy the keys of days that are over; return their fingerprints. PurgeRefused, and nothing done, for any other."""
    today, doomed = now.astimezone(UTC).date(), list(days)
    alive = [day for day in doomed if day >= today]
    if alive:
        raise PurgeRefused(f"nothing was destroyed: {alive[0]} is not over (UTC)", "Come back after it.")
    if store.private is None:
        raise KeyMissing("the private keys are kept on another host", "Run this there.")
    return [fingerprint for day in doomed if (fingerprint := store.destroy(day_key(day)))]
