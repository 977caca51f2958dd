"""What is counted for the screen of ``status``."""

from dataclasses import replace

from ami_bridge.core.entries import Recording
from ami_bridge.core.notice import Reason
from ami_bridge.core.recordings import State
from ami_bridge.register import Register
from tests.register.samples import ENTRY_SHA256, MINUTE, NOON, call, new_id


def test_calls_are_counted_by_reason_and_the_state_of_their_first_recording(register: Register) -> None:
    lost = Recording(id=new_id(), segment=1, state=State.MISSING)
    with register.writing() as work:
        for entry in (call(), call(started_at=NOON + MINUTE), call(recordings=(lost,)),
                      call(reason=Reason.HUNG_UP_IN_NOTICE, recordings=()), call(started_at=NOON - MINUTE),
                      replace(call(), exchange="tampere")):
            work.calls.add(entry, ENTRY_SHA256)
    with register.reading() as work:
        assert work.tallies.calls("helsinki", NOON) == {
            (Reason.ANNOUNCED, State.SEALED): 2, (Reason.ANNOUNCED, State.MISSING): 1,
            (Reason.HUNG_UP_IN_NOTICE, State.UNANNOUNCED): 1}
        assert work.tallies.calls("tampere", NOON) == {(Reason.ANNOUNCED, State.SEALED): 1}
        assert work.tallies.calls("turku", NOON) == {}
