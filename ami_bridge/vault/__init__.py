"""The sealed recordings and the keys that open them."""

from ami_bridge.vault.keys import KeyPair, KeyStore, day_key, day_of, fingerprint, hold_key
from ami_bridge.vault.outside import outside_key, seal_to
from ami_bridge.vault.reading import Reader
from ami_bridge.vault.sealing import Digest, Sink
from ami_bridge.vault.vault import Sealed, Vault, audio_file, entry_file

__all__ = [
    "Digest", "KeyPair", "KeyStore", "Reader", "Sealed", "Sink", "Vault",
    "audio_file", "day_key", "day_of", "entry_file", "fingerprint", "hold_key", "outside_key", "seal_to",
]
