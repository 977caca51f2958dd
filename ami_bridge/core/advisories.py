"""Which releases of Asterisk have known faults that concern a recorded call or our manager user. Pure.

A table of public facts as of ``AS_OF``: security advisories of the Asterisk project by their GHSA number, defects by their
number in its tracker. Sources: the project's change logs, one a release, and its page of versions. Faults of parts that
we have nothing to do with (H.323, XMPP, STIR/SHAKEN ...) are left out; this is no substitute for upgrading.
"""

from dataclasses import dataclass
from datetime import date

from ami_bridge.core.versions import Release

AS_OF = date(2026, 11, 25)
NEWEST_MAJOR = 23
"""The newest branch that this table knows."""

END_OF_LIFE = {
    13: date(2021, 10, 24), 14: date(2018, 9, 26), 15: date(2019, 10, 3), 16: date(2023, 10, 9), 17: date(2021, 10, 28),
    18: date(2025, 10, 20), 19: date(2023, 11, 2), 20: date(2027, 10, 19), 21: date(2026, 10, 18), 22: date(2029, 10, 16),
    23: date(2027, 10, 15),
}
"""Branch -> the day on which its makers end fixing it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A known fault: its public number, what it does, and in which release of each branch it was mended.

    ``mended``: branch -> first good release. Branches below the lowest are affected throughout, above the highest not at
    all; between them, a branch that is not named was never mended. ``since``: branch -> first bad release; the first of all
    where a branch is not named. ``only``: whether branches that are not in ``mended`` are not affected.
    """

    name: str
    does: str
    mended: dict[int, tuple[int, int, int]]
    since: dict[int, tuple[int, int, int]]
    security: bool = True
    only: bool = False


_ALWAYS: dict[int, tuple[int, int, int]] = {}
FAULTS = (
    Fault("#1276", "recordings of calls between two codecs are torn (audiohook.c)",
          {20: (20, 15, 0), 22: (22, 5, 0)}, {20: (20, 12, 0), 22: (22, 2, 0)}, security=False, only=True),
    Fault("#1673", "Asterisk may crash when a recording is stopped while its call ends (app_mixmonitor)",
          {20: (20, 18, 0), 22: (22, 8, 0)}, _ALWAYS, security=False),
    Fault("GHSA-8857-hfmw-vg8f", "a manager user of class config reads files outside Asterisk's configuration",
          {18: (18, 20, 1), 20: (20, 5, 1), 21: (21, 0, 1)}, _ALWAYS),
    Fault("GHSA-c4cg-9275-6w44", "a manager user of class originate runs programs",
          {18: (18, 24, 2), 20: (20, 9, 2), 21: (21, 4, 2)}, _ALWAYS),
    Fault("GHSA-33x6-fj46-6rfh", "a manager user of class config sees files outside Asterisk's configuration",
          {18: (18, 26, 1), 20: (20, 11, 1), 21: (21, 6, 1), 22: (22, 1, 1)}, _ALWAYS),
    Fault("GHSA-qqxj-v78h-hrf9", "every unknown SIP request is taken for one of a telephone of yours (res_pjsip)",
          {18: (18, 23, 1), 20: (20, 8, 1), 21: (21, 3, 1)}, {18: (18, 23, 0), 20: (20, 8, 0), 21: (21, 3, 0)}, only=True),
    Fault("GHSA-64qc-9x89-rx5j", "one SIP request with a wrong Authorization header stops Asterisk (res_pjsip)",
          {20: (20, 15, 2), 21: (21, 10, 2), 22: (22, 5, 2)}, _ALWAYS, only=True),
    Fault("GHSA-589g-qgf8-m6mx", "one SIP request with a long Message-Account shuts the SIP side down (res_pjsip)",
          {20: (20, 20, 1), 22: (22, 10, 1), 23: (23, 4, 1)}, _ALWAYS, only=True),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a release stands: the faults it has, the day its branch ended (None: not yet), and whether this table knows it."""

    faults: tuple[Fault, ...]
    ended: date | None
    known: bool


def standing(release: Release, today: date) -> Standing:
    """Judge a release on a day. A release of a distribution has fixes that its number does not tell: only defects count."""
    if release.major > NEWEST_MAJOR or release.major not in END_OF_LIFE:
        return Standing((), None, known=False)
    faults = tuple(fault for fault in FAULTS if has(release, fault) and not (fault.security and release.patched_elsewhere))
    end = END_OF_LIFE[release.major]
    return Standing(faults, end if today > end else None, known=True)


def has(release: Release, fault: Fault) -> bool:
    """Tell whether a release has a fault, by its number alone."""
    number, mended = release.number, fault.mended.get(release.major)
    if mended is None:
        return not fault.only and release.major < max(fault.mended)
    return fault.since.get(release.major, (0, 0, 0)) <= number < mended
