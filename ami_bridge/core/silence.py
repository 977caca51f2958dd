"""Silence: whether, and why, a recording in progress must be silent, from the situation alone. Pure."""

from typing import NamedTuple

from ami_bridge.core.recordings import Why


class Pause(NamedTuple):
    """A silence that somebody asked for; ``until``: seconds since 1970."""

    by: str
    until: float


class Situation(NamedTuple):
    """What decides about one recording now. ``partners``: whose voices the recorded channel hears.

    ``outside``: of all channels of external parties whether they were told. ``internal``: the recorded party is not one.
    """

    partners: frozenset[str]
    outside: dict[str, bool]
    internal: bool
    pause: Pause | None
    on_hold: bool
    mute_hold: bool


def silence(now: Situation) -> tuple[Why, str] | None:
    """Return why a recording must be silent, and who would have it so; None when it must not."""
    if now.pause:
        return Why.PAUSED, now.pause.by
    told = [now.outside[one] for one in now.partners if one in now.outside]
    if not all(told):
        return Why.UNTOLD, ""
    if told and len(told) == len(now.partners) and not now.internal:
        return Why.ALONE, ""
    return (Why.HELD, "") if now.on_hold and now.mute_hold else None
