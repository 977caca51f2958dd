"""How things stand, and whether the notice is kept."""

from itertools import groupby

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from ami_bridge.app import health_reading
from ami_bridge.core.promises import verdict_of
from ami_bridge.services.health_reading import Examined, HealthReading
from ami_bridge.web.house import alone
from ami_bridge.web.visit import Browsing, Form, Visit, go

router = APIRouter(include_in_schema=False)


def doctor(visit: Visit) -> HealthReading:
    """Return what looks how things stand on behalf of who is signed in."""
    return health_reading(visit.house.config, visit.rights)


@router.get("/health")
def health(visit: Browsing) -> HTMLResponse:
    """Show how things stand, and what the last self-check of the notice found."""
    standing, examined = doctor(visit).standing(), visit.house.examined
    return visit.page("health.html", standing=standing, examined=examined, clauses=_clauses(examined))


@router.post("/health/notice")
def examine(visit: Browsing, form: Form) -> RedirectResponse:
    """Check the notice clause by clause: that takes its time, so it is done when somebody asks."""
    examined_now(visit)
    return go("/health#notice")


def examined_now(visit: Visit) -> Examined:
    """Return what a self-check finds now, and keep it for those who look later. Busy while another runs."""
    with alone(visit.house):
        visit.house.examined = doctor(visit).examine(visit.house.examine)
        return visit.house.examined


def _clauses(examined: Examined | None) -> list[tuple[str, str, list]]:
    """Return each clause with the verdict on it and its lines."""
    lines = examined.lines if examined else []
    found = [(clause, list(of_clause)) for clause, of_clause in groupby(lines, lambda line: line.clause)]
    return [(clause, str(verdict_of(lines)), lines) for clause, lines in found]
