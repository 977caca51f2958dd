"""The kept recordings."""

from ami_bridge.vault.vault import Kept, Vault

__all__ = ["Kept", "Vault"]
