"""For each action of the duties, how it is asked for: by which page, and by which operation of the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from ami_bridge.core.actions import Action
from ami_bridge.web.api import PREFIX
from tests.web.routes import PARAMETER, Door
from tests.web.things import Things

ONLY_BY_COMMAND = frozenset({Action.PURGED, Action.KEYS_MADE, Action.KEYS_PUBLISHED, Action.KEY_DESTROYED})
"""What the retention officer has done by whoever runs the machine: it needs what only the machine has."""

NOT_YET = frozenset({Action.TRAINING_COPY_MADE})
"""What a duty has and nothing does yet."""

EVERYBODY = frozenset({
    Door("/", "GET"), Door("/language", "POST"), Door("/stay", "POST"), Door("/sign-out", "POST"),
    Door("/password", "GET"), Door("/password", "POST"),
    Door(f"{PREFIX}/session", "GET"), Door(f"{PREFIX}/session", "DELETE"), Door(f"{PREFIX}/password", "POST")})
"""What whoever is signed in may do: it concerns only themselves."""


@dataclass(frozen=True)
class Ask:
    """One way to ask for an action. ``path`` and the texts of ``sent`` name things in braces."""

    action: Action
    method: str
    path: str
    sent: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def of_api(self) -> bool:
        return self.path.startswith(f"{PREFIX}/")

    def is_at(self, door: Door) -> bool:
        """Tell whether it comes to a door, whatever that calls its parameters."""
        path = self.path.partition("?")[0]
        return self.method == door.method and PARAMETER.sub("{}", path) == PARAMETER.sub("{}", door.path)

    def by(self, client: httpx.Client, things: Things) -> httpx.Response:
        """Ask. In a browser the form is of this session, and the purpose was named for the call and the hold."""
        path = self.path.format_map(things)
        sent = _filled(self.sent, things)
        if self.of_api:
            return client.request(self.method, path, json=sent or None)
        client.session.purposes |= {UUID(things[name]): things["purpose"] for name in ("call", "held") if name in things}
        return client.request(self.method, path, data={"csrf": client.csrf, **sent} if self.method == "POST" else None)


def _filled(sent: object, things: Things) -> object:
    if isinstance(sent, str):
        return sent.format_map(things)
    if isinstance(sent, Mapping):
        return {name: _filled(value, things) for name, value in sent.items()}
    return [_filled(one, things) for one in sent] if isinstance(sent, list | tuple) else sent


SOUND = "recordings/{recording}/audio"
ASKS: tuple[Ask, ...] = (
    Ask(Action.CALL_LISTENED, "GET", f"/calls/{{call}}/{SOUND}"),
    Ask(Action.CALL_LISTENED, "GET", f"/holds/{{held}}/{SOUND}"),
)
