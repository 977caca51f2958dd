"""The PBX under test itself: two phones talk, and the recording holds both voices."""

from pathlib import Path

import pytest

from tests.pbx.asterisk import BARE_DIALPLAN, Pbx
from tests.pbx.phones import answer, call
from tests.pbx.settings import Settings
from tests.pbx.tones import heard

pytestmark = pytest.mark.live


def test_recording_of_an_inbound_call_holds_both_voices(tmp_path: Path) -> None:
    with Pbx(tmp_path, Settings(dialplan=BARE_DIALPLAN)) as pbx:
        agent = answer(pbx, "6001", tone=660)
        caller = call(pbx, "1000", tone=440, talk=4.0)
        assert caller.wait().ok and agent.wait().ok, (caller.result(), agent.result())
        pbx.stop()
        (recording,) = pbx.recordings.iterdir()
        assert heard(recording, 440) and heard(recording, 660)
        assert not heard(recording, 550, at_least=0.2)
