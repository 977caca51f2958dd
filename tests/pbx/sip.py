"""SIP messages and descriptions of sound, as far as a phone needs them (RFC 3261, RFC 4566)."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from tests.pbx.settings import Address

PAYLOADS = {"alaw": 8, "ulaw": 0, "g722": 9, "opus": 107}  # RFC 3551; Opus (RFC 7587) has the number that Asterisk gives it
NAMES = {"alaw": "PCMA/8000", "ulaw": "PCMU/8000", "g722": "G722/8000", "opus": "opus/48000/2"}

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Message:
    """One request or response: its first line, its header lines in order, its body."""

    start: str
    headers: Headers
    body: str = ""

    @property
    def method(self) -> str:
        """The method of a request; of a response, the method that it answers."""
        return self.first("CSeq").split()[1]

    @property
    def number(self) -> int:
        """The number of the request within its dialog."""
        return int(self.first("CSeq").split()[0])

    @property
    def status(self) -> int:
        """The code of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def branch(self) -> str:
        return parameter(self.first("Via"), "branch")

    @property
    def call_id(self) -> str:
        return self.first("Call-ID")

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def first(self, name: str) -> str:
        """The first header line of that name; empty when there is none."""
        return next(iter(self.all(name)), "")

    def encode(self) -> bytes:
        body = self.body.encode()
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers), f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body


def parse(raw: bytes) -> Message:
    head, _, body = raw.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Message(start, [pair for pair in headers if pair[0].lower() != "content-length"], body)


def response(request: Message, status: str, tag: str = "", extra: Headers = (), body: str = "") -> Message:
    """The response to `request`; `tag` is put at the To line when it has none yet."""
    to = request.first("To")
    marked = to if ";tag=" in to or not tag else f"{to};tag={tag}"
    copied = [("Via", via) for via in request.all("Via")]
    copied += [("From", request.first("From")), ("To", marked), ("Call-ID", request.call_id), ("CSeq", request.first("CSeq"))]
    return Message(f"SIP/2.0 {status}", [*copied, *extra], body)


def parameter(header: str, name: str) -> str:
    """The value of `;name=` in a header line; empty when it is not there."""
    found = re.search(rf";{name}=([^;>\s]+)", header)
    return found[1] if found else ""


def uri(header: str) -> str:
    """The address between the angle brackets."""
    found = re.search(r"<([^>]+)>", header)
    return found[1] if found else header.split(";")[0].strip()


def new_branch() -> str:
    return "z9hG4bK" + secrets.token_hex(8)


@dataclass(frozen=True)
class Sound:
    """What one side says of its sound: where it wants it, in which codecs, best first, and "sendrecv", "sendonly" ..."""

    address: Address
    codecs: tuple[str, ...]
    direction: str = "sendrecv"

    def encode(self, version: int) -> str:
        host, port = self.address
        formats = " ".join(str(PAYLOADS[codec]) for codec in self.codecs)
        lines = ["v=0", f"o=phone 1 {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP {formats}"]
        lines += [f"a=rtpmap:{PAYLOADS[codec]} {NAMES[codec]}" for codec in self.codecs]
        return "\r\n".join([*lines, "a=ptime:20", f"a={self.direction}", ""])


def sound(body: str) -> Sound:
    """Read a description of sound; codecs that we do not know are left out."""
    host = re.search(r"^c=IN IP4 (\S+)", body, re.M)
    media = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", body, re.M)
    if host is None or media is None:
        raise ValueError(f"no sound described in {body!r}")
    names = {payload: codec for codec, payload in PAYLOADS.items()}
    codecs = tuple(names[int(one)] for one in media[2].split() if int(one) in names)
    direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)", body, re.M)
    return Sound((host[1], int(media[1])), codecs, direction[1] if direction else "sendrecv")
