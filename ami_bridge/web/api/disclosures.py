"""The register of what leaves, for programs."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field

from ami_bridge.core.disclosures import LONGEST_TEXT, Kind
from ami_bridge.services.disclosing import Listed, Wish
from ami_bridge.web.api.proposals import Decision, told
from ami_bridge.web.api.sent import Sent
from ami_bridge.web.pages.disclosures import disclosing_of, parcelled
from ami_bridge.web.visit import Calling

router = APIRouter(tags=["disclosures"])
FILE: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


class NewDisclosure(Sent):
    """To whom recordings of a call shall go."""

    kind: Kind = Field(description="`authority`, or `copy` for the data subject.")
    call: UUID
    country: str = Field(min_length=2, max_length=2, description="Two letters (ISO 3166): a country of the EU or EEA.")
    recipient: str = Field("", max_length=LONGEST_TEXT, description="The authority, never a person. Not for a copy.")
    statute: str = Field("", max_length=LONGEST_TEXT, description="What obliges you, or allows it. Needed for an authority.")
    recipient_key: str = Field("", max_length=100, description="An age recipient (`age1...`). Needed for an authority.")
    request: UUID | None = Field(None, description="The data-subject request that a copy belongs to.")


class FileOut(BaseModel):
    """A file that left."""

    at: AwareDatetime
    sha256: str = Field(description="Of the file as it left (hex).")


class ListedDisclosure(BaseModel):
    """A line of the register of disclosures."""

    id: UUID
    kind: Kind
    call: UUID
    request: UUID | None
    purpose: str
    recipient: str
    country: str
    statute: str
    recipient_key: str
    proposal: Decision
    handed_out: list[FileOut]


@router.get("/disclosures")
def disclosures(visit: Calling) -> list[ListedDisclosure]:
    """List what left, or was proposed to, the newest first."""
    return [listed(one) for one in disclosing_of(visit).all()]


@router.post("/disclosures", status_code=201)
def propose(visit: Calling, sent: NewDisclosure) -> ListedDisclosure:
    """Propose that recordings of a call leave. A second person must approve the proposal within seven days."""
    wish = Wish(kind=sent.kind, call=sent.call, country=sent.country, recipient=sent.recipient, statute=sent.statute,
                recipient_key=sent.recipient_key, request=sent.request)
    return listed(disclosing_of(visit).propose(wish))


@router.get("/disclosures/{disclosure}")
def show(visit: Calling, disclosure: UUID) -> ListedDisclosure:
    """Show one of them."""
    return listed(disclosing_of(visit).show(disclosure))


@router.post("/disclosures/{disclosure}/file", response_class=StreamingResponse, responses=FILE)
def file(visit: Calling, disclosure: UUID) -> StreamingResponse:
    """Hand out the file, to who proposed it. It is written down as handed out before its first byte."""
    return parcelled(disclosing_of(visit).hand_out(disclosure))


def listed(one: Listed) -> ListedDisclosure:
    """Return a line of the register as the API tells it."""
    disclosure = one.disclosure
    return ListedDisclosure(
        id=disclosure.id, kind=disclosure.kind, call=disclosure.call, request=disclosure.request,
        purpose=disclosure.purpose, recipient=disclosure.recipient, country=disclosure.country, statute=disclosure.statute,
        recipient_key=disclosure.recipient_key, proposal=told(one.proposal),
        handed_out=[FileOut(at=file.at, sha256=file.sha256) for file in one.handed_out])
