"""What the doctor asks the exchange, and how it hears its own events: the headers that nobody else needs.

Sources: Asterisk 22 ``main/manager.c`` (ListCommands, Getvar without a channel), ``main/pbx.c`` (ShowDialPlan).
"""

from ami_bridge.asterisk.actions import Action
from ami_bridge.asterisk.translate import OUR_EVENT, field, headers, is_ours

TRIAL = "doctor"
"""The state of the user events of the doctor's test call, and of the one by which it sees whether it hears any."""


def trial(token: str, step: str) -> Action:
    """Return how the doctor raises a user event of its own, to see whether it comes back."""
    return Action("UserEvent", {"UserEvent": OUR_EVENT, "State": TRIAL, "Token": token, "Step": step})


def tried(raw: bytes, token: str) -> dict[str, str]:
    """Return the headers of one of the doctor's user events; empty when the message is something else."""
    ours = is_ours(raw) and field(raw, b"State") == TRIAL and field(raw, b"Token") == token
    return headers(raw) if ours else {}


def global_variable(name: str) -> Action:
    """Return how a global variable of the dialplan is asked for; its value is in ``value_of`` the answer."""
    return Action("Getvar", {"Variable": name})


def dialplan_of(context: str) -> Action:
    """Return how a context of the dialplan is asked for: refused when Asterisk has not loaded it (``main/pbx.c``)."""
    return Action("ShowDialPlan", {"Context": context})


ACTIONS_PERMITTED = Action("ListCommands", {})
"""How the actions are asked for that our user may send: name -> description and classes, as headers of the answer."""

SETTINGS = Action("CoreSettings", {})
