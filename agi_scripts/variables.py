"""Every channel variable that dialplan and scripts share, named once, and how the scripts ask for them.

All values are read in one AGI command, each in Base64, so that nothing a caller put into a number can be taken for a
part of the conversation (facts 67-69).
"""

import binascii
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from ami_bridge.core.agi import Command, command
from ami_bridge.core.errors import AgiSyntaxError
from ami_bridge.core.parties import Direction, shown_number
from ami_bridge.core.text import clean

VERDICT = "REC_VERDICT"
CALL = "REC_CALL"
RECORDING = "REC_FILE"
ROUTE = "REC_ROUTE"
NOTICE = "REC_NOTICE"
LANGUAGE = "REC_LANGUAGE"
READY = "REC_READY"
STEREO = "REC_STEREO"
CLOCK = "TIMEOUT(absolute)"
"""The dialplan's watch over a silent script. A script that lives sets it anew before it does anything else."""


END = "|"
"""What follows each value in the question."""


class _Value(NamedTuple):
    field: str
    expression: str


_ASKED = (
    _Value("direction", "${REC_DIRECTION}"),
    _Value("context", "${REC_CONTEXT}"),
    _Value("did", "${REC_DID}"),
    _Value("queue", "${REC_QUEUE}"),
    _Value("caller", "${REC_CALLER}"),
    _Value("presentation", "${REC_CALLER_PRES}"),
    _Value("company_channel", "${REC_COMPANY}"),
    _Value("company_name", "${REC_COMPANY_NAME}"),
    _Value("demanded", "${REC_DEMANDED}"),
    _Value("language", "${CHANNEL(language)}"),
    _Value("channel", "${CHANNEL(name)}"),
    _Value("uniqueid", "${CHANNEL(uniqueid)}"),
    _Value("linkedid", "${CHANNEL(linkedid)}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the channel says of the call. ``caller`` is empty when the number is withheld or absent."""

    direction: Direction
    context: str
    did: str
    queue: str
    caller: str
    company_channel: str
    company_name: str
    demanded: bool
    language: str
    channel: str
    uniqueid: str
    linkedid: str


@cache
def question() -> Command:
    """Return the one command that reads all variables.

    BASE64_ENCODE refuses an empty text, hence the dash. On Asterisk 16 it loses the one or two characters by which a text is
    longer than a multiple of three (funcs/func_base64.c, base64_str_encode: room for n * 4 / 3 + 2), hence the end.
    """
    return command("GET FULL VARIABLE", ",".join(f"${{BASE64_ENCODE(-{value.expression}{END}--)}}" for value in _ASKED))


def answer(text: str) -> Line:
    """Return the variables in the answer to ``question``; AgiSyntaxError when it is not one."""
    try:
        words = [_value(binascii.a2b_base64(word, strict_mode=True)) for word in text.split(",")]
        values = dict(zip([v.field for v in _ASKED], (w.decode("utf-8", "replace") for w in words), strict=True))
        return _line(values)
    except (ValueError, binascii.Error) as error:
        raise AgiSyntaxError(
            "the dialplan did not give its variables",
            "Is the context recorded-call entered with inbound, outbound or internal? Is func_base64 loaded?",
        ) from error


def _value(text: bytes) -> bytes:
    value, end, _ = text[1:].rpartition(END.encode())
    if not end:
        raise ValueError("a value without its end")
    return value


def _line(values: dict[str, str]) -> Line:
    values = {field: clean(value) for field, value in values.items()}
    direction = Direction(values.pop("direction"))
    caller, demanded = shown_number(values.pop("caller"), values.pop("presentation")), values.pop("demanded") == "1"
    return Line(direction=direction, caller=caller, demanded=demanded, **values)


def give(**values: str) -> Command:
    """Return the one command that sets several variables. Values are ours: UUIDs, fixed words, configured names."""
    names = {"verdict": VERDICT, "call": CALL, "recording": RECORDING, "ready": READY, "route": ROUTE,
             "stereo": STEREO, "notice": NOTICE, "language": LANGUAGE}
    return command("EXEC", "MSet", ",".join(f"{names[key]}={value}" for key, value in values.items()))


@cache
def keep_waiting(seconds: int) -> Command:
    """Return the command that sets the dialplan's watch to ``seconds`` from now; 0 stops it."""
    return command("SET VARIABLE", CLOCK, str(seconds))
