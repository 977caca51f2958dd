"""What verbs have in common: the option ``--config`` and the loading of it."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ami_bridge.config import Config, load, where


def config_file(given: Path | None) -> Path:
    """Return the configuration file: given with the verb, else before it, else by environment or default."""
    return where(given or click.get_current_context().find_root().params.get("config"))


def with_file(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb ``--config`` and, as first argument, the path that follows from it."""

    @click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
    @wraps(verb)
    def wrapped(config: Path | None, **options: Any) -> None:
        verb(config_file(config), **options)

    return wrapped


def configured(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb ``--config`` and, as first argument, the loaded configuration."""

    @with_file
    @wraps(verb)
    def wrapped(file: Path, /, **options: Any) -> None:
        config: Config = load(file)
        verb(config, **options)

    return wrapped
