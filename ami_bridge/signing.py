"""The keys that sign: Ed25519 (RFC 8032), the private half in a file of its own (hex), the public one as PEM for others."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ami_bridge.core.errors import KeyMissing
from ami_bridge.spool import sync_folder, write_durably

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_MODE, PUBLIC_MODE, FOLDER_MODE = 0o600, 0o644, 0o750


def make_key(private: Path, public: Path, signs: str) -> None:
    """Make a key where there is none, and write its public half where that is not. ``signs``: what it signs, in words.

    KeyMissing when the public half is there without the private one, or is that of another: a new key would make all that
    was signed so far look forged. Two processes that make it at one time end with one key.
    """
    private.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    known = public.exists()  # asked first: the private half is made before it
    if not private.exists():
        if known:
            raise KeyMissing(f"the key that signs {signs} is not at {private}, and its public half is at {public}",
                             f"Restore it. {_rotation(public)}")
        _make_private(private)
    made = private_key(private, signs).public_key()
    if not known:
        write_durably(public, _pem(made), PUBLIC_MODE)
    elif public_key_in(public) != made:
        raise KeyMissing(f"the key that signs {signs} at {private} is not that of its public half at {public}",
                         f"Restore the pair. {_rotation(public)}")


def _rotation(public: Path) -> str:
    return (f"If it is lost, or was replaced, name the public half {public.stem}-old{public.suffix}: a new pair is made, "
            "and what was signed so far is verified with the old one still.")


def _make_private(private: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    new = private.with_name(f".{private.name}.{os.getpid()}.new")
    write_durably(new, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode() + b"\n", KEY_MODE)
    try:
        with suppress(FileExistsError):
            os.link(new, private)
    finally:
        new.unlink()
    sync_folder(private.parent)


def private_key(path: Path, signs: str) -> "Ed25519PrivateKey":
    """Return the private half in a file; KeyMissing when it is not there or is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii")))
    except FileNotFoundError:
        raise KeyMissing(f"the key that signs {signs} is not at {path}", "Run 'ami-bridge init'.") from None
    except (OSError, ValueError) as error:
        raise KeyMissing(f"the key that signs {signs} at {path} cannot be read ({type(error).__name__})",
                         "Restore it, or see who may read it.") from None


def public_key_in(path: Path) -> "Ed25519PublicKey":
    """Return the public half in a file (PEM); KeyMissing when it is not there or is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyMissing(f"the public key {path} cannot be read ({type(error).__name__})",
                         "Name it with --public-key.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyMissing(f"{path} is not a public key of Ed25519", "Name the right one with --public-key.")
    return key


def public_keys_in(paths: Iterable[Path]) -> "list[Ed25519PublicKey]":
    """Return the public halves in some files; KeyMissing when one is not there or is none."""
    return [public_key_in(path) for path in paths]


def is_signed(content: bytes, signature: bytes, keys: "Iterable[Ed25519PublicKey]") -> bool:
    """Tell whether a signature is by one of some keys."""
    from cryptography.exceptions import InvalidSignature

    for key in keys:
        with suppress(InvalidSignature):
            key.verify(signature, content)
            return True
    return False


def _pem(public: "Ed25519PublicKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
