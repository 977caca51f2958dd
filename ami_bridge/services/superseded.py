"""Which ticket counts when a script was given up, killed or stopped, and another announced the same call."""

from collections.abc import Container
from contextlib import suppress
from datetime import timedelta

from ami_bridge.core.errors import SpoolError
from ami_bridge.core.facts import Fact, Started
from ami_bridge.core.notice import Reason
from ami_bridge.core.tickets import Ticket
from ami_bridge.register import Register
from ami_bridge.spool import Spool

GIVEN_UP = timedelta(minutes=1)
"""Within this time of a script that was given up, another has announced the call, or the caller did leave in the notice."""

A_LONG_NOTICE = timedelta(minutes=10)
"""Within this time of a caller's leaving the call was opened."""


def is_superseded(ticket: Ticket, facts: list[Fact], spool: Spool, register: Register) -> bool:
    """Tell whether the dialplan went another way with the channel, so that this call has another ticket or entry.

    Only a ticket without sound can be. RegisterError when the register cannot be asked.
    """
    if not _began_nothing(ticket, facts, spool):
        return False
    for call in spool.open_calls():
        with suppress(SpoolError, FileNotFoundError):
            if _is_better(spool.ticket(call), ticket, spool):
                return True
    with register.reading() as work:
        return work.calls.has_sound_of(ticket.exchange, ticket.uniqueid, ticket.opened_at, GIVEN_UP)


def is_known(ticket: Ticket, open_channels: Container[str], register: Register) -> bool:
    """Tell whether there is another ticket, or an entry, of the same channel. RegisterError as above.

    ``open_channels``: the uniqueids of the other tickets there are.
    """
    if ticket.uniqueid in open_channels:
        return True
    with register.reading() as work:
        return work.calls.has_channel(ticket.exchange, ticket.uniqueid, ticket.opened_at, A_LONG_NOTICE)


def _began_nothing(ticket: Ticket, facts: list[Fact], spool: Spool) -> bool:
    if ticket.recording is None:
        return ticket.reason is Reason.HUNG_UP_IN_NOTICE
    return not spool.audio(ticket.recording).exists() and not any(isinstance(fact, Started) for fact in facts)


def _is_better(other: Ticket, ticket: Ticket, spool: Spool) -> bool:
    if other.call == ticket.call or other.uniqueid != ticket.uniqueid or abs(other.opened_at - ticket.opened_at) > GIVEN_UP:
        return False
    has_sound = other.recording is not None and spool.audio(other.recording).exists()
    return has_sound or other.opened_at > ticket.opened_at
