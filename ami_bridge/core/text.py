"""Text that came from a telephone line, made harmless before it is kept or shown."""

import unicodedata

LONGEST = 128

LOCAL = "Local/"
"""What the names of channels begin with that only lead on to others; each has two ends, ``;1`` and ``;2``."""

_DROPPED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` in NFC without control, format (bidi) and unassigned characters, at most ``longest`` long.

    Source: UAX #9 (bidi controls are category Cf), UAX #15 (NFC).
    """
    if text.isascii() and text.isprintable():
        return text[:longest].strip()
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in _DROPPED_CATEGORIES)
    return kept[:longest].strip()


def interface_of(channel: str) -> str:
    """Return the device a channel belongs to: ``PJSIP/6001-0000001a`` gives ``PJSIP/6001``."""
    device, dash, _ = channel.rpartition("-")
    return device if dash else channel
