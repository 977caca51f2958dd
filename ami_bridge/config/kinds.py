"""The kinds of values that a setting may have. Many end up in a generated dialplan, so their characters are few."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from ami_bridge.core.notice import Choice, HoldPolicy, OnFailure
from ami_bridge.core.parties import Direction


def matching(pattern: str, allowed: str) -> Callable[[str], str]:
    """Return a check that a whole text fits ``pattern``; ``allowed`` says in words what may stand there."""
    fits = re.compile(pattern)

    def check(text: str) -> str:
        if not fits.fullmatch(text):
            raise ValueError(f"must be {allowed}")
        return text

    return check


def several(value: Any) -> Any:
    """Take one text for a list of one; a list for a tuple."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def known_zone(name: str) -> str:
    """Refuse a time zone that this machine does not know."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone that this machine knows, as Europe/Helsinki or UTC") from None
    return name


def plain_path(path: Path) -> Path:
    """Refuse what could not stand in a dialplan or would depend on where the command was started."""
    if not re.fullmatch(r"/[A-Za-z0-9_./-]+", str(path)) or ".." in path.parts:
        raise ValueError("must be a full path from /, of letters, digits and _ . - only, without ..")
    return path


def printable_secret(secret: SecretStr) -> SecretStr:
    """Refuse characters that would end a line, or begin a comment, in manager.conf."""
    if not re.fullmatch(r"[!-:<-~]+", secret.get_secret_value()):
        raise ValueError("must be visible ASCII characters without space and semicolon")
    return secret


def dialplan_secret(secret: SecretStr) -> SecretStr:
    """Refuse a secret that is guessable, or that the dialplan would take for something else."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,128}", secret.get_secret_value()):
        raise ValueError("must be 16 to 128 letters, digits, _ and -")
    return secret


def one_line(text: str) -> str:
    """Refuse what is no single line of reasonable length; spaces around it do not count."""
    if not text.strip().isprintable() or len(text) > LONGEST_WORDS:
        raise ValueError(f"must be one line of at most {LONGEST_WORDS} characters")
    return text.strip()


def said(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list in which a text is empty."""
    if not all(texts):
        raise ValueError("must not have an empty text in it")
    return texts


LONGEST_WORDS = 500
_NUMBER = matching(r"(?!\*$)[0-9A-Za-z+*#_.-]{1,80}",
                   "digits, letters and + * # _ . - (an ending * stands for any ending; leave did out to match all)")

Port = Annotated[int, Field(ge=1, le=65535)]
Host = Annotated[str, AfterValidator(matching(r"[A-Za-z0-9.-]{1,253}", "an address or a host name"))]
Address = Annotated[str, AfterValidator(matching(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}", "an address or a host name"))]
"""Where something of ours listens: of IPv6 too."""

ExchangeName = Annotated[str, AfterValidator(matching(r"[A-Za-z0-9_.-]{1,64}", "letters, digits and _ . - only"))]
UserName = Annotated[str, AfterValidator(matching(r"[A-Za-z0-9_.-]{1,64}", "letters, digits and _ . - only"))]
Zone = Annotated[str, AfterValidator(known_zone)]
PlainPath = Annotated[Path, Field(strict=False), AfterValidator(plain_path)]
OptionalPath = Annotated[PlainPath | None, BeforeValidator(lambda value: None if value == "" else value)]
"""A path, or the empty text for none: TOML has no word for nothing."""

AmiSecret = Annotated[SecretStr, AfterValidator(printable_secret)]
AgiSecret = Annotated[SecretStr, AfterValidator(dialplan_secret)]
Url = Annotated[str, AfterValidator(matching(r"(sqlite:///|postgresql(\+psycopg)?://).+",
                                             "an address that begins with sqlite:/// or postgresql://"))]
Language = Annotated[str, AfterValidator(matching(r"[a-z]{2,3}", "a language code of two or three small letters"))]
PromptName = Annotated[str, AfterValidator(matching(r"(?!.*-v[0-9]+$)[a-z0-9-]{1,40}",
                                                    "small letters, digits and -, without an ending like -v2"))]
NoticeName = Annotated[str, AfterValidator(matching(r"(?!.*-v[0-9]+$)[a-z0-9-]{0,40}",
                                                    "the name of a prompt: small letters, digits and -"))]
RouteName = Annotated[str, AfterValidator(matching(r"[a-z0-9-]{1,40}", "small letters, digits and - only"))]
Context = Annotated[str, AfterValidator(matching(r"[A-Za-z0-9_.-]{1,79}", "letters, digits and _ . - only"))]
Number = Annotated[str, AfterValidator(_NUMBER)]

Words = Annotated[str, AfterValidator(one_line)]
"""Text for people, in the privacy notice."""

WordList = Annotated[tuple[Words, ...], BeforeValidator(several), AfterValidator(said)]
PurposeName = Annotated[str, AfterValidator(matching(r"[a-z0-9-]{1,40}", "small letters, digits and - only"))]
PurposeNames = Annotated[tuple[PurposeName, ...], BeforeValidator(several)]
Endpoint = Annotated[str, AfterValidator(matching(r"[A-Za-z0-9.:/-]{1,253}", "a host name, an address or a network"))]
HostNames = Annotated[tuple[Host, ...], BeforeValidator(several)]
Endpoints = Annotated[tuple[Endpoint, ...], BeforeValidator(several)]
Languages = Annotated[tuple[Language, ...], BeforeValidator(several)]
Contexts = Annotated[tuple[Context, ...], BeforeValidator(several)]
Numbers = Annotated[tuple[Number, ...], BeforeValidator(several)]
Directions = Annotated[tuple[Annotated[Direction, Field(strict=False)], ...], BeforeValidator(several)]
Failure = Annotated[OnFailure, Field(strict=False)]
Holding = Annotated[HoldPolicy, Field(strict=False)]
PartyChoice = Annotated[Choice, Field(strict=False)]
Key = Annotated[str, AfterValidator(matching(r"[0-9*#]", "one of 0-9, * and #"))]
