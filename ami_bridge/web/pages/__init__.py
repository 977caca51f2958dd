"""The pages: one file each. A page that somebody may see has its place in the menu."""

from typing import NamedTuple

from fastapi import APIRouter

from ami_bridge.core.actions import Action
from ami_bridge.web.pages import calls, front, sign_in, sound


class Place(NamedTuple):
    """A place in the menu: its address, its name's key in the words, and the action that one must be allowed to see it."""

    path: str
    name: str
    action: Action


ROUTERS: tuple[APIRouter, ...] = (sign_in.router, front.router, calls.router, sound.router)
MENU: tuple[Place, ...] = (
    Place("/calls", "calls.title", Action.CALLS_SEARCHED),
)
