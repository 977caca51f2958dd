"""Sealing what leaves: to a key that is not ours, in memory."""

from pyrage import RecipientError, x25519

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.vault.age import Source, opening
from ami_bridge.vault.sealing import Digest, Sink, pour


def outside_key(text: str) -> str:
    """Return somebody's age recipient (``age1...``); ConfigurationError when it is none, or one of another kind."""
    try:
        return str(x25519.Recipient.from_str(text.strip()))
    except RecipientError:
        raise ConfigurationError("this is no age key", "It begins with age1 and has 62 letters and digits; ask whoever gets "
                                 "the file for the line that 'age-keygen -y' prints.", mistake="age-key") from None


def seal_to(source: Source, target: Sink, key: str) -> Digest:
    """Seal ``source`` to such a key into ``target``; return the digest of the sealed bytes."""
    return pour(source, target, opening(key))[1]
