"""What is known of versions of Asterisk. Pure."""

import re

FIRST_DEAF_MAJOR = 20


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
