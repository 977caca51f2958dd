"""The age format, version 1, for one X25519 recipient: the header, and the payload in sealed pieces.

Written here, and not by pyrage, because what was sealed is read back and opened with the file's key while that is at hand,
and because it is several times as fast. Tests open what it writes with pyrage and with the ``age`` command.
Source: C2SP ``age.md``; RFC 7748 (X25519), RFC 5869 (HKDF), RFC 8439 (ChaCha20-Poly1305), BIP 173 (Bech32).
"""

import base64
import hmac
import os
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PIECE, TAG = 1 << 16, 16
KEY_SIZE, NONCE_SIZE = 16, 16
VERSION = b"age-encryption.org/v1\n"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECKSUM = 6
_ZERO = bytes(12)


class Source(Protocol):
    """Where plain bytes come from; ``seek(0)`` begins anew."""

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


class Stanza(NamedTuple):
    """To whom a file is sealed: kind and arguments, and the wrapped key."""

    arguments: tuple[bytes, ...]
    body: bytes


class Opening(NamedTuple):
    """How a file begins, up to its first piece, and the key of its pieces."""

    head: bytes
    file_key: bytes
    pieces: ChaCha20Poly1305


def opening(recipient: str) -> Opening:
    """Return the beginning of a new file for ``recipient`` (``age1...``), with a fresh key."""
    file_key, nonce = os.urandom(KEY_SIZE), os.urandom(NONCE_SIZE)
    unsigned = VERSION + _stanza(raw(recipient), file_key) + b"---"
    head = unsigned + b" " + _base64(header_mac(file_key, unsigned)) + b"\n" + nonce
    return Opening(head, file_key, payload_key(file_key, nonce))


def header_mac(file_key: bytes, unsigned: bytes) -> bytes:
    """Return the MAC of a header, of all of it up to the three dashes."""
    return hmac.digest(_derive(file_key, b"", b"header"), unsigned, "sha256")


def payload_key(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    """Return the key of the pieces."""
    return ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))


def sealed_pieces(source: Source, key: ChaCha20Poly1305) -> Iterator[tuple[bytes, bytes]]:
    """Yield each piece of ``source`` and what it is sealed to, the last one marked as such."""
    for number, (piece, last) in enumerate(pieces(source)):
        yield piece, key.encrypt(nonce_of(number, last), piece, None)


def opened_pieces(sealed: Source, key: ChaCha20Poly1305) -> Iterator[bytes]:
    """Yield what sealed pieces open to; ``cryptography.exceptions.InvalidTag`` when one was changed or is missing."""
    for number, (piece, last) in enumerate(pieces(sealed, PIECE + TAG)):
        yield key.decrypt(nonce_of(number, last), piece, None)


def pieces(source: Source, size: int = PIECE) -> Iterator[tuple[bytes, bool]]:
    """Yield ``source`` in pieces of ``size``, each with whether it is the last; an empty source is one empty piece."""
    piece = _full(source, size)
    while True:
        following = _full(source, size) if len(piece) == size else b""
        yield piece, not following
        if not following:
            return
        piece = following


def unwrap(head: bytes, identity: str) -> bytes | None:
    """Return the file key that a header of ours gives to ``identity`` (``AGE-SECRET-KEY-1...``); None: it gives it none."""
    lines = head.split(b"\n", 3)
    return unwrapped(Stanza(tuple(lines[1].split(b" ")[1:]), base64_of(lines[2])), identity)


def unwrapped(stanza: Stanza, identity: str) -> bytes | None:
    """Return the file key that a stanza gives to ``identity``; None: it gives it none. ValueError when it is malformed."""
    if stanza.arguments[0] != _KIND or len(stanza.arguments) != _WORDS:
        return None
    share = base64_of(stanza.arguments[1])
    private = X25519PrivateKey.from_private_bytes(raw(identity))
    public = private.public_key().public_bytes_raw()
    key = _derive(private.exchange(X25519PublicKey.from_public_bytes(share)), share + public, _X25519)
    try:
        return ChaCha20Poly1305(key).decrypt(_ZERO, stanza.body, None)
    except InvalidTag:
        return None


_KIND, _WORDS = b"X25519", 2
_X25519 = b"age-encryption.org/v1/X25519"


def raw(text: str) -> bytes:
    """Return the 32 bytes in a key's text. Its checksum was seen to by pyrage, which read the key."""
    number = 0
    digits = text.lower().rpartition("1")[2][:-_CHECKSUM]
    for digit in digits:
        number = number << 5 | _BECH32.index(digit)
    return (number >> (len(digits) * 5 % 8)).to_bytes(32, "big")


def _stanza(public: bytes, file_key: bytes) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    key = _derive(ephemeral.exchange(X25519PublicKey.from_public_bytes(public)), share + public, _X25519)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(ChaCha20Poly1305(key).encrypt(_ZERO, file_key, None)) + b"\n"


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def nonce_of(number: int, last: bool) -> bytes:
    """Return the nonce of a piece: its number, and whether it is the last."""
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _full(source: Source, size: int) -> bytes:
    """Read ``size`` bytes, fewer only at the end."""
    piece = source.read(size)
    while 0 < len(piece) < size and (more := source.read(size - len(piece))):
        piece += more
    return piece


def _base64(content: bytes) -> bytes:
    return base64.b64encode(content).rstrip(b"=")


def base64_of(text: bytes) -> bytes:
    """Return what a text in the format's Base64 stands for; ``binascii.Error`` (a ValueError) when it is none."""
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
