"""``python -m tests.docs.calls [past]``: two calls that ended a while ago, sealed and registered as the configuration says.

``past``: the key of a day that is over, too.
"""

import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ami_bridge.app import build, key_store, new_id
from ami_bridge.config import load
from ami_bridge.core.calls import Closed, Entered, Named
from ami_bridge.services.intake import Outcome
from ami_bridge.vault import day_key
from tests.samples import TICKET, wav

CONFIGURATION = Path("/etc/ami-bridge/ami-bridge.toml")
NUMBERS = ("0401234567", "0459998877")


def place(number: str, at: datetime) -> None:
    """Take in one call of a minute."""
    config = load(CONFIGURATION)
    ticket = replace(TICKET, call=new_id(at), recording=new_id(at), opened_at=at, caller=number, exchange=config.exchange.name)
    begun = at.timestamp()
    facts = [Entered("b", "pbx-1.1", "PJSIP/trunk", "", "", begun + 5), Named("pbx-1.2", "Maija Mäkinen", begun + 4),
             Entered("b", "pbx-1.2", "PJSIP/6001", "6001", "", begun + 5), Closed(begun + 60)]
    app = build(config)
    with closing(app.register):
        app.spool.write_ticket(ticket)
        app.spool.append_facts(ticket.call, facts)
        assert ticket.recording
        wav(app.spool.audio(ticket.recording), frames=60 * 8000)
        assert app.intake.take(ticket.call) is Outcome.REGISTERED


def key_of_the_past() -> None:
    """Make the key of a day that is over, as if this host were older: the next purge destroys and certifies it."""
    over = datetime.now(UTC).date() - timedelta(days=2)
    key_store(load(CONFIGURATION)).make([day_key(over)])


if __name__ == "__main__":
    if sys.argv[1:] == ["past"]:
        key_of_the_past()
    for minutes, number in enumerate(NUMBERS, 10):
        place(number, datetime.now(UTC) - timedelta(minutes=minutes))
