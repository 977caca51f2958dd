"""Every recorded stream, without a PBX: from the bytes on the wire to the entry, which is the one the real daemon made."""

import asyncio
import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_bridge.asterisk.protocol import Protocol
from ami_bridge.asterisk.translate import MESSAGE_END, WANTED, sent_at
from ami_bridge.core.calls import GRACE
from tests.asterisk.exchange import GREETING
from tests.streams.story import FOLDER, Story, entries, queues, silences, stories

RELEASES = ("22", "16")
LARGEST = 20_000
each_story = pytest.mark.parametrize("path", stories(), ids=lambda path: f"{path.parent.name}-{path.stem}")


def heard(stream: bytes, cuts: Iterable[int] = ()) -> list[bytes]:
    """What our side of the wire makes of the bytes when they come in pieces."""
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})

    async def play() -> list[bytes]:
        events: list[bytes] = []
        faults: list[Exception] = []
        server = await asyncio.start_server(lambda _, writer: peers.append(writer), "127.0.0.1", 0)
        peers: list[asyncio.StreamWriter] = []
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: Protocol(WANTED, events.extend, faults.append, lambda: 0.0), *server.sockets[0].getsockname())
        protocol.release()
        for begin, end in pairwise(places):
            protocol.data_received(stream[begin:end])
        protocol.close()
        server.close()
        for peer in peers:
            peer.transport.abort()
        await asyncio.sleep(0)
        assert not faults
        return events

    return asyncio.run(play())


def on_the_wire(messages: Iterable[bytes]) -> bytes:
    return GREETING + b"".join(message + MESSAGE_END for message in messages)


def test_there_are_streams_of_both_releases_with_the_same_scenarios() -> None:
    found = {release: {path.stem for path in stories() if path.parent.name == release} for release in RELEASES}
    assert found["22"] and found["22"] == found["16"]
    assert {path.parent.name for path in stories()} == set(RELEASES)
    assert {path.with_suffix("") for path in FOLDER.glob("[0-9]*/*.json")} == {path.with_suffix("") for path in stories()}


@each_story
def test_a_stream_is_small_names_its_asterisk_and_no_more_than_was_wanted(path: Path) -> None:
    story = Story.read(path)
    assert path.stat().st_size < LARGEST
    assert story.title.startswith(f"Asterisk {path.parent.name}.") and story.calls
    assert heard(on_the_wire(story.messages)) == story.messages


@each_story
def test_the_entry_is_the_one_that_the_register_got(path: Path) -> None:
    story = Story.read(path)
    assert entries(story, heard(on_the_wire(story.messages))) == [call.entry for call in story.calls]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("scenario", "queue"), [
    ("a_caller_whom_one_queue_gives_up_and_another_serves_is_one_entry", "second"),
    ("a_queue_call_that_its_agent_sends_to_another_queue_has_both_agents_and_their_times-keys", "second"),
    ("a_caller_who_leaves_the_queue_is_recorded_and_spoke_with_nobody", "of the entry point"),
    ("of_two_that_ring_at_once_the_one_who_answers_is_named", "of the entry point"),
])
def test_the_queue_is_the_last_that_served_the_caller(release: str, scenario: str, queue: str) -> None:
    story = Story.read(FOLDER / release / f"{scenario}.ami")
    assert queues(story, heard(on_the_wire(story.messages)), "of the entry point") == [queue]


@each_story
def test_a_recording_is_silent_for_the_same_reasons(path: Path) -> None:
    story = Story.read(path)
    assert silences(story, story.messages) == [call.silences for call in story.calls]


@each_story
def test_all_told_twice_changes_nothing(path: Path) -> None:
    story = Story.read(path)
    at_once = [message for one in story.messages for message in (one, one)]
    for repeated in (at_once, story.messages + story.messages):
        assert entries(story, heard(on_the_wire(repeated))) == [call.entry for call in story.calls]


@each_story
@settings(max_examples=12, deadline=None)
@given(dice=st.randoms(use_true_random=False))
def test_late_and_out_of_order_within_the_time_of_grace_changes_nothing(path: Path, dice: random.Random) -> None:
    story = Story.read(path)
    late = sorted(story.messages, key=lambda message: sent_at(message, 0.0) + dice.uniform(0, GRACE))
    assert entries(story, heard(on_the_wire(late))) == [call.entry for call in story.calls]


@each_story
@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, LARGEST), max_size=30))
def test_torn_anywhere_changes_nothing(path: Path, cuts: list[int]) -> None:
    story = Story.read(path)
    assert entries(story, heard(on_the_wire(story.messages), cuts)) == [call.entry for call in story.calls]
