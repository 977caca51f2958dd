"""The keys that sign: Ed25519 (RFC 8032), the private half in a file of its own (hex), the public one as PEM for others."""

from pathlib import Path
from typing import TYPE_CHECKING

from ami_bridge.core.errors import KeyMissing
from ami_bridge.spool import write_durably

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_MODE, PUBLIC_MODE, FOLDER_MODE = 0o600, 0o644, 0o750


def make_key(private: Path, public: Path, signs: str) -> None:
    """Make a key where there is none, and write its public half where that is not. ``signs``: what it signs, in words."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if not private.exists():
        write_durably(private, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode() + b"\n", KEY_MODE)
    if not public.exists():
        write_durably(public, _pem(private_key(private, signs)), PUBLIC_MODE)


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


def _pem(private: "Ed25519PrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
