"""What proves who somebody is: passwords (argon2id) and one-time codes (TOTP, RFC 6238).

A password's hash is all that is kept of it. The secret of the codes must be read again, so it is sealed with a key in a file
of its own (ChaCha20-Poly1305, the account's id bound to it): a copy of the database lets nobody make codes.
"""

import hmac
import os
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from ami_bridge.core.errors import KeyMissing
from ami_bridge.spool import write_durably

KEY_MODE, FOLDER_MODE = 0o600, 0o750
KEY_BYTES, NONCE_BYTES = 32, 12
ISSUER = "ami-bridge"
PLAIN = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 5
DRIFT = 1
"""Time steps (30 s) by which the clock of somebody's telephone may be wrong."""

RESTORE = "Restore it from its backup; only where no account has one-time codes yet, 'ami-bridge init' makes one."
DEVICE_BYTES = 16
DEVICE = re.compile(r"(?P<said>(?P<name>[0-9a-f]{32})\.(?P<until>[0-9]{1,12}))\.(?P<mark>[0-9a-f]{64})", re.ASCII)

HASHING: dict[str, Any] = {"memory_cost": 65_536, "time_cost": 3, "parallelism": 4}
"""What an argon2id hash of a password costs: KiB, passes, lanes. Source: RFC 9106, section 4, where memory is short."""

NOBODYS = ("$argon2id$v=19$m={memory_cost},t={time_cost},p={parallelism}$YW1pLWJyaWRnZS1ub2JvZHk"
           "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
"""What a password is compared with where there is no account, at the same cost, so that this takes as long."""


class Codes:
    """The one-time codes. ``key``: the file of the key that seals their secrets."""

    def __init__(self, key: Path) -> None:
        self.key = key

    def create(self) -> None:
        """Make the key, where it is not there yet."""
        self.key.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if not self.key.exists():
            write_durably(self.key, os.urandom(KEY_BYTES).hex().encode() + b"\n", KEY_MODE)

    def new(self, account: UUID, login: str) -> tuple[str, str]:
        """Return a new secret, sealed (hex), and the address (``otpauth:``) by which a telephone takes it up, shown once."""
        import pyotp

        secret = pyotp.random_base32()
        return self._seal(account, secret), pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)

    def sealed_anew(self, account: UUID, sealed: str) -> str:
        """Return the same secret under another seal; nothing for nothing. KeyMissing."""
        return self._seal(account, self._open(account, sealed)) if sealed else ""

    def step(self, account: UUID, sealed: str, code: str, now: datetime) -> int | None:
        """Return the time step of which ``code`` is, the present one or a neighbour; None when it is of none. KeyMissing."""
        import pyotp
        from pyotp.utils import strings_equal

        totp = pyotp.TOTP(self._open(account, sealed))
        current = totp.timecode(now)
        return next((step for step in range(current - DRIFT, current + DRIFT + 1)
                     if strings_equal(code, totp.generate_otp(step))), None)

    def unreadable(self, kept: Iterable[tuple[UUID, str]]) -> tuple[int, KeyMissing | None]:
        """Return of how many accounts (id, sealed secret; none: passed over) the codes cannot be read, and why."""
        problems = [problem for account, sealed in kept if sealed and (problem := self._problem(account, sealed))]
        return len(problems), problems[0] if problems else None

    def device(self, account: UUID, sealed: str, until: datetime) -> str:
        """Return what a browser keeps, so that it is known as one in which this account has signed in. KeyMissing.

        It is bound to the account and the seal of its codes, and proves nothing but that.
        """
        said = f"{secrets.token_hex(DEVICE_BYTES)}.{int(until.timestamp())}"
        return f"{said}.{self._mark(account, sealed, said)}"

    def device_of(self, account: UUID, sealed: str, kept: str, now: datetime) -> str:
        """Return the name of a browser by what it kept; empty when that is not this account's, or too old. KeyMissing."""
        found = DEVICE.fullmatch(kept)
        if found is None or not hmac.compare_digest(found["mark"], self._mark(account, sealed, found["said"])):
            return ""
        return found["name"] if now.timestamp() < int(found["until"]) else ""

    def _mark(self, account: UUID, sealed: str, said: str) -> str:
        key = hmac.digest(self._key(), b"ami-bridge devices", "sha256")
        return hmac.digest(key, f"{account}.{sealed}.{said}".encode(), "sha256").hex()

    def _seal(self, account: UUID, secret: str) -> str:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        nonce = os.urandom(NONCE_BYTES)
        return (nonce + ChaCha20Poly1305(self._key()).encrypt(nonce, secret.encode(), account.bytes)).hex()

    def _open(self, account: UUID, sealed: str) -> str:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        try:
            content = bytes.fromhex(sealed)
            opened = ChaCha20Poly1305(self._key()).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], account.bytes)
        except (InvalidTag, ValueError):
            raise KeyMissing(f"the one-time codes of an account cannot be read with the key {self.key}",
                             "Restore that key, or set the codes up anew with 'ami-bridge account codes'.") from None
        return opened.decode()

    def _problem(self, account: UUID, sealed: str) -> KeyMissing | None:
        try:
            self._open(account, sealed)
        except KeyMissing as problem:
            return problem
        return None

    def _key(self) -> bytes:
        try:
            return bytes.fromhex(self.key.read_text("ascii"))
        except FileNotFoundError:
            raise KeyMissing(f"the key that seals one-time codes is not at {self.key}", RESTORE) from None
        except (OSError, ValueError) as error:
            raise KeyMissing(f"the key that seals one-time codes at {self.key} cannot be read ({type(error).__name__})",
                             "Restore it, or see who may read it.") from None


def fresh_password() -> str:
    """Return a random password of 97 bits, in groups, without letters and digits that are taken for each other."""
    letters = [secrets.choice(PLAIN) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(letters[n:n + GROUP]) for n in range(0, len(letters), GROUP))


def password_hash(password: str) -> str:
    """Return the argon2id hash of a password."""
    import argon2

    return argon2.PasswordHasher(**HASHING).hash(password)


def is_password(kept: str, password: str) -> bool:
    """Tell whether a password is the one whose hash is kept; where none is, it takes as long and says no."""
    import argon2

    try:
        return argon2.PasswordHasher().verify(kept or NOBODYS.format(**HASHING), password) and bool(kept)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
