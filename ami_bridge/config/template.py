"""A new configuration file: every setting with its explanation, the defaults commented out."""

import tomllib
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from pydantic import BaseModel

from ami_bridge.config.model import Config

WIDTH = 110
TOP = """\
# The configuration of ami-bridge. Lines that begin with # show the defaults.
# It holds secrets: keep it readable by ami-bridge only.
"""
ROUTES = """
# Which calls are recorded: the first route that matches decides, a call that none matches is not recorded.
# A route may ask for direction, context, did and queue; docs/reference.md explains all keys.

[[route]]
name = "inbound"
direction = "inbound"
notice = "recorded"
on_failure = "fallback-record"

[[route]]
name = "outbound"
direction = "outbound"
notice = "recorded"
on_failure = "fallback-record"

# [[route]]
# name = "internal"
# direction = "internal"
# notice = "recorded"
"""


def template(values: Mapping[str, Mapping[str, str | int]]) -> str:
    """Return the text of a new file in which ``values`` (section -> key -> text or number) are set."""
    parts = [TOP]
    for name, field in Config.model_fields.items():
        model: Any = field.annotation
        if name != "route":
            section = field.alias or name
            parts.append(_section(section, model, values.get(section, {})))
    text = "\n".join(parts) + ROUTES
    tomllib.loads(text)
    return text


def _section(section: str, model: type[BaseModel], values: Mapping[str, str | int]) -> str:
    lines = [f"[{section}]"]
    for key, field in model.model_fields.items():
        lines += [f"# {line}" for line in wrap(field.description or "", WIDTH)]
        if key in values:
            lines.append(f"{key} = {_toml(values[key])}")
        elif field.default is not None:
            lines.append(f"# {key} = {_toml(field.default)}")
        else:
            lines.append(f"# {key} =")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool | int) else f'"{value}"'
