"""Keys: made once, destroyed once, and never made anew."""

import multiprocessing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ami_bridge.core.errors import KeyMissing, PurgeRefused
from ami_bridge.services.keys import days_left, days_over, destroy_days, make_ahead
from ami_bridge.vault import KeyStore, fingerprint

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def store_in(root: Path) -> KeyStore:
    store = KeyStore(root / "recipients", root / "keys")
    store.create()
    return store


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return store_in(tmp_path)


def test_a_key_is_made_once_and_only_its_owner_may_read_the_private_half(store: KeyStore) -> None:
    assert store.make(["2026-12-24", "2026-12-25"]) == ["2026-12-24", "2026-12-25"] and store.make(["2026-12-24"]) == []
    assert str(store.identity("2026-12-24").to_public()) == store.recipient("2026-12-24")
    assert store.private and store.private.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in store.private.glob("*.key")} == {0o600}
    assert [pair.fingerprint for pair in store.pairs()] == [fingerprint(store.recipient(name)) for name in ("2026-12-24", "2026-12-25")]


def make_in(root: Path) -> None:
    store_in(root).make(f"2026-12-{day:02}" for day in range(1, 29))


def test_of_many_makers_at_once_one_makes_each_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    makers = [context.Process(target=make_in, args=(tmp_path,)) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    store = store_in(tmp_path)
    assert len(store.pairs()) == 28
    assert all(str(store.identity(pair.name).to_public()) == store.recipient(pair.name) for pair in store.pairs())


def test_halves_that_are_not_of_one_pair_are_found_when_keys_are_made_and_the_others_are_made_all_the_same(store: KeyStore, tmp_path: Path) -> None:
    other = store_in(tmp_path / "other")
    store.make(["2026-12-24"])
    other.make(["2026-12-24"])
    public = store.recipients / "2026-12-24.pub"
    public.write_bytes((other.recipients / "2026-12-24.pub").read_bytes())
    with pytest.raises(KeyMissing, match="not of one pair") as refused:
        store.make(["2026-12-24", "2026-12-25"])
    assert str(public) in str(refused.value.hint) and store.has_identity("2026-12-25")
    public.unlink()
    assert store.make(["2026-12-24"]) == ["2026-12-24"]
    assert str(store.identity("2026-12-24").to_public()) == store.recipient("2026-12-24")


def test_only_days_before_today_are_over_and_a_hold_is_no_day(store: KeyStore) -> None:
    store.make(["2026-11-20", "2026-11-22", "2026-11-23", "2026-12-24", "hold-0"])
    assert days_over(store, NOW) == [date(2026, 11, 20), date(2026, 11, 22)]


def test_a_destroyed_key_is_gone_and_can_be_destroyed_again(store: KeyStore) -> None:
    store.make(["2026-12-24"])
    known = fingerprint(store.recipient("2026-12-24"))
    assert store.destroy("2026-12-24") == known and store.destroy("2026-12-24") is None
    for half in (store.identity, store.recipient):
        with pytest.raises(KeyMissing, match="keys make"):
            half("2026-12-24")
    assert [path for folder in (store.recipients, store.private) for path in folder.iterdir()] == []


def test_a_half_written_key_is_completed(store: KeyStore) -> None:
    store.make(["2026-12-24"])
    identity = str(store.identity("2026-12-24"))
    (store.recipients / "2026-12-24.pub").unlink()
    assert store.make(["2026-12-24"]) == ["2026-12-24"] and str(store.identity("2026-12-24")) == identity


def test_keys_are_made_for_today_and_later_only(store: KeyStore) -> None:
    made = make_ahead(store, TODAY, 31, 14)
    assert made[0] == "2026-11-23" and made[-1] == "2027-01-07" and len(made) == 46
    assert days_left(store, TODAY, 31) == 15 and days_left(store, TODAY + timedelta(days=20), 31) == 0
    store.destroy("2026-11-23")
    assert "2026-11-23" not in make_ahead(store, TODAY + timedelta(days=1), 31, 14)


def test_a_key_whose_day_is_not_over_is_not_destroyed_by_hand(store: KeyStore) -> None:
    make_ahead(store, TODAY - timedelta(days=2), 31, 0)
    with pytest.raises(PurgeRefused, match="2026-11-23 is not over"):
        destroy_days(store, [TODAY - timedelta(days=1), TODAY], NOW)
    assert store.has_identity("2026-11-22")
    assert len(destroy_days(store, [TODAY - timedelta(days=1)], NOW)) == 1 and not store.has_identity("2026-11-22")


def test_published_keys_are_a_mirror(store: KeyStore, tmp_path: Path) -> None:
    store.make(["2026-12-24", "2026-12-25"])
    assert store.publish(tmp_path / "out") == 2
    store.destroy("2026-12-24")
    assert store.publish(tmp_path / "out") == 1 and [path.name for path in (tmp_path / "out").iterdir()] == ["2026-12-25.pub"]


def test_a_host_without_private_keys_can_make_none(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "recipients", None)
    store.create()
    for work in (lambda: store.make(["2026-12-24"]), lambda: store.identity("2026-12-24")):
        with pytest.raises(KeyMissing, match="another host"):
            work()


@pytest.mark.parametrize("content", ["", "AGE-SECRET-KEY-1NONSENSE", "\0" * 100])
def test_a_damaged_key_is_said_to_be_so(store: KeyStore, content: str) -> None:
    store.make(["2026-12-24"])
    assert store.private
    (store.private / "2026-12-24.key").write_text(content)
    (store.recipients / "2026-12-24.pub").write_text(content)
    for half in (store.identity, store.recipient):
        with pytest.raises(KeyMissing, match="damaged"):
            half("2026-12-24")
