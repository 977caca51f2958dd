"""The doctor's own events are told from all others."""

from ami_bridge.asterisk.questions import trial, tried
from ami_bridge.asterisk.translate import translate
from tests.asterisk.exchange import event

STEP = {"UserEvent": "AmiBridge", "State": "doctor", "Token": "00ff", "Step": "asked", "Ready": ""}


def test_only_its_own_number_counts() -> None:
    assert tried(event("UserEvent", **STEP), "00ff")["Step"] == "asked" and tried(event("UserEvent", **STEP), "00ff")["Ready"] == ""
    for other in ({"Token": "11ff"}, {"State": "recording"}, {"UserEvent": "Other"}):
        assert tried(event("UserEvent", **{**STEP, **other}), "00ff") == {}
    assert tried(event("Hangup", Token="00ff"), "00ff") == {}


def test_to_the_daemon_they_mean_nothing() -> None:
    assert translate(event("UserEvent", **STEP), 1.0) is None


def test_what_is_raised_is_what_is_heard() -> None:
    action = trial("00ff", "echo")
    assert tried(event(action.name, **action.headers), "00ff")["Step"] == "echo"
