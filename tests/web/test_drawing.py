"""What pages draw."""

from dataclasses import replace
from datetime import timedelta

from ami_bridge.core.entries import Silence
from ami_bridge.core.recordings import Why
from ami_bridge.web.drawing import WIDTH, lanes, outline
from tests.register.samples import MINUTE, NOON, call


def test_an_outline_is_closed_and_symmetric() -> None:
    assert outline([0, 100, 50]) == "M0,49 1,0 2,25 2,75 1,100 0,51Z"


def test_a_time_line_shows_everybody_and_every_silence_within_the_call() -> None:
    silence = Silence(why=Why.PAUSED, by="PJSIP/6001", began_at=NOON + 2.5 * MINUTE, ended_at=NOON + 2.5 * MINUTE)
    entry = call(silences=(silence,))
    found = lanes(entry)
    assert [(lane.kind, lane.name) for lane in found] == [("participant", "Äijälä, Inkeri"), ("participant", "PJSIP/6002"), ("silence", "paused")]
    assert [tuple(lane.stretch) for lane in found] == [(200, 800), (400, 600), (500, 3)]


def test_times_outside_a_call_and_a_call_without_length_are_drawn_at_its_borders() -> None:
    late = replace(call().participants[0], joined_at=NOON + timedelta(hours=9), left_at=None)
    early = replace(late, joined_at=NOON - timedelta(hours=9))
    for entry in (call(participants=(late, early)), call(participants=(late, early), ended_at=NOON)):
        for lane in lanes(entry):
            assert 0 <= lane.stretch.x < WIDTH and lane.stretch.width >= 3
