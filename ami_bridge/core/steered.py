"""What is held of one recording in progress that is steered. Pure."""

from dataclasses import dataclass, field
from uuid import UUID

from ami_bridge.core.orders import Do
from ami_bridge.core.recordings import Why
from ami_bridge.core.silence import Pause


@dataclass(slots=True)
class Steered:
    """One recording: what was decided, and what the exchange has done."""

    call: UUID
    recording: UUID
    uniqueid: str
    internal: bool
    mute_hold: bool
    monitor: str = ""
    pause: Pause | None = None
    music: bool = False
    silent: tuple[Why, str] | None = None
    heard: dict[str, str] = field(default_factory=dict)
    local_left: float = 0.0
    stopped: float = 0.0
    reviving: bool = False
    tries: int = 0
    ordered: tuple[Do, float] | None = None
    wanted: tuple[Why, str] | None = None
    since: float = 0.0
