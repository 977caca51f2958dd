"""How it is judged whether calls were taken in in the order in which they ended."""

from datetime import UTC, datetime, timedelta

from ami_bridge.core.entries import account
from tests.samples import START, TICKET
from tests.soak.absence import ends_in_order, most_overtaken


def test_the_order_is_read_from_the_log_and_the_ends_from_the_register() -> None:
    entry = account(TICKET, [], (), START + timedelta(seconds=9), [])
    log = f"INFO Call registered as sealed action=call_registered call={entry.id} reason=announced\nINFO something else\n"
    assert ends_in_order(log, [entry]) == [entry.ended_at] and ends_in_order(log, []) == []


def test_overtaking_is_measured_in_seconds() -> None:
    moments = [datetime(2026, 11, 24, 12, 0, second, tzinfo=UTC) for second in (1, 2, 9, 4, 9, 10)]
    assert most_overtaken(moments) == 5.0 and most_overtaken(sorted(moments)) == 0.0 == most_overtaken([])
