"""An alarm that another raised is said in words, whichever it is."""

import pytest

from ami_bridge.core.alarms import Name, link_down
from ami_bridge.core.alarms_elsewhere import in_general


@pytest.mark.parametrize("name", Name)
def test_every_alarm_has_words_and_a_remedy(name: Name) -> None:
    alarm = in_general(name)
    assert alarm.name is name and len(alarm.sentence.split()) > 3 and alarm.remedy.endswith(".")


def test_an_alarm_that_always_has_the_same_words_has_them_here_too() -> None:
    assert in_general(Name.LINK_DOWN) == link_down()
