"""The certificate of destruction: what was destroyed, when and by which rule, without a word about whom. Pure.

Each names the SHA-256 of the one before, so that none can be taken out or put in. Source: GDPR article 5(2)
(accountability); the chain after risks.md, item 101.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

FORMAT = 1
FIRST = "0" * 64
"""What the first certificate names in the place of the one before."""

DESTROYED, NOT_HERE, KEPT = "destroyed", "not here", "kept: the day is not over"
ERASED = "kept: calls of the day were erased at a caller's request"
"""What became of the key. ``ERASED``: GDPR article 17; until the day is over a backup of the vault can still be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One destruction. ``key`` is a day of expiry (UTC) or a hold; ``whole``: all that was sealed to it.

    ``calls`` registered calls and ``files`` sealed files were destroyed, ``unregistered`` of them named by no entry;
    ``digests`` keyed digests stand in a list whose SHA-256 is ``digests_sha256``. ``previous`` is the SHA-256 of the
    certificate before. Times aware, UTC.
    """

    number: int
    previous: str
    exchange: str
    program: str
    key: str
    whole: bool
    fingerprint: str
    key_fate: str
    policy_days: int
    as_of: datetime
    issued_at: datetime
    calls: int
    files: int
    unregistered: int
    digests: int
    digests_sha256: str


def signed_bytes(certificate: Certificate) -> bytes:
    """Return the bytes that are signed: JSON, keys in order, no spaces, UTF-8."""
    fields = {"format": FORMAT, **asdict(certificate)}
    return json.dumps(fields, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sealed_text(certificate: Certificate, signature: str) -> bytes:
    """Return the certificate's file: its fields and the signature (hex), one line each."""
    fields = json.loads(signed_bytes(certificate)) | {"signature": signature}
    return json.dumps(fields, ensure_ascii=False, indent=1).encode() + b"\n"


def parse(content: bytes) -> tuple[Certificate, bytes]:
    """Return the certificate in a file, and its signature; ValueError when it is not exactly as ``sealed_text`` writes."""
    try:
        fields = json.loads(content)
        signature = bytes.fromhex(fields.pop("signature"))
        if fields.pop("format") != FORMAT:
            raise ValueError("another format")
        times = {name: datetime.fromisoformat(fields[name]) for name in ("as_of", "issued_at")}
        certificate = Certificate(**fields | times)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a certificate ({type(error).__name__})") from None
    if sealed_text(certificate, signature.hex()) != content:
        raise ValueError("not as it was written")
    return certificate, signature


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file (hex): what the next certificate names."""
    return hashlib.sha256(content).hexdigest()


def _plain(value: object) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat()
