"""UUIDv7 keys (RFC 9562, section 5.7): sorted by time, made from arguments so that the core stays pure."""

from datetime import datetime
from uuid import UUID

RANDOM_BYTES = 10


def uuid7(now: datetime, random: bytes) -> UUID:
    """Return the UUIDv7 of ``now`` (aware) and ten random bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"uuid7 wants {RANDOM_BYTES} random bytes")
    millis = int(aware(now).timestamp() * 1000)
    value = (millis & (1 << 48) - 1) << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def aware(moment: datetime) -> datetime:
    """Return ``moment``; refuse a naive one at the door (ValueError)."""
    if moment.tzinfo is None:
        raise ValueError("a time without zone came in")
    return moment
