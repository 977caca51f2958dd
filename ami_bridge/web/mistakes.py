"""What is said of somebody's mistake: the words of their language, and the English of the error where it has no word."""

from typing import NamedTuple

from ami_bridge.core.accounts import Language
from ami_bridge.core.errors import AmiBridgeError
from ami_bridge.web.words import Words


class Mistake(NamedTuple):
    """A mistake as a page says it: the text, the language of that, and the word for it, where it has one."""

    text: str
    language: Language
    word: str = ""


def mistake_of(error: AmiBridgeError, words: Words) -> Mistake:
    """Return what is said of an error. Nothing here is safe as markup."""
    if error.mistake:
        return Mistake(words(f"mistakes.{error.mistake}"), words.language, error.mistake)
    return Mistake(str(error), Language.ENGLISH)


def said(key: str, words: Words) -> Mistake:
    """Return what a page has words of its own for."""
    return Mistake(words(key), words.language)
