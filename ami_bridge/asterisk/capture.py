"""Streams of a real Asterisk as test fixtures, without the people in them.

A fixture file is one comment line, then raw AMI messages as they came. Numbers and names are replaced before anything
touches the disk; the same one gets the same replacement everywhere in a file.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ami_bridge.asterisk.ami import AmiLink, AmiSettings
from ami_bridge.asterisk.translate import (
    CLOCK_HEADER,
    DEVICE_ENDINGS,
    DIALLED_HEADERS,
    EVENT,
    ID_ENDINGS,
    MEASURED_HEADERS,
    MESSAGE_END,
    NAME_ENDINGS,
    NUMBER_ENDINGS,
    VERBATIM_HEADERS,
    action_id,
    unescape,
    version,
)
from ami_bridge.core.errors import AmiBridgeError, AuthenticationRefused

SHORTEST = 3
"""Digits of a number, characters of a name, from which they can tell who somebody is."""

_DIGITS = re.compile(r"[0-9]{3,}")
_DEVICE = re.compile(r"(?:[A-Z][A-Za-z0-9]+)/([^@/;]*[A-Za-z][^@/;]*)-[0-9a-f]+$")
_NAME_STEMS = ("Name", "Person", "Somebody", "X", "Ω")


class _Everything:
    def __contains__(self, name: object) -> bool:
        return True


async def capture(settings: AmiSettings, path: Path, seconds: float | None) -> int:
    """Record what the exchange sends for ``seconds`` (None: until cancelled) into ``path``; return the messages kept.

    Raises AuthenticationRefused when the login is refused; nothing is written then.
    """
    messages: list[bytes] = []
    refused: asyncio.Future[AmiBridgeError] = asyncio.get_running_loop().create_future()

    def alarmed(error: AmiBridgeError) -> None:
        if isinstance(error, AuthenticationRefused) and not refused.done():
            refused.set_result(error)

    link = AmiLink(settings, messages.extend, _nothing, _nothing, alarmed, wanted=_Everything())
    running = asyncio.create_task(link.run())
    build = asyncio.create_task(_version(link))
    ends: set[asyncio.Future[Any]] = {refused, running}
    try:
        await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        running.cancel()
        build.cancel()
        _, said = await asyncio.gather(running, build, return_exceptions=True)
        kept = anonymise([one for one in messages if one.startswith(EVENT) and not action_id(one)])
        if link.logins:
            path.write_bytes(_comment(said) + b"".join(message + MESSAGE_END for message in kept))
    if refused.done():
        raise refused.result()
    return len(kept)


def _nothing(_: object) -> None: ...


async def _version(link: AmiLink) -> str:
    while link.logins == 0:
        await asyncio.sleep(0.01)
    return version(await link.action("CoreSettings"))


def _comment(said: object) -> bytes:
    build = said if isinstance(said, str) else "of unknown version"
    return f"# Asterisk {build}, captured {datetime.now(UTC):%Y-%m-%d}, numbers and names replaced\n".encode()


def replay(path: Path) -> list[bytes]:
    """Return the raw messages in a fixture file, without their ends."""
    _, _, stream = path.read_bytes().partition(b"\n")
    return [message for message in stream.split(MESSAGE_END) if message]


def anonymise(messages: list[bytes]) -> list[bytes]:
    """Return the messages with other people in them: numbers keep length, ``+`` and leading zero; names become "Name 1"...

    Every run of three or more digits is taken for a number, but for times, counts and ids that are nobody's number; what
    a name header holds is a name, wherever else it stands. A key pressed becomes 1.
    """
    texts = [message.decode("utf-8", "surrogateescape") for message in messages]
    names, numbers = _names(texts), _numbers(texts)
    fakes = _fake_names(names, numbers) | _fake_numbers(numbers)
    longest_first = sorted((name for name in names if len(name) >= SHORTEST), key=len, reverse=True)
    found = re.compile("|".join([*map(re.escape, longest_first), _DIGITS.pattern]))
    return [_rewritten(text, found, fakes).encode("utf-8", "surrogateescape") for text in texts]


def _rewritten(text: str, found: re.Pattern[str], fakes: dict[str, str]) -> str:
    return "\r\n".join(f"{name}{colon}{_value(name, value, found, fakes)}" for name, colon, value in _lines(text))


def _value(name: str, value: str, found: re.Pattern[str], fakes: dict[str, str]) -> str:
    if name in VERBATIM_HEADERS:
        return value
    if name in DIALLED_HEADERS:
        return "1"
    if name.endswith(NAME_ENDINGS) and _is_name(value):
        return fakes[value]
    return found.sub(lambda match: fakes.get(match[0], match[0]), value)


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition(": ") if ": " in line else ("", "", line) for line in text.split("\r\n"))


def _values(texts: Iterable[str], endings: tuple[str, ...]) -> Iterator[str]:
    return (value for text in texts for name, _, value in _lines(text) if name.endswith(endings))


def _is_name(value: str) -> bool:
    return value not in ("", "<unknown>") and not _DIGITS.fullmatch(value)


def _names(texts: list[str]) -> dict[str, None]:
    """Return every person's and device's name, as written and without its escapes, in order."""
    people = [value for value in _values(texts, NAME_ENDINGS) if _is_name(value)]
    devices = [found[1] for value in _values(texts, DEVICE_ENDINGS) if (found := _DEVICE.match(value))]
    spellings = [spelling for name in people + devices for spelling in (unescape(name), name)]
    return dict.fromkeys(spellings)


def _numbers(texts: list[str]) -> dict[str, None]:
    """Return every run of digits that may be a number. One that is also an id's counts only in a number header."""
    people = _runs(_values(texts, NUMBER_ENDINGS))
    ids = _runs(_values(texts, (*ID_ENDINGS, CLOCK_HEADER)))
    others = _runs(value for text in texts for name, _, value in _lines(text)
                   if name not in MEASURED_HEADERS | VERBATIM_HEADERS and not name.endswith(ID_ENDINGS))
    return people | {run: None for run in others if run not in ids}


def _runs(values: Iterable[str]) -> dict[str, None]:
    return dict.fromkeys(run for value in values for run in _DIGITS.findall(value))


def _fake_names(names: Iterable[str], numbers: Iterable[str]) -> dict[str, str]:
    taken = [text for text in (*names, *numbers) if len(text) >= SHORTEST]
    free = (f"{stem} {n}" for stem in _NAME_STEMS for n in range(1, 100_000)
            if not any(text in f"{stem} {n}" for text in taken))
    fakes: dict[str, str] = {}
    for name in names:
        fakes[name] = fakes.get(unescape(name)) or next(free)
    return fakes


def _fake_numbers(numbers: Iterable[str]) -> dict[str, str]:
    """Return a free number of the same length and first zero for each; where all are taken, crosses."""
    taken = set(numbers)
    fakes: dict[str, str] = {}
    for number in numbers:
        zero = "0" if number.startswith("0") else ""
        size = len(number) - len(zero)
        free = (zero + str(n) for n in range(10 ** (size - 1), 10**size))
        fakes[number] = next((fake for fake in free if fake not in taken), "x" * len(number))
        taken.add(fakes[number])
    return fakes
