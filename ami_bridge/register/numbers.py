"""When two ways of writing a telephone number mean the same line. Pure."""

SHORTEST = 7
"""Digits from which an ending is enough. Shorter numbers (extensions) must match as a whole."""

_DIGITS = frozenset("0123456789")


def significant(number: str) -> str:
    """Return the digits of ``number`` without leading zeros: ``+358 40 123`` gives ``35840123``, ``040 123`` ``40123``."""
    return "".join(c for c in number if c in _DIGITS).lstrip("0")


def tail(number: str) -> str:
    """Return what two ways of writing one line share: the last digits, or the whole text where it has none (a SIP user)."""
    return significant(number)[-SHORTEST:] or number


def same_line(one: str, other: str) -> bool:
    """Tell whether the significant digits of two numbers name one line: equal, or the shorter ends the longer.

    The SQL of ``calls.find`` says the same; a test compares the two.
    """
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= SHORTEST and longer.endswith(shorter))


def same_number(kept: str, asked: str) -> bool:
    """Tell whether two numbers name one line, in any notation; as text where ``asked`` has no digit (a SIP user)."""
    return same_line(significant(kept), significant(asked)) if significant(asked) else kept == asked
