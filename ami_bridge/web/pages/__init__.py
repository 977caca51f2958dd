"""The pages: one file each. A page that somebody may see has its place in the menu."""

from typing import NamedTuple

from fastapi import APIRouter

from ami_bridge.core.actions import Action
from ami_bridge.web.pages import (
    accounts,
    calls,
    certificates,
    disclosures,
    front,
    health,
    holds,
    password,
    proposals,
    request_letter,
    request_sessions,
    requests,
    sign_in,
    sound,
    trail,
)


class Place(NamedTuple):
    """A place in the menu: its address, its name's key in the words, and the action that one must be allowed to see it."""

    path: str
    name: str
    action: Action


ROUTERS: tuple[APIRouter, ...] = tuple(page.router for page in (
    sign_in, front, password, calls, sound, requests, request_sessions, request_letter, holds, disclosures, proposals,
    accounts, trail, certificates, health))
MENU: tuple[Place, ...] = (
    Place("/calls", "calls.title", Action.CALLS_SEARCHED),
    Place("/requests", "requests.title", Action.REQUESTS_LISTED),
    Place("/holds", "holds.title", Action.HOLDS_LISTED),
    Place("/disclosures", "disclosures.title", Action.DISCLOSURES_LISTED),
    Place("/proposals", "proposals.title", Action.PROPOSALS_LISTED),
    Place("/certificates", "certificates.title", Action.CERTIFICATES_LISTED),
    Place("/accounts", "accounts.title", Action.ACCOUNTS_LISTED),
    Place("/trail", "trail.title", Action.TRAIL_READ),
    Place("/health", "health.title", Action.HEALTH_VIEWED))
