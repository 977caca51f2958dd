"""The register of what leaves: the list, a new proposal, and the file for whoever proposed it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from ami_bridge.app import disclosing
from ami_bridge.core.disclosures import ACTION, Kind
from ami_bridge.core.errors import ConfigurationError, NotFound
from ami_bridge.services.disclosing import Disclosing, Listed, Parcel, Wish
from ami_bridge.web.cells import csv_answer
from ami_bridge.web.visit import Browsing, Form, Visit, go, uuid_of

router = APIRouter(include_in_schema=False)
PLACE = "/disclosures"
BLOCK = 1 << 18
HEADINGS = ("id", "kind", "call", "request", "purpose", "recipient", "country", "statute", "recipient_key", "proposed_by",
            "proposed_at", "state", "approved_by", "approved_at", "handed_out_at", "sha256")


def disclosing_of(visit: Visit) -> Disclosing:
    """Return the register of disclosures on behalf of a visitor."""
    return disclosing(visit.house.register, visit.house.vault, visit.rights, visit.house.now)


@router.get(PLACE)
def disclosures(visit: Browsing) -> HTMLResponse:
    """List what left, or shall."""
    return visit.page("disclosures.html", disclosures=disclosing_of(visit).all())


@router.get(f"{PLACE}/register.csv")
def register(visit: Browsing) -> Response:
    """Give the register as a table; times are UTC."""
    return csv_answer("disclosures", [HEADINGS, *(row for one in disclosing_of(visit).all() for row in rows(one))])


@router.get(f"{PLACE}/new")
def form(visit: Browsing, call: str = "", kind: str = Kind.AUTHORITY, request: str = "") -> HTMLResponse:
    """Ask to whom recordings of a call shall go."""
    sent = {"call": str(uuid_of(call)), "kind": kind_of(kind), "request": str(uuid_of(request)) if request else ""}
    visit.rights.require(ACTION[kind_of(kind)], sent["call"])
    return _form(visit, sent)


@router.post(f"{PLACE}/new")
def propose(visit: Browsing, sent: Form) -> Response:
    """Propose that recordings leave."""
    wish = Wish(kind=kind_of(sent.get("kind", "")), call=uuid_of(sent.get("call", "")), country=sent.get("country", ""),
                recipient=sent.get("recipient", ""), statute=sent.get("statute", ""),
                recipient_key=sent.get("recipient_key", ""),
                request=uuid_of(sent["request"]) if sent.get("request") else None)
    try:
        listed = disclosing_of(visit).propose(wish)
    except ConfigurationError as mistake:
        return _form(visit, sent, mistake)
    return go(f"{PLACE}/{listed.disclosure.id}")


@router.get(f"{PLACE}/{{disclosure}}")
def show(visit: Browsing, disclosure: str) -> HTMLResponse:
    """Show one of them."""
    return visit.page("disclosure.html", listed=disclosing_of(visit).show(uuid_of(disclosure)))


@router.post(f"{PLACE}/{{disclosure}}/file")
def file(visit: Browsing, sent: Form, disclosure: str) -> StreamingResponse:
    """Hand out the file."""
    return parcelled(disclosing_of(visit).hand_out(uuid_of(disclosure)))


def parcelled(parcel: Parcel) -> StreamingResponse:
    """Return the answer that a file leaves with."""
    return StreamingResponse(_pieces(parcel), media_type="application/octet-stream", headers={
        "Content-Disposition": f'attachment; filename="{parcel.name}"', "Content-Length": str(parcel.size)})


def kind_of(word: str) -> Kind:
    """Return a kind of disclosure; NotFound for any other word."""
    if word not in set(Kind):
        raise NotFound("there is no such kind of disclosure")
    return Kind(word)


def rows(listed: Listed) -> list[tuple[str, ...]]:
    """Return the lines of the table for one disclosure: one a file handed out, one without where none was."""
    disclosure, proposal = listed.disclosure, listed.proposal.proposal
    told = (str(disclosure.id), disclosure.kind, str(disclosure.call), str(disclosure.request or ""), disclosure.purpose,
            disclosure.recipient, disclosure.country, disclosure.statute, disclosure.recipient_key, listed.proposal.made_by,
            _utc(disclosure.made_at), listed.proposal.state, listed.proposal.approved_by, _utc(proposal.approved_at))
    return [(*told, _utc(one.at), one.sha256) for one in listed.handed_out] or [(*told, "", "")]


def _utc(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def _pieces(parcel: Parcel) -> Iterator[bytes]:
    with parcel.content as content:
        while piece := content.read(BLOCK):
            yield piece


def _form(visit: Visit, sent: Mapping[str, str], mistake: ConfigurationError | None = None) -> HTMLResponse:
    return visit.form("disclosure_new.html", mistake, sent=sent)
