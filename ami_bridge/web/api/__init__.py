"""The API: the same services as the pages, with the same rights, as JSON. Described by ``/api/v1/openapi.json``."""

from fastapi import APIRouter

from ami_bridge.web.api import (
    accounts,
    calls,
    certificates,
    disclosures,
    health,
    holds,
    proposals,
    requests,
    session,
    trail,
)
from ami_bridge.web.problems import ANSWERS

PREFIX = "/api/v1"

router = APIRouter(prefix=PREFIX, responses=ANSWERS)
for part in (session, calls, requests, holds, disclosures, proposals, accounts, trail, certificates, health):
    router.include_router(part.router)
