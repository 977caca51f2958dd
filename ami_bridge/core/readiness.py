"""Whether the daemon can do what it is there for: judged from the alarms that hold. Pure."""

from collections.abc import Iterable

from ami_bridge.core.alarms import Name

STARTING = "starting"
"""What stands in the place of an alarm before the first look."""

UNREADY = frozenset({Name.LINK_DOWN, Name.EXCHANGE_REFUSES, Name.REGISTER_UNAVAILABLE, Name.SPOOL_FULL, Name.KEYS_NONE,
                     Name.CALLS_WAIT_FOR_KEY, Name.RECORDING_SUSPENDED})
"""The alarms of link, register, spool and keys: what each call needs."""


def in_the_way(held: Iterable[Name] | None, linked: bool) -> list[str]:
    """Return what keeps the daemon from its work, sorted; nothing when it is ready.

    ``held``: the alarms that hold, None before the first look. ``linked``: whether the exchange is heard at this moment.
    """
    if held is None:
        return [STARTING]
    found = UNREADY & set(held)
    return sorted(found if linked else found | {Name.LINK_DOWN})
