"""What is known of versions of Asterisk. Pure."""

import re
from typing import NamedTuple

FIRST_DEAF_MAJOR = 20
FIRST_WITH_FILTERS = {18: (18, 26, 0), 20: (20, 11, 0), 21: (21, 6, 0), 22: (22, 1, 0)}
"""Branch -> from which release on events can be chosen by name (configs/samples/manager.conf.sample)."""

_NUMBER = re.compile(r"(?:certified[-/])?(\d+)\.(\d+)(?:\.(\d+))?(?:-cert(\d+))?")


class Release(NamedTuple):
    """A version of Asterisk: its number, and whether somebody else than its makers mends it (Debian, or certified).

    ``patched_elsewhere``: security fixes come without a new number, or with another one.
    """

    number: tuple[int, int, int]
    patched_elsewhere: bool

    @property
    def major(self) -> int:
        """Return the branch."""
        return self.number[0]


def release_of(version: str) -> Release | None:
    """Return the release that a version's text names; None when it names none."""
    found = _NUMBER.match(version)
    if found is None:
        return None
    number = int(found[1]), int(found[2]), int(found[3] or 0)
    elsewhere = "dfsg" in version or version.startswith("certified") or found[4] is not None
    return Release(number, elsewhere)


def chooses_events(release: Release) -> bool:
    """Tell whether a release can choose events by name (``eventfilter(action(include),name(...))``)."""
    first = FIRST_WITH_FILTERS.get(release.major)
    return release.number >= first if first else release.major > max(FIRST_WITH_FILTERS)


def loses_second_voice(version: str) -> bool:
    """Tell whether a build drops the voice of whoever comes second into a recorded call (facts, section 0).

    Debian's builds (``dfsg``) do from major version 20 on: their patch for Opus drops frames whose number lies behind.
    """
    major = re.match(r"(\d+)\.", version)
    return major is not None and int(major[1]) >= FIRST_DEAF_MAJOR and "dfsg" in version

NAMED_FILTERS = ((18, 26), (20, 11), (21, 6), (22, 1))
"""From which releases on an event filter may name events (``eventfilter(action(include),name(...))``)."""


def filters_by_name(version: str) -> bool:
    """Tell whether a release can leave out events by their names; an unknown one is taken not to."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    first = dict(NAMED_FILTERS).get(major)
    return minor >= first if first is not None else major > NAMED_FILTERS[-1][0]
