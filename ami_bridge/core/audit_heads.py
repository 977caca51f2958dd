"""A signed end of the trail, as it is written to other places. Pure.

A checkpoint is signed with another ``kind``, so that the one is never taken for the other.
"""

import json
import re
from datetime import UTC, datetime
from enum import StrEnum

from ami_bridge.core.audit import Head, as_text, canonical

FORMAT = 1
LARGEST = (1 << 63) - 1
"""No database has an entry with a larger number."""

DIGEST = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    """What a signature says: so far the chain went; or, up to here it was forgotten in its time."""

    HEAD = "audit-head"
    CHECKPOINT = "audit-checkpoint"


def signed_bytes(kind: Kind, head: Head) -> bytes:
    """Return what is signed."""
    return canonical({"format": FORMAT, "kind": kind.value, "number": head.number, "digest": head.digest,
                      "at": as_text(head.at)})


def head_text(head: Head, signature: bytes) -> bytes:
    """Return a signed head as it stands in a file and in syslog: one line of JSON."""
    return canonical({**json.loads(signed_bytes(Kind.HEAD, head)), "signature": signature.hex()})


def parse(content: bytes) -> tuple[Head, bytes]:
    """Return the head in a text, and its signature; ValueError when it is not exactly as ``head_text`` writes it."""
    try:
        fields = json.loads(content)
        head = Head(number=_number(fields["number"]), digest=_digest(fields["digest"]),
                    at=datetime.fromisoformat(fields["at"]).astimezone(UTC))
        signature = bytes.fromhex(fields["signature"])
        if head_text(head, signature) != content.strip():
            raise ValueError("not as it was written")
    except (TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise ValueError(f"not a head ({type(error).__name__})") from None
    return head, signature


def _number(value: object) -> int:
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise ValueError("not the number of an entry")
    return value


def _digest(value: str) -> str:
    if not DIGEST.fullmatch(value):
        raise ValueError("not a digest")
    return value
