"""Holds in the console: listed, shown, placed, and proposed to be released."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from ami_bridge.core.duties import Refused
from ami_bridge.core.errors import Busy, ConfigurationError, NotFound
from tests.services.test_purge import EXPIRES, House, house  # noqa: F401
from tests.services.two_persons import Team

CALL = UUID(int=1 << 64)
DAY = timedelta(days=1)


@pytest.fixture
def team(house: House) -> Iterator[Team]:  # noqa: F811
    house.take(1)
    yield Team(house.register, house.vault, EXPIRES - DAY).employ()


def place(team: Team, who: str = "outi") -> UUID:
    return team.keeping(who).place(CALL, "a dispute", "request 7", team.now + timedelta(days=30)).id


@pytest.mark.parametrize("who", ["outi", "kaisa"])
def test_a_hold_is_placed_listed_and_shown_and_each_is_recorded(team: Team, who: str) -> None:
    held = place(team, who)
    (listed,) = team.keeping(who).all()
    shown = team.keeping(who).show(held)
    assert listed == shown and shown.hold.placed_by == who.title() and shown.release is None
    assert team.said() == [(team.actor(who), action, object, "") for action, object in (
        ("hold-placed", str(held)), ("holds-listed", ""), ("hold-viewed", str(held)))]


@pytest.mark.parametrize("who", ["lauri", "arto", "aino", "niilo"])
def test_nobody_else_has_to_do_with_holds(team: Team, who: str) -> None:
    held = place(team)
    keeping = team.keeping(who)
    for what in (keeping.all, lambda: keeping.show(held), lambda: place(team, who), lambda: keeping.release(held)):
        with pytest.raises(Refused, match="no-duty"):
            what()
    assert [one.outcome for one in team.trail() if one.actor == team.actor(who)] == ["refused"] * 4


def test_what_cannot_be_is_refused_and_recorded(team: Team, house: House) -> None:  # noqa: F811
    keeping = team.keeping("outi")
    with pytest.raises(NotFound):
        keeping.show(UUID(int=5))
    with pytest.raises(NotFound):
        keeping.place(UUID(int=5), "r", "b", team.now + DAY)
    with pytest.raises(ConfigurationError):
        keeping.place(CALL, " ", "b", team.now + DAY)
    with house.vault.alone(), pytest.raises(Busy):
        keeping.place(CALL, "r", "b", team.now + DAY)
    assert [one.reason for one in team.trail()] == ["not-found", "not-found", "wrong-request", "busy"]


def test_a_proposed_release_stands_in_the_list_until_it_is_done(team: Team) -> None:
    held = place(team)
    assert not team.keeping("outi").release(held).done
    (listed,) = team.keeping("kaisa").all()
    assert listed.release and listed.release.made_by == "Outi" and not listed.release.mine
    assert team.keeping("kaisa").release(held).done
    assert team.keeping("kaisa").all()[0].release is None
    assert team.keeping("outi").show(held).hold.released_by == "Outi, Kaisa"
