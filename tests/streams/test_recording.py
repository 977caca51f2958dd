"""What is written down of a call has other people in it, and is still the same story."""

from datetime import timedelta
from pathlib import Path

from ami_bridge.core.entries import account
from ami_bridge.core.facts import Closed, Ended, Entered, Exited
from tests.asterisk.exchange import event
from tests.samples import TICKET
from tests.streams.recording import without_people
from tests.streams.story import Story, entries, outline

OPENED = TICKET.opened_at.timestamp()
PEOPLE = ("Maija", "6001", TICKET.caller.lstrip("+"), str(TICKET.call), str(TICKET.recording))


def stamp(seconds: float) -> str:
    return f"{OPENED + seconds:.6f}"


def test_a_story_is_written_without_people_and_tells_the_same_when_it_is_read(tmp_path: Path) -> None:
    agent = {"Channel": "PJSIP/6001-0000001a", "CallerIDNum": "6001", "CallerIDName": r"Maija O\'Neil", "Uniqueid": "pbx-9.9"}
    caller = {"Channel": TICKET.channel, "CallerIDNum": TICKET.caller, "CallerIDName": "<unknown>", "Uniqueid": TICKET.uniqueid}
    ours = {"UserEvent": "AmiBridge", "Call": str(TICKET.call), "Recording": str(TICKET.recording), **caller}
    messages = [
        event("UserEvent", Timestamp=stamp(1), State="recording", **ours),
        event("BridgeEnter", Timestamp=stamp(2), BridgeUniqueid="b", **agent), event("BridgeEnter", Timestamp=stamp(2), BridgeUniqueid="b", **caller),
        event("BridgeLeave", Timestamp=stamp(5), BridgeUniqueid="b", **agent), event("UserEvent", Timestamp=stamp(6), State="closed", **ours),
        event("Hangup", Timestamp=stamp(9), **caller),
    ]
    facts = [Entered("b", "pbx-9.9", "PJSIP/6001", "6001", "Maija O'Neil", OPENED + 2), Entered("b", TICKET.uniqueid, "x", "", "", OPENED + 2),
             Exited("b", "pbx-9.9", OPENED + 5), Closed(OPENED + 6), Ended(OPENED + 9)]
    entry = account(TICKET, facts, (), TICKET.opened_at + timedelta(seconds=6), [])
    without_people("Asterisk 22, captured", messages, [(TICKET, entry)]).write(tmp_path / "22" / "one")
    story = Story.read(tmp_path / "22" / "one.ami")
    (call,) = story.calls
    assert [call.entry] == entries(story, story.messages) and story.title == "Asterisk 22, captured"
    assert call.entry["closed early"] and call.entry["ended"] == 6 and call.entry["answered"] == 2
    assert [(party["joined"], party["left"]) for party in call.entry["parties"]] == [(2, 5)]
    assert call.entry != outline(entry, facts)
    written = "".join(path.read_text() for path in (tmp_path / "22").iterdir())
    assert not [person for person in PEOPLE if person in written]
