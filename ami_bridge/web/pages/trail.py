"""The trail for the auditor: read, taken away as CSV, verified."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from ami_bridge.app import trail_reading
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Outcome
from ami_bridge.core.audit_check import Unreadable
from ami_bridge.core.errors import ConfigurationError, NotFound
from ami_bridge.register import TrailFilter
from ami_bridge.services.trail_reading import Reading, TrailReading
from ami_bridge.web.cells import csv_answer
from ami_bridge.web.entries import Said, said_of
from ami_bridge.web.house import alone
from ami_bridge.web.times import begins, ends
from ami_bridge.web.visit import Browsing, Form, Visit, go

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Query(ge=0, le=1 << 53)]
PAGE, MOST_IN_A_FILE = 50, 50_000
FIELDS = ("since", "until", "actor", "action", "object", "outcome")
COLUMNS = ("number", "at", "actor", "action", "object", "purpose", "outcome", "reason", "detail", "digest")


def reading(visit: Visit) -> TrailReading:
    """Return what reads the trail on behalf of who is signed in."""
    return trail_reading(visit.house.config, visit.house.register, visit.rights)


@router.get("/trail")
def trail(visit: Browsing, search: str = "", before: Number = 0) -> HTMLResponse:
    """Show entries, newest first. ``search``: the word of a search that this session made."""
    terms = _terms(visit, search)
    return _page(visit, terms, _filter(visit, terms, PAGE, before, reading(visit)), search)


@router.post("/trail")
def search(visit: Browsing, form: Form) -> Response:
    """Keep what is searched for in the session; its address says nothing of it."""
    terms = {name: form[name] for name in FIELDS if form.get(name)}
    if terms:
        try:
            _filter(visit, terms, PAGE, 0, reading(visit))
        except ConfigurationError as mistake:
            return _page(visit, terms, TrailFilter(limit=PAGE), mistake=mistake)
        return go(f"/trail?search={visit.session.keep_search(terms)}")
    return go("/trail")


@router.post("/trail/csv")
def take_away(visit: Browsing, form: Form) -> Response:
    """Return the entries of a search as CSV, newest first, as they are kept: words and ids."""
    asked = reading(visit)
    found = asked.read(_filter(visit, _terms(visit, form.get("search", "")), MOST_IN_A_FILE, 0, asked))
    return csv_answer("trail", [(*COLUMNS, "name"), *rows(found)])


@router.post("/trail/verify")
def verify(visit: Browsing, form: Form) -> HTMLResponse:
    """Verify the whole trail and show what was found."""
    with alone(visit.house):
        judged = reading(visit).verify()
    return visit.page("trail_verified.html", judged=judged, at=visit.now)


def rows(found: Reading) -> Iterator[list[str]]:
    """Yield the cells of entries, in the order of ``COLUMNS`` and then the name behind the actor."""
    for place in found.places:
        if isinstance(place, Unreadable):
            yield [str(place.number), *[""] * len(COLUMNS)]
            continue
        entry = place.entry
        detail = " ".join(f"{key}={value}" for key, value in entry.detail.items())
        yield [str(entry.number), entry.at.isoformat(), entry.actor, entry.action, entry.object, entry.purpose,
               entry.outcome, entry.reason, detail, place.digest, found.names.get(entry.actor.removeprefix("account:"), "")]


def _page(visit: Visit, terms: Mapping[str, str], wanted: TrailFilter, search: str = "",
          mistake: ConfigurationError | None = None) -> HTMLResponse:
    """Show entries, with the form as ``terms`` fill it in."""
    asked = reading(visit)
    found = asked.read(wanted)
    return visit.form("trail.html", mistake, entries=list(_said(found, visit)), older=found.older, search=search,
                      terms={name: terms.get(name, "") for name in FIELDS}, head=asked.head(), names=found.names,
                      logins=sorted(found.logins), actions=list(Action), outcomes=list(Outcome), most=MOST_IN_A_FILE)


def _said(found: Reading, visit: Visit) -> Iterator[Said]:
    return (said_of(place, found.names, visit.words, visit.purpose) for place in found.places)


def _terms(visit: Visit, search: str) -> Mapping[str, str]:
    """Return what was searched for by a word; NotFound when this session knows no such search of the trail."""
    terms = visit.session.searches.get(search, {}) if search else {}
    if search and not (isinstance(terms, dict) and terms):
        raise NotFound("this search is not known any more", "Search anew.", mistake="old-search")
    return terms


def _filter(visit: Visit, terms: Mapping[str, str], limit: int, before: int, asked: TrailReading) -> TrailFilter:
    zone, action, outcome = visit.house.config.controller.zone, terms.get("action", ""), terms.get("outcome", "")
    if action not in {"", *Action} or outcome not in {"", *Outcome}:
        raise ConfigurationError("there is no such action or outcome", "Choose one of the list.", mistake="choice")
    return TrailFilter(since=begins(terms.get("since", ""), zone), until=ends(terms.get("until", ""), zone), action=action,
                       outcome=outcome, actor=asked.actor(terms.get("actor", "")),
                       object=asked.object(terms.get("object", "")), before=before, limit=limit)
