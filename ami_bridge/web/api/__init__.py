"""The API: the same services as the pages, with the same rights, as JSON. Described by ``/api/v1/openapi.json``."""

from fastapi import APIRouter

from ami_bridge.web.api import calls, disclosures, holds, proposals, requests, session
from ami_bridge.web.problems import ANSWERS

PREFIX = "/api/v1"

router = APIRouter(prefix=PREFIX, responses=ANSWERS)
for part in (session.router, calls.router, holds.router, disclosures.router, proposals.router, requests.router):
    router.include_router(part)
