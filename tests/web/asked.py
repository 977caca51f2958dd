"""For each action of the duties, how it is asked for: by which page, and by which operation of the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import httpx

from ami_bridge.core.actions import Action
from ami_bridge.web.api import PREFIX
from tests.web.routes import Door
from tests.web.things import Things

ONLY_BY_COMMAND = frozenset({Action.PURGED, Action.KEYS_MADE, Action.KEYS_PUBLISHED, Action.KEY_DESTROYED})
"""What the retention officer has done by whoever runs the machine: it needs what only the machine has."""

EVERYBODY = frozenset({
    Door("/", "GET"), Door("/language", "POST"), Door("/stay", "POST"), Door("/sign-out", "POST"),
    Door("/password", "GET"), Door("/password", "POST"),
    Door("/holds/{hold}/purpose", "POST"),
    Door(f"{PREFIX}/session", "GET"), Door(f"{PREFIX}/session", "DELETE"), Door(f"{PREFIX}/session/password", "PUT")})
"""What whoever is signed in may do: it concerns only themselves and their session. A purpose that was named opens nothing."""


@dataclass(frozen=True, eq=False)
class Ask:
    """One way to ask for an action. ``path`` and the texts of ``sent`` name things in braces.

    ``leaves``: what the trail says where it is granted, if not the action: what takes two is first a proposal; None: an empty
    form shows nothing. ``also``: what is asked as well, so that it may be refused as that.
    """

    action: Action
    method: str
    path: str
    sent: Mapping[str, object] = field(default_factory=dict)
    leaves: Action | Literal["action"] | None = "action"
    also: Action | None = None

    @property
    def trace(self) -> Action | None:
        """What the trail says where it is granted."""
        return self.action if self.leaves == "action" else self.leaves

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def of_api(self) -> bool:
        return self.path.startswith(f"{PREFIX}/")

    def is_at(self, door: Door) -> bool:
        """Tell whether it comes to a door, whatever that calls its parameters."""
        return self.method == door.method and bool(door.pattern.fullmatch(self.path.partition("?")[0]))

    def prepare(self, things: Things) -> None:
        """Make the things that it names, so that what was done for them is in the trail before."""
        _ = self.path.format_map(things), _filled(self.sent, things)

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
FOR = "?purpose={purpose}"
HOLD = {"call": "{call}", "reason": "a dispute", "basis": "request 7"}
LEAVING = {"kind": "authority", "call": "{call}", "country": "FI", "recipient": "Poliisi", "statute": "PKL 4:3",
           "recipient_key": "{recipient_key}"}
OUT = {"kind": "copy", "call": "{frozen}", "country": "FI", "request": "{request}"}

LISTENING = (
    Ask(Action.CALLS_SEARCHED, "GET", "/calls", leaves=None),
    Ask(Action.CALLS_SEARCHED, "POST", "/calls", {"number": "{number}"}, leaves=None),
    Ask(Action.CALL_VIEWED, "GET", "/calls/{call}"),
    Ask(Action.CALL_VIEWED, "POST", "/calls/{call}/purpose", {"purpose": "{purpose}"}, leaves=None),
    Ask(Action.CALL_LISTENED, "GET", f"/calls/{{call}}/{SOUND}"),
    Ask(Action.CALL_LISTENED, "GET", f"/holds/{{held}}/{SOUND}", also=Action.HOLD_VIEWED),
    Ask(Action.CALLS_SEARCHED, "POST", f"{PREFIX}/calls/search", {"number": "{number}"}),
    Ask(Action.CALL_VIEWED, "GET", f"{PREFIX}/calls/{{call}}{FOR}"),
    Ask(Action.CALL_LISTENED, "GET", f"{PREFIX}/calls/{{call}}/{SOUND}{FOR}"),
    Ask(Action.CALL_LISTENED, "GET", f"{PREFIX}/calls/{{call}}/{SOUND.replace('audio', 'waveform')}{FOR}", leaves=Action.CALL_VIEWED),
    Ask(Action.CALL_LISTENED, "GET", f"{PREFIX}/holds/{{held}}/{SOUND}{FOR}", also=Action.HOLD_VIEWED),
)
HOLDING = (
    Ask(Action.HOLDS_LISTED, "GET", "/holds"),
    Ask(Action.HOLDS_LISTED, "GET", f"{PREFIX}/holds"),
    Ask(Action.HOLD_PLACED, "GET", "/holds/new?call={call}", leaves=None),
    Ask(Action.HOLD_PLACED, "POST", "/holds/new", {**HOLD, "until": "{soon}"}),
    Ask(Action.HOLD_PLACED, "POST", f"{PREFIX}/holds", {**HOLD, "until": "{soon}T00:00:00Z"}),
    Ask(Action.HOLD_VIEWED, "GET", "/holds/{kept}"),
    Ask(Action.HOLD_VIEWED, "GET", f"{PREFIX}/holds/{{kept}}"),
    Ask(Action.HOLD_RELEASED, "POST", "/holds/{proposed}/release"),
    Ask(Action.HOLD_RELEASED, "POST", f"{PREFIX}/holds/{{proposed}}/release"),
)
AGREEING = (
    Ask(Action.PROPOSAL_MADE, "POST", "/holds/{kept}/release", also=Action.HOLD_RELEASED),
    Ask(Action.PROPOSAL_MADE, "POST", f"{PREFIX}/holds/{{kept}}/release", also=Action.HOLD_RELEASED),
    Ask(Action.PROPOSALS_LISTED, "GET", "/proposals"),
    Ask(Action.PROPOSALS_LISTED, "GET", f"{PREFIX}/proposals"),
    Ask(Action.PROPOSAL_APPROVED, "POST", "/proposals/{proposal}/approve"),
    Ask(Action.PROPOSAL_APPROVED, "POST", f"{PREFIX}/proposals/{{proposal}}/approve"),
    Ask(Action.PROPOSAL_DECLINED, "POST", "/proposals/{proposal}/decline"),
    Ask(Action.PROPOSAL_DECLINED, "POST", f"{PREFIX}/proposals/{{proposal}}/decline"),
)
LEAVES = (
    Ask(Action.DISCLOSURES_LISTED, "GET", "/disclosures"),
    Ask(Action.DISCLOSURES_LISTED, "GET", "/disclosures/register.csv"),
    Ask(Action.DISCLOSURES_LISTED, "GET", f"{PREFIX}/disclosures"),
    Ask(Action.DISCLOSURES_LISTED, "GET", "/disclosures/{parcel}"),
    Ask(Action.DISCLOSURES_LISTED, "GET", f"{PREFIX}/disclosures/{{parcel}}"),
    Ask(Action.CALL_DISCLOSED, "GET", "/disclosures/new?call={call}", leaves=None),
    Ask(Action.CALL_DISCLOSED, "POST", "/disclosures/new", LEAVING, leaves=Action.PROPOSAL_MADE),
    Ask(Action.CALL_DISCLOSED, "POST", f"{PREFIX}/disclosures", LEAVING, leaves=Action.PROPOSAL_MADE),
    Ask(Action.CALL_DISCLOSED, "POST", "/disclosures/{parcel}/file", also=Action.DISCLOSURES_LISTED),
    Ask(Action.CALL_DISCLOSED, "POST", f"{PREFIX}/disclosures/{{parcel}}/file", also=Action.DISCLOSURES_LISTED),
    Ask(Action.CALL_EXPORTED, "POST", "/disclosures/new", OUT, leaves=Action.PROPOSAL_MADE),
    Ask(Action.CALL_EXPORTED, "POST", f"{PREFIX}/disclosures", OUT, leaves=Action.PROPOSAL_MADE),
    Ask(Action.CALL_EXPORTED, "POST", "/disclosures/{copy}/file", also=Action.DISCLOSURES_LISTED),
    Ask(Action.CALL_EXPORTED, "POST", f"{PREFIX}/disclosures/{{copy}}/file", also=Action.DISCLOSURES_LISTED),
)
CALLER = {"kind": "access", "identity": "in-person", "name": "Kalle Kuuma", "contact": ""}
CASE, BUREAU = "/requests/{request}", f"{PREFIX}/requests/{{request}}"
ERASURE, ERASED = "/requests/{erasure}", f"{PREFIX}/requests/{{erasure}}"
ROOM = "sessions/{session}"
ANSWERING = (
    Ask(Action.REQUESTS_LISTED, "GET", "/requests"),
    Ask(Action.REQUESTS_LISTED, "GET", f"{PREFIX}/requests"),
    Ask(Action.REQUEST_HANDLED, "GET", "/requests/new", leaves=None),
    Ask(Action.REQUEST_HANDLED, "POST", "/requests/new", {**CALLER, "received": "{today}", "numbers": "{new_number}"}),
    Ask(Action.REQUEST_HANDLED, "POST", f"{PREFIX}/requests", {**CALLER, "received_at": "{today}T00:00:00Z", "numbers": ["{new_number}"]}),
    Ask(Action.REQUESTS_LISTED, "GET", CASE),
    Ask(Action.REQUESTS_LISTED, "GET", BUREAU),
    *(Ask(Action.REQUEST_HANDLED, "POST", f"{case}{path}", sent, leaves=Action.CALLS_SEARCHED) for case in (CASE, BUREAU)
      for path, sent in (("/search", {}), ("/numbers", {"number": "0451112223"}), ("/calls", {"call": "{call}"}))),
    *(Ask(Action.REQUEST_HANDLED, method, f"{case}{path}", sent) for case, method, path, sent in (
        (CASE, "GET", "/letter", {}), (CASE, "GET", "/letter.pdf", {}),
        (BUREAU, "GET", "/letter.pdf", {}),
        (CASE, "POST", "/calls/{frozen}", {"answer": "copy"}), (BUREAU, "PUT", "/calls/{frozen}", {"answer": "copy"}),
        (CASE, "POST", "/extend", {"reason": "complex"}), (BUREAU, "POST", "/extension", {"reason": "complex"}),
        (CASE, "POST", "/settle", {"outcome": "withdrawn"}), (BUREAU, "POST", "/outcome", {"outcome": "withdrawn"}))),
    Ask(Action.REQUEST_HANDLED, "POST", "/requests/{answered}/reopen"),
    Ask(Action.REQUEST_HANDLED, "DELETE", f"{PREFIX}/requests/{{answered}}/outcome"),
    Ask(Action.REQUEST_HANDLED, "POST", "/requests/{answered}/close", {"understood": "yes"}, leaves=Action.PROPOSAL_MADE, also=Action.HOLD_RELEASED),
    Ask(Action.REQUEST_HANDLED, "POST", f"{PREFIX}/requests/{{answered}}/closing", leaves=Action.PROPOSAL_MADE,
        also=Action.HOLD_RELEASED),
    Ask(Action.CALL_ERASED, "POST", f"{ERASURE}/propose-erasure", leaves=Action.PROPOSAL_MADE),
    Ask(Action.CALL_ERASED, "POST", f"{ERASED}/erasure/proposal", leaves=Action.PROPOSAL_MADE),
    Ask(Action.CALL_ERASED, "POST", "/requests/{agreed}/erase"),
    Ask(Action.CALL_ERASED, "POST", f"{PREFIX}/requests/{{agreed}}/erasure"),
    Ask(Action.LISTENING_SUPERVISED, "POST", f"{CASE}/sessions", {"minutes": "10"}),
    Ask(Action.LISTENING_SUPERVISED, "POST", f"{BUREAU}/sessions", {"minutes": 10}),
    Ask(Action.LISTENING_SUPERVISED, "GET", f"{CASE}/{ROOM}", leaves=None),
    Ask(Action.LISTENING_SUPERVISED, "POST", f"{CASE}/{ROOM}/end", leaves=None),
    Ask(Action.LISTENING_SUPERVISED, "DELETE", f"{BUREAU}/{ROOM}", leaves=None),
    Ask(Action.LISTENING_SUPERVISED, "GET", f"{CASE}/{ROOM}/holds/{{frozen_by}}/{SOUND.replace('recording}', 'frozen_sound}')}", leaves=None),
)
ONE = "/accounts/{account}"
PEOPLE = (
    Ask(Action.ACCOUNTS_LISTED, "GET", "/accounts"),
    Ask(Action.ACCOUNTS_LISTED, "GET", f"{PREFIX}/accounts"),
    Ask(Action.ACCOUNTS_LISTED, "GET", ONE),
    Ask(Action.ACCOUNTS_LISTED, "GET", PREFIX + ONE),
    Ask(Action.ACCOUNT_ADDED, "GET", "/accounts/new", leaves=None),
    Ask(Action.ACCOUNT_ADDED, "POST", "/accounts", {"login": "{login}", "name": "Uuno Uusi", "language": "fi"}),
    Ask(Action.ACCOUNT_ADDED, "POST", f"{PREFIX}/accounts", {"login": "{login}", "name": "Uuno Uusi"}),
    Ask(Action.DUTY_GRANTED, "POST", f"{ONE}/duties", {"duty": "listener"}),
    Ask(Action.DUTY_GRANTED, "PUT", f"{PREFIX}{ONE}/duties/listener"),
    Ask(Action.DUTY_GRANTED, "POST", f"{ONE}/scope", {"teams": "support"}),
    Ask(Action.DUTY_GRANTED, "PUT", f"{PREFIX}{ONE}/scope", {"teams": ["support"]}),
    Ask(Action.DUTY_REVOKED, "POST", f"{ONE}/duties/revoke", {"duty": "listener"}),
    Ask(Action.DUTY_REVOKED, "DELETE", f"{PREFIX}{ONE}/duties/listener"),
    Ask(Action.CLEARANCE_SET, "POST", f"{ONE}/clearance", {"until": "{soon}"}),
    Ask(Action.CLEARANCE_SET, "POST", f"{ONE}/clearance/remove"),
    Ask(Action.CLEARANCE_SET, "PUT", f"{PREFIX}{ONE}/clearance", {"until": "{soon}T00:00:00Z"}),
    Ask(Action.ACCOUNT_DISABLED, "POST", f"{ONE}/state", {"deed": "disable"}),
    Ask(Action.ACCOUNT_ENABLED, "POST", f"{ONE}/state", {"deed": "enable"}),
    Ask(Action.ACCOUNT_UNLOCKED, "POST", f"{ONE}/state", {"deed": "unlock"}),
    Ask(Action.ACCOUNT_DISABLED, "POST", f"{PREFIX}{ONE}/disable"),
    Ask(Action.ACCOUNT_ENABLED, "POST", f"{PREFIX}{ONE}/enable"),
    Ask(Action.ACCOUNT_UNLOCKED, "POST", f"{PREFIX}{ONE}/unlock"),
    Ask(Action.PASSWORD_SET, "POST", f"{ONE}/password"),
    Ask(Action.PASSWORD_SET, "POST", f"{PREFIX}{ONE}/password"),
    Ask(Action.CODES_SET, "POST", f"{ONE}/codes"),
    Ask(Action.CODES_SET, "POST", f"{PREFIX}{ONE}/codes"),
)
WATCHING = (
    Ask(Action.TRAIL_READ, "GET", "/trail"),
    Ask(Action.TRAIL_READ, "POST", "/trail", {"action": "signed-in"}, leaves=None),
    Ask(Action.TRAIL_READ, "POST", "/trail/csv"),
    Ask(Action.TRAIL_READ, "POST", "/trail/verify"),
    Ask(Action.TRAIL_READ, "POST", f"{PREFIX}/trail/search", {"limit": 5}),
    Ask(Action.TRAIL_READ, "GET", f"{PREFIX}/trail/head", leaves=None),
    Ask(Action.TRAIL_READ, "POST", f"{PREFIX}/trail/verify"),
    *(Ask(Action.CERTIFICATES_LISTED, method, before + path) for method, path in (
        ("GET", "/certificates"), ("GET", "/certificates/{certificate}"), ("POST", "/certificates/verify")) for before in ("", PREFIX)),
    Ask(Action.CERTIFICATES_LISTED, "GET", "/certificates/{certificate}.json"),
    Ask(Action.CERTIFICATES_LISTED, "GET", "/certificates/{certificate}.digests"),
    Ask(Action.CERTIFICATES_LISTED, "GET", f"{PREFIX}/certificates/{{certificate}}/file"),
    Ask(Action.CERTIFICATES_LISTED, "GET", f"{PREFIX}/certificates/{{certificate}}/digests"),
    Ask(Action.HEALTH_VIEWED, "GET", "/health"),
    Ask(Action.HEALTH_VIEWED, "POST", "/health/notice"),
    Ask(Action.HEALTH_VIEWED, "GET", f"{PREFIX}/health"),
    Ask(Action.HEALTH_VIEWED, "POST", f"{PREFIX}/health/notice"),
)
ASKS: tuple[Ask, ...] = (*LISTENING, *HOLDING, *AGREEING, *LEAVES, *ANSWERING, *PEOPLE, *WATCHING)
