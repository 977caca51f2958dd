"""The notice policy as JSON: compiled from the configuration for scripts that run as a process of their own."""

import json
from dataclasses import asdict
from typing import Any

from ami_bridge.core.errors import SpoolError
from ami_bridge.core.notice import Choice, OnFailure, Policy, Prompt, Route
from ami_bridge.core.parties import Direction

FORMAT = 4
HINT = "Run `ami-bridge notice publish`, or restart the daemon."
_TEXTS = ("directions", "contexts", "dids", "queues", "languages")


def policy_to_json(policy: Policy) -> str:
    """Return the policy as one JSON object."""
    return json.dumps({"format": FORMAT, **asdict(policy)}, ensure_ascii=False, indent=1) + "\n"


def policy_from_json(text: str) -> Policy:
    """Return the policy in ``text``; SpoolError when it is torn, of another format or not exactly as written."""
    try:
        fields = json.loads(text)
        if fields["format"] != FORMAT:
            raise SpoolError("the notice policy has a format this version does not know", HINT)
        return _policy(fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SpoolError(f"the notice policy is damaged ({type(error).__name__})", HINT) from None


def _policy(fields: dict[str, Any]) -> Policy:
    if set(fields) != {"format", "exchange", "days", "floor", "routes", "prompts"}:
        raise ValueError("the policy has other keys")
    return Policy(exchange=_text(fields["exchange"]), days=_number(fields["days"]), floor=_number(fields["floor"]),
                  routes=tuple(map(_route, fields["routes"])), prompts=tuple(map(_prompt, fields["prompts"])))


def _route(fields: dict[str, Any]) -> Route:
    lists = {key: tuple(map(_text, fields[key])) for key in _TEXTS}
    directions = tuple(map(Direction, lists.pop("directions")))
    for key in ("record", "on_demand", "stereo"):
        if not isinstance(fields[key], bool):
            raise TypeError(f"{key} is no truth value")
    return Route(**fields | lists | {
        "name": _text(fields["name"]), "days": _number(fields["days"]), "notice": _text(fields["notice"]),
        "directions": directions, "on_failure": OnFailure(fields["on_failure"]), "choice": Choice(fields["choice"]),
        "choice_key": _text(fields["choice_key"]), "choice_seconds": _number(fields["choice_seconds"]),
    })


def _prompt(fields: dict[str, Any]) -> Prompt:
    for key in ("version", "samples"):
        _number(fields[key])
    for key in ("name", "language", "file", "sha256"):
        _text(fields[key])
    return Prompt(**fields)


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value
