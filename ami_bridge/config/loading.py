"""From a file and the environment to a ``Config``, or to one error that says what to correct."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ami_bridge.config.model import Config
from ami_bridge.config.problems import sentences
from ami_bridge.config.renamed import CHANGES, Told, brought_up_to_date, line_of, told, told_variable
from ami_bridge.core.errors import ConfigurationError

DEFAULT_PATH = Path("/etc/ami-bridge/ami-bridge.toml")
PATH_VARIABLE = "AMI_BRIDGE_CONFIG"
PREFIX = "AMI_BRIDGE__"
_HINT = "docs/reference.md lists every setting"


def where(path: Path | None = None) -> Path:
    """Return the configuration file to use: the given one, else ``AMI_BRIDGE_CONFIG``, else the default."""
    return path or Path(os.environ.get(PATH_VARIABLE) or DEFAULT_PATH)


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration of a file, each key overruled by ``AMI_BRIDGE__SECTION__KEY`` where that is set.

    Raises ConfigurationError that names the file, each wrong key and what is allowed; it never shows a secret.
    """
    file = where(path)
    environ = os.environ if environ is None else environ
    found, old = _renamed(file)
    refused = [told.sentence for told in old if told.refused]
    if refused:
        raise ConfigurationError(f"the configuration {file} is of an earlier version: {_listed(refused)}", _HINT)
    values = merged(found, from_environment(environ))
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        problems = sentences(error, values, {name for name in environ if name.startswith(PREFIX)})
        raise ConfigurationError(f"the configuration {file} cannot be used: {_listed(problems)}", _HINT) from None


def outdated(path: Path | None = None) -> list[str]:
    """Return a sentence for each old name of a setting in the file that still works: which line, and what to write there."""
    return [told.sentence for told in _renamed(where(path))[1] if not told.refused]


def _renamed(file: Path) -> tuple[dict[str, Any], list[Told]]:
    found, old = brought_up_to_date(read(file))
    text = file.read_text("utf-8") if old else ""
    return found, [told(key, change, refused, line_of(text, key)) for key, change, refused in old]


def _listed(problems: list[str]) -> str:
    return problems[0] if len(problems) == 1 else "".join(f"\n  {problem}" for problem in problems)


def read(file: Path) -> dict[str, Any]:
    """Return the file's content; ConfigurationError when it cannot be read or is not TOML."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no configuration file {file}",
                                 "Make one with 'ami-bridge init', or name another with --config") from None
    except OSError as error:
        raise ConfigurationError(f"the configuration file {file} cannot be read ({error.strerror})",
                                 "Check the path and who may read it") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"the configuration file {file} is not UTF-8 text", "Save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the configuration file {file} is not TOML: {error}", "Correct that line") from None


def from_environment(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return section -> key -> value of the variables ``AMI_BRIDGE__SECTION__KEY``; ConfigurationError on a strange one."""
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        change = CHANGES.get((section, key))
        if change:
            raise ConfigurationError(told_variable(name, change))
        if key not in _keys(section):
            raise ConfigurationError(f"the environment variable {name} names no setting", _HINT)
        found.setdefault(section, {})[key] = _typed(_keys(section)[key], environ[name])
    return found


def merged(file: dict[str, Any], environment: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the file's values with those of the environment laid over them."""
    result = dict(file)
    for section, values in environment.items():
        below = result.get(section, {})
        result[section] = below | values if isinstance(below, dict) else below
    return result


def _keys(section: str) -> dict[str, Any]:
    for name, field in Config.model_fields.items():
        kind = field.annotation
        if (field.alias or name) == section and isinstance(kind, type) and issubclass(kind, BaseModel):
            return {key: inner.annotation for key, inner in kind.model_fields.items()}
    return {}


def _typed(kind: Any, text: str) -> Any:
    """Take the text of a variable for a TOML value where the setting is a number, a truth or a list."""
    if kind is int or getattr(kind, "__origin__", None) is tuple:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text
