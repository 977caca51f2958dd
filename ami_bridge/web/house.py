"""What a console works with from its start to its end, and how it makes pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ami_bridge import __version__
from ami_bridge.app import now, vault_of
from ami_bridge.config import Config
from ami_bridge.core.accounts import Language
from ami_bridge.core.errors import Busy
from ami_bridge.register import Register
from ami_bridge.services.health_reading import Examine, Examined
from ami_bridge.services.proving import RefusedTries
from ami_bridge.vault import Vault
from ami_bridge.web.door import Door
from ami_bridge.web.filters import filters
from ami_bridge.web.sessions import Sessions
from ami_bridge.web.words import Words

TEMPLATES, STATIC = Path(__file__).parent / "templates", Path(__file__).parent / "static"


@dataclass
class House:
    """One console. Its register and its vault serve all threads.

    ``examine``: the self-check of the notice; ``examined``: what it last found.

    ``long_work``: what is held by whoever has something looked at that takes long, one at a time.
    """

    config: Config
    register: Register
    examine: Examine
    now: Callable[[], datetime] = now
    door: Door = field(default_factory=Door)
    tries: RefusedTries = field(default_factory=RefusedTries)
    vault: Vault = field(init=False)
    long_work: Lock = field(default_factory=Lock)
    examined: Examined | None = None
    sessions: Sessions = field(init=False)
    templates: Environment = field(init=False)

    def __post_init__(self) -> None:
        console = self.config.console
        self.vault = vault_of(self.config)
        self.sessions = Sessions(timedelta(minutes=console.idle_minutes), timedelta(hours=console.longest_hours), self.now)
        self.templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)
        self.templates.filters |= filters(self.config.controller.zone)
        self.templates.globals |= {"version": __version__, "controller": self.config.controller, "mistake": None}

    @property
    def language(self) -> Language:
        """Return the language for somebody whose browser names none of ours: the first of the notice's that is."""
        return next((Language(one) for one in self.config.notice.languages if one in set(Language)), Language.ENGLISH)

    def purpose(self, name: str, language: Language) -> str:
        """Return the words of the privacy notice for a configured purpose; empty where it has none."""
        purposes = self.config.purposes
        return dict(zip(purposes.names, purposes.said(language), strict=False)).get(name, "")

    def render(self, template: str, words: Words, **values: Any) -> str:
        """Return a page. Everything that is put into it is escaped."""
        return self.templates.get_template(template).render(t=words, **values)


@contextmanager
def alone(house: House) -> Iterator[None]:
    """Do what takes long while nobody else has such a thing done; Busy otherwise."""
    if not house.long_work.acquire(blocking=False):
        raise Busy("something else that takes long is being looked at just now", "Try again in a minute.")
    try:
        yield
    finally:
        house.long_work.release()
