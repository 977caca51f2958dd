"""What the console says, in three languages. One file an area in ``words/``: each key with its three texts side by side."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from operator import itemgetter
from pathlib import Path

from ami_bridge.core.accounts import Language

FOLDER = Path(__file__).parent / "words"
RANGE = re.compile(r"\s*([a-z]{1,8})(?:-[a-z0-9-]*)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII | re.IGNORECASE)
"""One language of the header: its first subtag, and how much it is wanted, from 0 (not at all) to 1 (without a word)."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every text: ``area.key`` -> language -> text."""
    found: dict[str, Mapping[str, str]] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        for key, texts in tomllib.loads(file.read_text("utf-8")).items():
            found[f"{file.stem}.{key}"] = texts
    return found


class Words:
    """The texts in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **values: object) -> str:
        """Return a text with ``values`` put in; KeyError for a key that no file has. It is escaped where it is shown."""
        return catalogue()[key][self.language].format(**values)

    def of(self, area: str, word: str) -> str:
        """Return the text for a word of ours (a state, a duty, a reason); the word itself where there is none."""
        return catalogue().get(f"{area}.{word}", {}).get(self.language, word)


def language_of(accepted: str, otherwise: Language) -> Language:
    """Return the language of an ``Accept-Language`` header that is wanted most among ours (RFC 9110, section 12.5.4)."""
    asked = [(float(found[2] or 1), found[1].lower()) for found in map(RANGE.fullmatch, accepted.split(",")) if found]
    ours = [(weight, name) for weight, name in asked if weight and name in set(Language)]
    return Language(max(ours, key=itemgetter(0))[1]) if ours else otherwise
