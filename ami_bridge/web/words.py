"""What the console says, in three languages. One file an area in ``words/``: each key with its three texts side by side."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ami_bridge.core.accounts import Language

FOLDER = Path(__file__).parent / "words"


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
    """Return the first language of an ``Accept-Language`` header that the console speaks (RFC 9110, section 12.5.4)."""
    for part in accepted.split(","):
        word = part.partition(";")[0].strip().lower()[:2]
        if word in set(Language):
            return Language(word)
    return otherwise
