"""Faults that were found by looking, each with its test: keys that are damaged or lost, folders of others, holds astray."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from ami_bridge.core.errors import AudioError, ConfigurationError, KeyMissing, NotFound
from ami_bridge.core.retention import Fate
from ami_bridge.services.holds import Holding
from ami_bridge.services.keys import days_left, make_ahead
from tests.services.test_purge import EXPIRES, House, house  # noqa: F401
from tests.services.two_persons import released

ONE, TWO = str(UUID(int=1 << 64)), str(UUID(int=2 << 64))
OVER = datetime(2026, 12, 25, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("halves", [(".key", ".pub"), (".key",)], ids=["both", "private"])
def test_a_damaged_key_keeps_nothing_from_being_destroyed(house: House, halves: tuple[str, ...]) -> None:  # noqa: F811
    house.take(1)
    house.keys.make(["2026-12-20"])
    assert house.keys.private
    for ending in halves:
        ((house.keys.private if ending == ".key" else house.keys.recipients) / f"2026-12-20{ending}").write_text("")
    house.purge(OVER)
    assert house.sealed() == [] and not {"2026-12-20", "2026-12-24"} & {pair.name for pair in house.keys.pairs()}


def test_a_damaged_private_half_alone_is_destroyed_too(house: House) -> None:  # noqa: F811
    house.keys.make(["2026-12-20"])
    assert house.keys.private
    (house.keys.private / "2026-12-20.key").write_text("")
    (house.keys.recipients / "2026-12-20.pub").unlink()
    assert house.keys.destroy("2026-12-20") is None and "2026-12-20" not in {pair.name for pair in house.keys.pairs()}


@pytest.mark.parametrize("name", ["lost+found", "hold-me", "2026-02-30", "hold-0123456789abcdef0123456789abcdef0000"])
def test_folders_of_others_in_the_vault_are_left_alone(house: House, name: str) -> None:  # noqa: F811
    house.take(1)
    (house.vault.root / name).mkdir()
    (house.vault.root / name / "hold.json.age").write_text("mine")
    (house.keys.recipients / f"{name}.pub").write_text("mine")
    house.purge(OVER)
    assert house.sealed() == [] and (house.vault.root / name / "hold.json.age").read_text() == "mine"


def test_a_lost_private_half_is_not_taken_for_a_key(house: House) -> None:  # noqa: F811
    make_ahead(house.keys, date(2026, 11, 23), 31, 14)
    assert days_left(house.keys, date(2026, 11, 23), 31) == 15
    assert house.keys.private
    (house.keys.private / "2026-12-01.key").unlink()
    assert days_left(house.keys, date(2026, 11, 23), 31) == 0
    with pytest.raises(KeyMissing, match="2026-12-01 is lost"):
        make_ahead(house.keys, date(2026, 11, 23), 31, 15)
    assert house.keys.has_identity("2027-01-08"), "the other keys are made all the same"
    house.keys.private = None
    assert days_left(house.keys, date(2026, 11, 23), 31) > 0


@pytest.mark.parametrize("asked", ["0000", "", "-"])
def test_of_several_held_calls_none_is_guessed(house: House, asked: str) -> None:  # noqa: F811
    house.take(1, 2)
    for call in (ONE, TWO):
        house.hold(call)
    house.purge(OVER)
    with pytest.raises(NotFound):
        house.hold(asked, now=OVER)
    assert house.hold(ONE[:20], now=OVER)


def test_a_held_call_and_a_living_one_are_not_mixed_up(house: House) -> None:  # noqa: F811
    house.take(1)
    house.hold(ONE)
    house.purge(OVER)
    house.keys.make(["2026-12-30"])
    house.take(2, days=37)
    with pytest.raises(NotFound, match="ambiguous"):
        house.hold("0000", now=OVER)


@pytest.mark.parametrize("wish", [{"remind_at": EXPIRES + 10 * DAY}, {"reason": "x" * 501}, {"by": "\x1b"}],
                         ids=["late reminder", "long", "nobody"])
def test_a_wish_that_makes_no_sense_is_refused(house: House, wish: dict) -> None:  # noqa: F811
    house.take(1)
    with pytest.raises(ConfigurationError):
        house.hold(ONE, **wish)


def test_who_placed_a_hold_is_cleaned(house: House) -> None:  # noqa: F811
    house.take(1)
    held = house.hold(ONE, by="d\x1b[31mp\x00o")
    holding = Holding(house.vault, house.register, lambda: EXPIRES, lambda at: UUID(int=9))
    assert holding.show(str(held))[0].placed_by == "d[31mpo"


def test_a_missing_file_is_told_in_words(house: House) -> None:  # noqa: F811
    house.take(1, 2)
    held = house.hold(ONE)
    house.vault.destroy([file for file in house.sealed() if file.startswith(f"hold-{held}/") or TWO[:17] in file])
    holding = Holding(house.vault, house.register, lambda: EXPIRES - DAY, lambda at: UUID(int=9))
    with pytest.raises(AudioError, match="gone from the vault"):
        holding.show(str(held))
    with pytest.raises(AudioError, match="gone from the vault"):
        house.hold(TWO)


def test_a_hold_without_its_row_ends_all_the_same(house: House) -> None:  # noqa: F811
    house.take(1)
    held = house.hold(ONE)
    with house.register.writing() as work:
        work.holds.remove(held)
    kept = [one.fate for one in house.purge(OVER).planned if one.key == f"hold-{held}"]
    assert kept == [Fate.KEEP] and len(house.sealed()) == 3
    house.purge(EXPIRES + 10 * DAY)
    assert house.sealed() == [] and not house.keys.has_identity(f"hold-{held}")


def test_a_destroyed_hold_that_a_backup_brings_back_goes_again(house: House) -> None:  # noqa: F811
    house.take(1)
    held = house.hold(ONE)
    copies = {file: house.vault.path(file).read_bytes() for file in house.sealed() if file.startswith("hold")}
    released(house.register, held, EXPIRES - DAY)
    house.purge(OVER)
    (house.vault.root / f"hold-{held}").mkdir()
    for file, content in copies.items():
        (house.vault.root / file).write_bytes(content)
    house.purge(OVER + timedelta(hours=1))
    assert house.sealed() == []
