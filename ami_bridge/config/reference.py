"""The table of settings for ``docs/reference.md``, made from the model so that it cannot lag behind."""

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ami_bridge.config.model import Config, RouteRule

HEADER = "| key | default | meaning |\n|---|---|---|\n"


def reference() -> str:
    """Return every section and key as Markdown, in the order of the model."""
    parts = []
    for name, field in Config.model_fields.items():
        model: Any = RouteRule if name == "route" else field.annotation
        title = f"[[{name}]]" if name == "route" else f"[{field.alias or name}]"
        parts.append(f"### `{title}`\n\n{_summary(model)}\n\n{HEADER}{_rows(model)}")
    return "\n".join(parts)


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip()


def _rows(model: type[BaseModel]) -> str:
    return "".join(f"| `{key}` | {_default(field)} | {field.description} |\n"
                   for key, field in model.model_fields.items())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value == ():
        return "not set"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{part}"' for part in value) + "]`"
    if isinstance(value, bool | int):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`'
