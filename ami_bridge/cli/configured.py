"""What verbs have in common: the option ``--config``, the loading of it, and whom they work as."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ami_bridge.config import Config, load, where
from ami_bridge.services.system_user import owner_of, working_as


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


def as_owner(verb: Callable[..., None]) -> Callable[..., None]:
    """Have a configured verb, run by root, make files as whoever owns the vault: the daemon must be able to use them."""

    @wraps(verb)
    def wrapped(config: Config, /, **options: Any) -> None:
        with owners_rights(config):
            verb(config, **options)

    return wrapped


def owners_rights(config: Config) -> AbstractContextManager[None]:
    """Return what lends root the rights of the vault's owner, where that is another user; else nothing."""
    owner = owner_of(config.vault.directory) if os.geteuid() == 0 else None
    return working_as(owner) if owner and owner != "root" else nullcontext()
