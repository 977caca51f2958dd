"""Holds: a held call outlives its day, and nothing of it outlives the hold."""

import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.errors import AudioError, Busy, ConfigurationError, KeyMissing, NotFound
from ami_bridge.core.holds import Hold, hold_from_json, hold_to_json, reminders
from ami_bridge.core.requests import Kind
from ami_bridge.services.holds import Holding, Wish
from ami_bridge.services.request_search import Fate
from tests.crash.switch import survives
from tests.register.conftest import copied, databases
from tests.samples import TICKET, wav
from tests.services.bureau import Bureau
from tests.services.test_purge import EXPIRES, House, house  # noqa: F401
from tests.services.two_persons import released

CALL = str(UUID(int=1 << 64))
SOON = EXPIRES - timedelta(hours=1)


def holding(house: House, now=SOON) -> Holding:  # noqa: F811
    return Holding(house.vault, house.register, lambda: now, lambda at: UUID(int=77))


def test_a_held_call_opens_with_the_holds_key_alone(house: House) -> None:  # noqa: F811
    house.take(1)
    (entry,) = house.alive()
    held = house.hold(CALL, now=EXPIRES - timedelta(seconds=1))
    house.vault.keys.destroy("2026-12-24")
    hold, shown = holding(house).show(str(held)[:8])
    assert shown == entry and (hold.call, hold.reason, hold.basis, hold.placed_by) == (entry.id, "a complaint", "request 7", "dpo")
    audio = house.vault.path(f"hold-{held}/{UUID(int=(1 << 64) + 1)}.wav.age")
    expected = wav(house.root / "expected.wav").read_bytes()
    assert house.vault.read(str(audio.relative_to(house.vault.root))) == expected


def test_a_call_past_its_time_cannot_be_held_and_nobody_learns_that_it_was(house: House) -> None:  # noqa: F811
    house.take(1)
    for call in (CALL, str(UUID(int=5))):
        with pytest.raises(NotFound, match="no such call"):
            house.hold(call, now=EXPIRES)
    assert not [key for key in house.vault.keys_in_use() if key.startswith("hold")]


def test_two_holds_on_one_call_do_not_know_of_each_other(house: House) -> None:  # noqa: F811
    house.take(1)
    first = house.hold(CALL)
    house.purge(EXPIRES + timedelta(days=1))
    second = house.hold(CALL, now=EXPIRES + timedelta(days=2), until=EXPIRES + timedelta(days=30))
    house.purge(EXPIRES + timedelta(days=11))
    assert [key for key in house.vault.keys_in_use() if key.startswith("hold")] == [f"hold-{second}"]
    assert holding(house, EXPIRES + timedelta(days=11)).show(str(second))[1].caller == TICKET.caller
    with pytest.raises(NotFound, match="no such hold"):
        holding(house).show(str(first))
    house.purge(EXPIRES + timedelta(days=31))
    assert house.sealed() == []


@pytest.mark.parametrize("wish", [{"reason": " "}, {"basis": ""}, {"by": ""}, {"until": SOON - timedelta(days=9)},
                                  {"until": SOON + timedelta(days=4000)}], ids=["reason", "basis", "who", "past", "for ever"])
def test_a_hold_that_says_too_little_or_never_ends_is_refused(house: House, wish: dict) -> None:  # noqa: F811
    house.take(1)
    with pytest.raises(ConfigurationError):
        house.hold(CALL, now=SOON, **wish)


def test_a_hold_that_has_ended_is_no_longer_to_be_read(house: House) -> None:  # noqa: F811
    house.take(1)
    held = house.hold(CALL)
    with pytest.raises(NotFound, match="has ended"):
        holding(house, EXPIRES + timedelta(days=10)).show(str(held))
    assert released(house.register, held, EXPIRES + timedelta(days=10)).released_by == "os:root/maija, os:root/ville"
    with pytest.raises(NotFound, match="has ended"):
        holding(house).show(str(held))


def test_without_private_keys_nothing_can_be_held_here(house: House) -> None:  # noqa: F811
    house.take(1)
    house.vault.keys.private = None
    with pytest.raises(KeyMissing, match="another host"):
        house.hold(CALL)


