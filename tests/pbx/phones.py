"""Phones that call and answer over the PBX under test, with a tone for a voice."""

import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.pbx import sipp
from tests.pbx.asterisk import Pbx
from tests.pbx.g711 import CODECS
from tests.pbx.settings import AGENT_CALLING_HOST, TRUNK_HOST, free_port
from tests.pbx.sipp import Phone, PhoneError, Result

__all__ = ["BUSY", "DECLINE", "NEVER", "UNAVAILABLE", "Phone", "PhoneError", "Result", "answer", "call"]

NEVER = 3600.0  # seconds nobody waits for
BUSY, DECLINE, UNAVAILABLE = "486 Busy Here", "603 Decline", "480 Temporarily Unavailable"

Tone = int | Sequence[int] | None  # Hz for every call, Hz for the first, second ... call, or silence

Keys = Sequence[tuple[float, str]]  # seconds to wait, then a key to press


def answer(pbx: Pbx, who: str, *, tone: Tone = 660, ring: float = 0.1, refuse: str | None = None, talk: float = NEVER,
           n: int | None = 1, codec: str = "alaw", keys: Keys = ()) -> Phone:
    """Put a phone on the line of `who`: "trunk" (any number outside) or an agent's number. Returns when it listens.

    It rings `ring` seconds (NEVER: until the caller gives up), then answers or, with `refuse`, sends that status; talks
    `talk` seconds, then hangs up (NEVER: waits for the other side). It ends after `n` calls (None: with the PBX). `keys` are
    pressed after the answer: seconds to wait, then the key.
    """
    folder = _folder(pbx, f"answer-{who}")
    here = pbx.phone_address(who)
    voice = sipp.play(folder, CODECS[codec], _tones(tone, n))
    text = sipp.scenario("refuse" if refuse else "answer", CODECS[codec], voice,
                         RING_MS=_ms(ring), TALK_MS=_ms(talk), STATUS=refuse,
                         KEYS=sipp.key_presses(_presses(keys), "[$to];tag=[pid]phone[call_number]", "[$from]"))
    phone = sipp.start(folder, text, here, *([] if n is None else ["-m", str(n)]))
    pbx.adopt(phone)
    sipp.await_listening(phone, here)
    return phone


def call(pbx: Pbx, number: str, *, source: str = "trunk", caller: str | bytes = "0401234567", name: str | bytes | None = None,
         anonymous: bool = False, tone: Tone = 440, talk: float = 5.0, patience: float = NEVER, n: int = 1, rate: int = 10,
         codec: str = "alaw", headers: Sequence[str] = (), keys: Keys = ()) -> Phone:
    """Dial `number` from the trunk, or from an agent's number as `source`, `n` times, `rate` calls a second.

    Hangs up `talk` seconds after the answer (NEVER: waits for the other side), sends CANCEL when nobody answered within
    `patience` seconds. `name` as text is quoted as SIP demands, as bytes it goes out raw, quotes and all. `{n}` in number,
    caller and name becomes the number of the call, from 1. `headers` are further header lines of the INVITE. `keys` are
    pressed after the answer: seconds to wait, then the key.
    """
    folder = _folder(pbx, f"call-{source}")
    host, user = (TRUNK_HOST, caller) if source == "trunk" else (AGENT_CALLING_HOST, source)
    extra = [*headers, *(["Privacy: id"] if anonymous else [])]
    shown = _wire('"Anonymous" <sip:anonymous@anonymous.invalid>' if anonymous else _from(user, name, host))
    text = sipp.scenario(
        "call", CODECS[codec], sipp.play(folder, CODECS[codec], _tones(tone, n)), NUMBER=_wire(number),
        FROM=shown,
        EXTRA="".join("\n" + _wire(line) for line in extra), TALK_MS=_ms(talk), PATIENCE_MS=_ms(patience),
        KEYS=sipp.key_presses(_presses(keys), f"{shown};tag=[pid]call[call_number]",
                              f"<sip:{_wire(number)}@[remote_ip]:[remote_port]>[peer_tag_param]"))
    here = host, free_port(socket.SOCK_DGRAM)
    phone = sipp.start(folder, text, here, f"{pbx.sip[0]}:{pbx.sip[1]}", "-m", str(n), "-r", str(rate), "-l", str(n))
    pbx.adopt(phone)
    return phone


def _from(user: str | bytes, name: str | bytes | None, host: str) -> bytes:
    """The From header's name and address."""
    address = b"<sip:" + _bytes(user) + b"@" + host.encode() + b">"
    if name is None:
        return address
    shown = name if isinstance(name, bytes) else b'"' + _bytes(name.replace("\\", "\\\\").replace('"', '\\"')) + b'"'
    return shown + b" " + address


def _wire(text: str | bytes) -> str:
    """Text that SIPp sends byte for byte, none of it taken for a keyword or for XML; `{n}` is the call's number."""
    parts = _bytes(text).split(b"{n}")
    return "[call_number]".join("".join(f"\\x{byte:02x}" for byte in part) for part in parts)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _tones(tone: Tone, n: int | None) -> Sequence[int]:
    if tone is None or isinstance(tone, int):
        return [] if tone is None else [tone]
    if n is not None and len(tone) != n:
        raise ValueError(f"{len(tone)} tones for {n} calls: give one tone for each call, or a single one")
    return tone


def _presses(keys: Keys) -> list[tuple[int, str]]:
    return [(_ms(after), key) for after, key in keys]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _folder(pbx: Pbx, prefix: str) -> Path:
    phones = pbx.home / "phones"
    phones.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=phones))
