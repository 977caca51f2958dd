"""What the exchange is asked to do, and how it answers: AMI header names out. They are known here and in ``translate``.

Sources (Asterisk 22): ``main/manager.c`` (Login, Getvar, Setvar, UserEvent, PlayDTMF), ``apps/app_mixmonitor.c``.
"""

from typing import NamedTuple

from ami_bridge.asterisk.translate import ASK, OUR_EVENT, field, is_ours
from ami_bridge.core.signs import Wish

PERMISSION = "Permission denied"
"""What Asterisk says when our user may not do something (``main/manager.c``)."""

AGAIN_KEY = "D"
"""The key of our feature ``ami-bridge-again`` (``dialplan/features_ami_bridge.conf``). No telephone has it."""


def login(username: str, secret: str, classes: str) -> dict[str, str]:
    """Return the headers of a Login action."""
    return {"Username": username, "Secret": secret, "Events": classes}


class Outcome(NamedTuple):
    """How an action went: whether Asterisk did it, and in its own words."""

    success: bool
    message: str


def outcome(answer: dict[str, str]) -> Outcome:
    """Return how an action went, from the first message of its answer."""
    return Outcome(answer.get("Response", "") in ("Success", "Goodbye"), answer.get("Message", ""))


class Action(NamedTuple):
    """What the exchange is asked to do."""

    name: str
    headers: dict[str, str]


def mute(channel: str, monitor: str, on: bool) -> Action:
    """Return how a recording is muted, or heard again (``apps/app_mixmonitor.c``, manager_mute_mixmonitor).

    ``monitor``: which MixMonitor; Asterisk 16 does not know this header and mutes the first of the channel.
    """
    state = "1" if on else "0"
    return Action("MixMonitorMute", {"Channel": channel, "Direction": "both", "State": state, "MixMonitorID": monitor})


def stop(channel: str, monitor: str) -> Action:
    """Return how one MixMonitor of a channel is stopped (``apps/app_mixmonitor.c``, manager_stop_mixmonitor)."""
    return Action("StopMixMonitor", {"Channel": channel, "MixMonitorID": monitor})


def variable(channel: str, name: str) -> Action:
    """Return how a channel variable is asked for; its value is in ``value_of`` the answer."""
    return Action("Getvar", {"Channel": channel, "Variable": name})


def value_of(answer: dict[str, str]) -> str:
    """Return the value of a channel variable that was asked for."""
    return answer.get("Value", "")


def set_variable(channel: str, name: str, value: str) -> Action:
    """Return how a channel variable is set."""
    return Action("Setvar", {"Channel": channel, "Variable": name, "Value": value})


def press_again(channel: str) -> Action:
    """Return how our feature is run on a channel in a bridge: as if its party had pressed the key."""
    return Action("PlayDTMF", {"Channel": channel, "Digit": AGAIN_KEY, "Receive": "1"})


def ask(wish: Wish, token: str, *, call: str = "", interface: str = "", seconds: int = 0, by: str = "") -> Action:
    """Return how anybody with the class ``user`` asks us for silence: what ``translate`` gives back as ``Asked``."""
    return Action("UserEvent", {"UserEvent": OUR_EVENT, "State": ASK, "Wish": str(wish), "Token": token, "Call": call,
                                "Interface": interface, "Seconds": str(seconds), "By": by})


def answer(token: str, word: str) -> Action:
    """Return how we answer such a question."""
    return Action("UserEvent", {"UserEvent": OUR_EVENT, "State": "answer", "Token": token, "Word": word})


def answered(raw: bytes, token: str) -> str:
    """Return the word of our answer to a question; empty when the message is something else."""
    ours = is_ours(raw) and field(raw, b"State") == "answer" and field(raw, b"Token") == token
    return field(raw, b"Word") if ours else ""