def test_a_purge_and_the_placing_of_a_hold_shut_each_other_out(house: House) -> None:  # noqa: F811
    house.take(1)
    with house.vault.alone(), pytest.raises(Busy):
        house.hold(CALL)


def test_reminders_come_a_week_before_the_end(house: House) -> None:  # noqa: F811
    house.take(1)
    house.hold(CALL)
    with house.register.reading() as work:
        holds = work.holds.all()
    assert reminders(holds, EXPIRES + timedelta(days=2)) == [] and reminders(holds, EXPIRES + timedelta(days=4)) == holds
    assert reminders(holds, EXPIRES + timedelta(days=11)) == []


def test_a_sealed_hold_is_the_hold(house: House) -> None:  # noqa: F811
    house.take(1)
    house.hold(CALL)
    with house.register.reading() as work:
        (hold,) = work.holds.all()
    assert isinstance(hold, Hold) and hold_from_json(hold_to_json(hold)) == hold
    with pytest.raises(AudioError):
        hold_from_json(b"{}")


@pytest.mark.crash
def test_killed_while_placing_there_is_a_whole_hold_or_none(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    survived, step = False, 0
    template = tmp_path / "template"
    template.mkdir()
    with databases(request, "sqlite", template) as furnished:
        first = House(template, furnished)
        first.take(1)
        first.register.close()
    while not survived:
        step += 1
        root = shutil.copytree(template, tmp_path / str(step))
        with copied(request, furnished, root) as url:

            def prepare(root: Path = root, url: str = url):
                house = House(root, url, furnished=True)
                return house.register._engine, lambda: house.hold(CALL)

            survived = survives(step, root, prepare)
            again = House(root, url, furnished=True)
            with again.register.reading() as work:
                holds = work.holds.all()
            again.purge(EXPIRES - timedelta(minutes=30))
            again.purge(EXPIRES + timedelta(days=1))
            kept = {file.partition("/")[0] for file in again.sealed()}
            assert kept == {f"hold-{hold.id}" for hold in holds} == set(again.keys_of_holds())
            assert again.alive() == [] and len(again.sealed()) == 3 * len(holds)
            assert [holding(again).show(str(hold.id))[1].caller for hold in holds] == [TICKET.caller] * len(holds)
            again.register.close()
    assert step > 30


class RegisterAway(Exception):
    pass


def test_a_hold_that_cannot_be_registered_leaves_neither_copy_nor_key(house: House) -> None:  # noqa: F811
    house.take(1)
    before = house.sealed()

    def away(work: object, hold: Hold) -> None:
        raise RegisterAway

    wish = Wish(call=CALL, reason="a complaint", basis="request 7", by="dpo", until=EXPIRES + timedelta(days=9))
    with holding(house).placing() as place, pytest.raises(RegisterAway):
        place(wish, away)
    assert house.sealed() == before and house.keys_of_holds() == []


def test_what_was_copied_for_a_hold_that_was_never_registered_goes_with_the_next_purge(house: House) -> None:  # noqa: F811
    house.take(1)
    held = house.hold(CALL)
    with house.register.writing() as work:
        work.holds.remove(held)
    house.vault.destroy([f"hold-{held}/hold.json.age"])
    house.purge(SOON)
    assert house.keys_of_holds() == [] and len(house.sealed()) == 2


def test_a_call_that_is_being_erased_is_not_held_any_more(house: House) -> None:  # noqa: F811
    house.take(1)
    bureau = Bureau(house, SOON)
    request = bureau.open(Kind.ERASURE)
    bureau.search(request)
    bureau.erasing().propose(request.id)
    bureau.agree(request)
    bureau.erasing()._begin(request.id)  # and killed here
    with pytest.raises(NotFound, match="no such call"):
        house.hold(CALL)
    other = bureau.open()
    assert bureau.search(other).count(Fate.GONE) == 1
    bureau.house.purge(SOON)
    assert house.alive() == [] and house.sealed() == [] and house.keys_of_holds() == []
