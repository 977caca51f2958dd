"""Whether the trail is whole: every link looked at once, against the heads that were written down. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ami_bridge.core.audit import NOTHING, Head, Link, digest_of


class Finding(StrEnum):
    """How the chain stands, or what is wrong at its first wrong place."""

    WHOLE = "whole"
    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    MADE_ANEW = "made-anew"
    FORGOTTEN_EARLY = "forgotten-early"
    UNVOUCHED = "unvouched"
    UNGUARDED = "unguarded"


SAID = {
    Finding.CHANGED: "entry {0} was changed after it was written",
    Finding.REMOVED: "entry {0} was removed",
    Finding.REORDERED: "entry {0} stands in another place: entries were put into another order",
    Finding.TRUNCATED: "entry {0} and all after it were cut off: a head that was written down knew them",
    Finding.MADE_ANEW: "from entry {0} on the chain was made anew: a head that was written down knew another",
    Finding.FORGOTTEN_EARLY: "entry {0} was taken away before its time: a head that was written down knew it",
    Finding.UNVOUCHED: "no signed head vouches for any entry: all that is known is that the chain agrees with itself",
    Finding.UNGUARDED: "all entries are good, but triggers that guard them in the database are missing, switched off "
                       "or altered ({1}). See who had all rights on it; 'ami-bridge register upgrade' puts them back",
}

FIRST_HEAD = timedelta(hours=2)
"""Within which the first head is written: every hour one is, and at the end of each purge."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and the number of the first wrong entry; ``head`` is the last good place. ``entries`` were good.

    ``vouched``: up to which entry a signed head, or the signed checkpoint, agrees; 0: none does. ``unguarded``: triggers of
    the trail that are not there as they should be.
    """

    finding: Finding
    number: int
    head: Head
    entries: int
    vouched: int = 0
    unguarded: tuple[str, ...] = ()

    def __str__(self) -> str:
        return SAID.get(self.finding, "").format(self.number, ", ".join(self.unguarded))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place in the chain that is no entry any more."""

    number: int


Place = Link | Unreadable


def verify(places: Callable[[], Iterable[Place]], heads: Sequence[Head], checkpoint: Head = NOTHING) -> Verdict:
    """Return how the chain stands. ``places`` gives it by number each time it is called: once, when the chain is whole.

    ``checkpoint``: the last entry that was forgotten in its time; what is at or before it is not looked at. ``heads``: heads
    that were signed and written down, in any order (who reads them looks at the signatures).
    """
    known = _by_number(heads)
    if known.get(checkpoint.number, {checkpoint.digest}) != {checkpoint.digest}:
        return Verdict(Finding.MADE_ANEW, checkpoint.number, checkpoint, 0)
    early = [head.number for head in heads if is_early(head, checkpoint)]
    if early:
        return Verdict(Finding.FORGOTTEN_EARLY, min(early), checkpoint, 0)
    last, count, agreed = checkpoint, 0, checkpoint.number
    for place in places():
        if number_of(place) <= checkpoint.number:
            continue
        wrong = _wrong(place, last, checkpoint, places)
        if wrong:
            return Verdict(*wrong, last, count, agreed)
        assert isinstance(place, Link)
        if known.get(place.entry.number, {place.digest}) != {place.digest}:
            return Verdict(Finding.MADE_ANEW, agreed + 1, last, count, agreed)
        last, count = Head(number=place.entry.number, digest=place.digest, at=place.entry.at), count + 1
        agreed = last.number if last.number in known else agreed
    if max(known, default=0) > last.number:
        return Verdict(Finding.TRUNCATED, last.number + 1, last, count, agreed)
    return Verdict(Finding.WHOLE, 0, last, count, agreed)


def judged(verdict: Verdict, oldest: datetime | None, now: datetime, unguarded: tuple[str, ...] = ()) -> Verdict:
    """Return a verdict, not whole when guards of the trail are not there as they should be (``unguarded``, their names), nor
    when nothing vouches for any entry although the oldest is of some hours ago.
    """
    if verdict.finding is Finding.WHOLE and unguarded:
        return replace(verdict, finding=Finding.UNGUARDED, unguarded=unguarded)
    if verdict.finding is not Finding.WHOLE or verdict.vouched or oldest is None or now - oldest <= FIRST_HEAD:
        return verdict
    return replace(verdict, finding=Finding.UNVOUCHED)


def is_early(head: Head, checkpoint: Head) -> bool:
    """Tell whether the entry of a head was forgotten before its time.

    A head bears the time of its entry, a checkpoint the time at or before which all was that is forgotten.
    """
    return head.number <= checkpoint.number and head.at > checkpoint.at


def at_odds(head: Head, there: str | None, checkpoint: Head) -> bool:
    """Tell whether the trail is not that of a head that was written down; ``there``: the digest that its entry has now."""
    if head.number < checkpoint.number:
        return is_early(head, checkpoint)
    return head.digest != (checkpoint.digest if head.number == checkpoint.number else there) or is_early(head, checkpoint)


def number_of(place: Place) -> int:
    """Return the number under which a place stands."""
    return place.number if isinstance(place, Unreadable) else place.entry.number


def _by_number(heads: Sequence[Head]) -> dict[int, set[str]]:
    known: dict[int, set[str]] = {}
    for head in heads:
        known.setdefault(head.number, set()).add(head.digest)
    return known


def _wrong(place: Place, last: Head, first: Head, places: Callable[[], Iterable[Place]]) -> tuple[Finding, int] | None:
    """Return what is wrong where ``last`` should be followed by its next, and the number of what is wrong; or None."""
    expected = last.number + 1
    if isinstance(place, Unreadable) or place.entry.number != expected:
        there = number_of(place) == expected
        return (Finding.CHANGED if there else _moved(places(), last)), expected
    if digest_of(place.entry, place.previous) == place.digest:
        before = expected if last == first else last.number
        return None if place.previous == last.digest else (Finding.CHANGED, before)
    if place.previous == last.digest or digest_of(place.entry, last.digest) == place.digest:
        return Finding.CHANGED, expected
    return _moved(places(), last), expected


def _moved(places: Iterable[Place], last: Head) -> Finding:
    """Tell whether what belongs after ``last`` stands further on, or nowhere."""
    further = any(isinstance(place, Link) and place.previous == last.digest for place in places)
    return Finding.REORDERED if further else Finding.REMOVED
