"""How things stand, and whether the notice is kept."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ami_bridge.services.health_reading import Examined
from ami_bridge.services.status import Kepts
from ami_bridge.web.pages.health import doctor, examined_now
from ami_bridge.web.visit import Calling

router = APIRouter(tags=["health"])


class OneAlarm(BaseModel):
    """One thing that needs a human."""

    name: str
    sentence: str
    remedy: str


class Register(BaseModel):
    """What the register says."""

    recorded_today: int
    unrecorded_today: dict[str, int] = Field(description="By reason or state.")
    last_purge: datetime | None
    purge_due: datetime
    purge_planned: datetime | None
    open_gaps: int
    findings: dict[str, int] = Field(description="Of the last day, by kind.")


class Health(BaseModel):
    """How things stand. Null: nobody can tell."""

    healthy: bool
    at: datetime
    daemon_running: bool
    exchange: str
    exchange_connected: bool | None
    calls_in_progress: int | None
    calls_waiting: int | None
    key_days: int
    disks_free: dict[str, int | None] = Field(description="Bytes, by what lies there.")
    alarms: list[OneAlarm]
    register_: Register | None = Field(alias="register")


class OneLine(BaseModel):
    """One line of evidence for a promise of the notice."""

    clause: str
    about: str
    verdict: str = Field(description="kept, not kept or not checkable.")
    reason: str
    look: str = ""


class NoticeCheck(BaseModel):
    """Whether the notice is kept, clause by clause."""

    at: datetime
    kept: bool = Field(description="Whether no promise is seen to be broken.")
    lines: list[OneLine]


@router.get("/health")
def health(visit: Calling) -> Health:
    """Tell how things stand."""
    found = doctor(visit).standing()
    alarms = [OneAlarm(name=name, sentence=one.sentence, remedy=one.remedy) for name, one in found.alarms.items()]
    return Health(healthy=found.healthy, at=found.at, daemon_running=found.daemon.running, exchange=found.exchange,
                  exchange_connected=found.daemon.connected, calls_in_progress=found.daemon.in_progress,
                  calls_waiting=found.waiting, key_days=found.key_days, alarms=alarms,
                  disks_free={name: disk.free if disk else None for name, disk in found.disks.items()},
                  register=_register(found.register) if found.register else None)


@router.post("/health/notice")
def examine(visit: Calling) -> NoticeCheck:
    """Check the promises of the notice now. It may take a minute; one at a time (409)."""
    return _checked(examined_now(visit))


def _checked(examined: Examined) -> NoticeCheck:
    lines = [OneLine(clause=one.clause, about=one.about, verdict=one.verdict, reason=one.reason, look=one.look)
             for one in examined.lines]
    return NoticeCheck(at=examined.at, kept=examined.kept, lines=lines)


def _register(kept: Kepts) -> Register:
    return Register(recorded_today=kept.today.recorded, unrecorded_today=kept.today.unrecorded, open_gaps=len(kept.gaps),
                    last_purge=kept.purge.last_success, purge_due=kept.purge.due, purge_planned=kept.purge.planned,
                    findings={kind.value: count for kind, count in kept.findings.items()})
