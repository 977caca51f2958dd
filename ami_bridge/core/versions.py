"""What is known of versions of Asterisk. Pure."""

import re

FIRST_DEAF_MAJOR = 20


def loses_second_voice(version: str) -> bool:
    """Tell whether a build drops the voice of whoever comes second into a recorded call (facts, section 0).

    Debian's builds (``dfsg``) do from major version 20 on: their patch for Opus drops frames whose number lies behind.
    """
    major = re.match(r"(\d+)\.", version)
    return major is not None and int(major[1]) >= FIRST_DEAF_MAJOR and "dfsg" in version
