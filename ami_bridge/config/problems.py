"""Validation errors in plain words: which key, what is allowed, what stood there (never a secret)."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from ami_bridge.config.model import Config, RouteRule

NEVER_SHOWN = frozenset({"secret", "secret_file", "url"})
LONGEST_SHOWN = 60

_ALLOWED = {
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "tuple_type": "must be text in quotes or a list of such",
    "path_type": "must be a path in quotes",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must not be empty",
    "enum": "must be {expected}",
    "model_type": "must be a section in square brackets",
    "model_attributes_type": "must be a section in square brackets",
    "value_error": "{error}",
}


def sentences(error: ValidationError, values: Mapping[str, Any], variables: set[str]) -> list[str]:
    """Return one sentence for each thing wrong in ``values``; ``variables`` are the environment's, to name as source."""
    return [_sentence(problem, values, variables) for problem in error.errors(include_url=False)]


def _sentence(problem: Any, values: Mapping[str, Any], variables: set[str]) -> str:
    place = tuple(problem["loc"])
    said = _said(problem, place)
    return " ".join(part for part in (_name(place, values, variables), said + _shown(problem, place)) if part)


def _said(problem: Any, place: tuple[int | str, ...]) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        return "is not a setting" + _meant(place)
    if kind == "missing":
        return "is missing" + (" (or give secret_file)" if place[-1] == "secret" else "")
    return _ALLOWED.get(kind, "is not allowed").format(**problem.get("ctx", {}))


def _name(place: tuple[int | str, ...], values: Mapping[str, Any], variables: set[str]) -> str:
    if not place:
        return ""
    if place[0] == "route":
        return _route_name(place, values)
    key = f" {place[1]}" if len(place) > 1 else ""
    variable = "AMI_BRIDGE__" + "__".join(str(part).upper() for part in place[:2])
    return f"[{place[0]}]{key}" + (f" (from {variable})" if variable in variables else "")


def _route_name(place: tuple[int | str, ...], values: Mapping[str, Any]) -> str:
    if len(place) == 1 or not isinstance(place[1], int):
        return "[[route]]"
    rule = values["route"][place[1]]
    name = rule.get("name") if isinstance(rule, dict) else None
    called = name if isinstance(name, str) and len(name) <= LONGEST_SHOWN else f"number {place[1] + 1}"
    return f"[[route]] {called}" + (f", {place[2]}" if len(place) > 2 else "")


def _shown(problem: Any, place: tuple[int | str, ...]) -> str:
    value = problem["input"]
    secret = NEVER_SHOWN.intersection(str(part) for part in place)
    if secret or problem["type"] in ("extra_forbidden", "missing") or not isinstance(value, str | int | float):
        return ""
    shown = repr(value) if isinstance(value, str) else str(value).lower()
    return f", not {shown}" if len(shown) <= LONGEST_SHOWN else ""


def _meant(place: tuple[int | str, ...]) -> str:
    known = _known(place)
    close = get_close_matches(str(place[-1]), known, n=1)
    return f"; perhaps {close[0]} is meant" if close else f"; known are {', '.join(known)}"


def _known(place: tuple[int | str, ...]) -> list[str]:
    model: Any = Config
    if len(place) > 1:
        sections = {field.alias or name: field.annotation for name, field in Config.model_fields.items()}
        model = RouteRule if place[0] == "route" else sections[str(place[0])]
    if not issubclass(model, BaseModel):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
