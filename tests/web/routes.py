"""Every door of the console: what its pages and its API are asked with, found by walking the routes that it has."""

import re
from dataclasses import dataclass
from uuid import UUID, uuid4

from fastapi.routing import iter_route_contexts

from ami_bridge.web import api
from tests.web.console import Console

PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
DOCUMENT = f"{api.PREFIX}/openapi.json"


@dataclass(frozen=True, order=True)
class Door:
    """One way to ask: a path with its parameters in braces, and a method."""

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def of_api(self) -> bool:
        return self.path.startswith(f"{api.PREFIX}/")

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a path to it looks like."""
        return re.compile("[^/]+".join(map(re.escape, PARAMETER.sub("{}", self.path).split("{}"))))

    def at(self, id: UUID | str | None = None) -> str:
        """The path with one id for every parameter; none: one that nothing has."""
        return PARAMETER.sub(str(id or uuid4()), self.path)


SIGN_IN = frozenset({Door("/sign-in", "GET"), Door("/sign-in", "POST"), Door(f"{api.PREFIX}/session", "POST")})
"""What is open to those who have not signed in."""


def doors(console: Console) -> list[Door]:
    """Pages and operations of the API; HEAD is a GET without a body. Not what concerns nobody: the style sheet, the document."""
    found = {Door(route.path, method) for route in iter_route_contexts(console.server.config.app.routes)  # type: ignore[union-attr]
             for method in route.methods or () if route.path not in (None, DOCUMENT)}
    return sorted(door for door in found if door.method != "HEAD" or Door(door.path, "GET") not in found)
