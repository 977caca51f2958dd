"""What recordings are opened for: the configured purposes, and two that the law gives. Pure.

Source: the privacy notice (N2: verifying that the service works, and training; other purposes are refused); GDPR,
articles 15 and 6(1)(c).
"""

from collections.abc import Collection, Sequence

from ami_bridge.core.duties import Duty

DATA_SUBJECT, AUTHORITY = "data-subject-request", "authority-request"
BY_LAW = (DATA_SUBJECT, AUTHORITY)
"""What nobody configures: to answer a caller who asks, and an authority that may demand."""


def open_to(duties: Collection[Duty], configured: Sequence[str]) -> tuple[str, ...]:
    """Return the purposes that somebody with these duties may name: those of the law only who answers for the callers."""
    return (*configured, *BY_LAW) if Duty.DATA_PROTECTION_OFFICER in duties else tuple(configured)
