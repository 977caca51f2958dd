"""Orders: what is to be done to a recording while its call goes on. Pure."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from ami_bridge.core.recordings import Why


class Do(StrEnum):
    """What is to be done. RESTART: MixMonitor, into the same file; REVIVE: the same, if another has stopped it.

    ANSWER: tell who asked how it stands. DETACH: stop a recording that came from another channel.
    """

    MUTE = "mute"
    UNMUTE = "unmute"
    RESTART = "restart"
    REVIVE = "revive"
    ANSWER = "answer"
    DETACH = "detach"


class Own(NamedTuple):
    """What the variables of a recorded channel say of its recording."""

    call: UUID
    recording: UUID
    monitor: str


class Order(NamedTuple):
    """One thing to do, on the recorded channel ``uniqueid``.

    MUTE: ``why``, and who would have it so (``by``). ANSWER: to ``asker``, that it is silent where there is a ``why``; no
    ``call``: refused. DETACH: ``stop`` is the MixMonitor that another channel left on this one, ``own`` what this one's
    variables are to say (None: not known).
    """

    do: Do
    call: UUID | None
    uniqueid: str
    asker: str = ""
    why: Why | None = None
    by: str = ""
    stop: str = ""
    own: Own | None = None
