"""Silence: whether, and why, a recording in progress must be silent, from the situation alone. Pure."""

from typing import NamedTuple

from ami_bridge.core.recordings import Why

MOMENT = 0.2
"""Seconds for which a change must have lasted that channels on their way from one bridge to another make for less."""


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


def settles_in(silent: tuple[Why, str] | None, wanted: tuple[Why, str] | None) -> float:
    """Return for how long (seconds) it must have been wanted before a recording that is ``silent`` for a reason changes.

    What somebody asked for, and that an untold one came, count at once. That the company has left, or that an untold one
    has, must have lasted: while bridges are joined one of the parties is in neither of them.
    """
    why, now = wanted and wanted[0], silent and silent[0]
    if now in (Why.UNTOLD, Why.ALONE):
        return 0.0 if why in (Why.PAUSED, Why.UNTOLD) else MOMENT
    return MOMENT if why is Why.ALONE and now is None else 0.0
