"""What a destruction is while it goes on, and what a run of the nightly job was: values that the register keeps."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Step(StrEnum):
    """How far a destruction has come. A run that was killed goes on after the step it reached."""

    INTENDED = "intended"
    KEY_GONE = "key-gone"
    LISTED = "listed"
    FILES_GONE = "files-gone"
    ROWS_GONE = "rows-gone"
    CERTIFIED = "certified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The destruction of what was sealed to one key.

    ``number`` is that of its certificate, from 1; ``key`` the key's name, a day or a hold; ``whole``: the key dies too;
    else only what is past its time at ``as_of`` goes, or (``request``) what that request of a caller had erased of the day.
    ``fingerprint`` is empty when no key was here. ``calls`` as counted
    when it began; ``files``, ``digests`` (sealed files of registered calls) and ``unregistered`` (files that no entry
    named) as found on the way.
    """

    number: int
    key: str
    whole: bool
    as_of: datetime
    begun_at: datetime
    fingerprint: str = ""
    calls: int = 0
    step: Step = Step.INTENDED
    files: int = 0
    digests: int = 0
    digests_sha256: str = ""
    unregistered: int = 0
    certificate_sha256: str = ""
    finished_at: datetime | None = None
    request: UUID | None = None


class RunOutcome(StrEnum):
    """How a run of the nightly job ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: when, how it ended, and by which clock (``boot`` names the start of the machine, ``since_boot`` seconds)."""

    started_at: datetime
    finished_at: datetime
    outcome: RunOutcome
    boot: str
    since_boot: float
