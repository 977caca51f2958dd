"""Verify and rebuild: what does not agree is found, and what was lost comes back from vault and keys."""

import os
import shutil
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Trace
from ami_bridge.core.errors import RegisterError
from ami_bridge.register import Register
from ami_bridge.services.rebuild import rebuild
from ami_bridge.services.verify import NIGHTS, Verify, in_share
from tests.register.conftest import databases
from tests.samples import START, TICKET
from tests.services.test_purge import EXPIRES, House, house  # noqa: F401

NOW = START + timedelta(days=1)
CALL = UUID(int=1 << 64)
ENTRY, AUDIO = f"2026-12-24/{CALL}.json.age", f"2026-12-24/{UUID(int=(1 << 64) + 1)}.wav.age"


def fresh_folder(folder: Path) -> Path:
    (folder / "fresh").mkdir()
    return folder / "fresh"


def told(house: House, now=NOW) -> list[str]:  # noqa: F811
    job = Verify(house.vault, house.register, house.certificates, everything=True)
    found = [one.what for one in job.run(now)]
    assert all(one.remedy for one in job.run(now))
    return found


def test_a_house_in_order_has_nothing_to_report(house: House) -> None:  # noqa: F811
    house.take(1, 2)
    house.hold(str(CALL))
    house.purge(NOW)
    job = Verify(house.vault, house.register, house.certificates, everything=True)
    assert list(job.run(NOW)) == [] and (job.seen.calls, job.seen.opened, job.seen.unopened) == (2, 2, 0)


@pytest.mark.parametrize("file", [ENTRY, AUDIO], ids=["entry", "audio"])
def test_a_file_that_is_gone_changed_or_torn_is_found(house: House, file: str) -> None:  # noqa: F811
    house.take(1)
    path = house.vault.path(file)
    content = path.read_bytes()
    for changed in (content[:-1], content[:400] + bytes([content[400] ^ 1]) + content[401:], b""):
        path.write_bytes(changed)
        assert told(house) == [f"{file} was changed since it was sealed"]
    path.unlink()
    assert told(house) == [f"{file} is registered, and is not in the vault"]


def test_two_files_that_changed_places_are_found(house: House) -> None:  # noqa: F811
    house.take(1, 2)
    one, other = (house.vault.path(f"2026-12-24/{UUID(int=(n << 64) + 1)}.wav.age") for n in (1, 2))
    texts = one.read_bytes(), other.read_bytes()
    one.write_bytes(texts[1])
    other.write_bytes(texts[0])
    assert len(told(house)) == 2


def test_a_file_that_no_entry_names_is_found_once_it_is_old(house: House) -> None:  # noqa: F811
    house.take(1)
    stray = house.vault.path("2026-12-24/stray.wav.age")
    stray.write_bytes(b"x")
    assert told(house) == []
    os.utime(stray, (1, 1))
    assert told(house) == ["2026-12-24/stray.wav.age is in the vault, and no entry names it"]


def test_what_is_past_its_time_and_still_here_is_found(house: House) -> None:  # noqa: F811
    house.take(1)
    assert told(house, EXPIRES + timedelta(days=2)) == ["2026-12-24 is past its time, and something of it is still here"]


def test_a_hold_without_its_copy_is_found(house: House) -> None:  # noqa: F811
    house.take(1)
    held = house.hold(str(CALL))
    house.vault.path(f"hold-{held}/hold.json.age").write_bytes(b"x")
    assert told(house) == [f"the copy of hold {held} is not complete, or does not open"]


def test_a_certificate_that_was_changed_is_found(house: House) -> None:  # noqa: F811
    house.purge(EXPIRES + timedelta(days=1))
    path = house.certificates.directory / "000001.json"
    path.write_bytes(path.read_bytes().replace(b'"calls": 0', b'"calls": 9'))
    assert len(told(house)) >= 2


def test_without_private_keys_the_structure_is_compared_all_the_same(house: House) -> None:  # noqa: F811
    house.take(1)
    house.vault.keys.private = None
    job = Verify(house.vault, house.register, house.certificates, everything=True)
    assert list(job.run(NOW)) == [] and (job.seen.opened, job.seen.unopened) == (0, 1)


def test_every_call_is_opened_once_in_31_nights() -> None:
    for number in range(100):
        assert sum(in_share(UUID(int=number * 7919), (NOW + timedelta(days=n)).date()) for n in range(NIGHTS)) == 1


def test_a_rebuilt_register_is_equal_entry_by_entry(house: House, tmp_path: Path, request: pytest.FixtureRequest) -> None:  # noqa: F811
    house.take(*range(1, 30))
    house.take(40, days=35)
    held = house.hold(str(CALL))
    before = house.alive()
    assert len(before) == 30
    with databases(request, "sqlite", fresh_folder(tmp_path)) as url:
        register = Register.open(url)
        done = rebuild(house.vault, register, NOW)
        assert (done.calls, done.holds, done.past, done.problems) == (30, 1, 0, [])
        house.register, old = register, house.register
        assert house.alive() == before and told(house) == []
        with register.reading() as work:
            assert [hold.id for hold in work.holds.all()] == [held]
        with pytest.raises(RegisterError, match="not empty"):
            rebuild(house.vault, register, NOW)
        register.close()
        house.register = old


def test_what_is_new_in_the_vault_is_added_and_the_rest_of_the_register_stays(house: House, tmp_path: Path, request: pytest.FixtureRequest) -> None:  # noqa: F811
    """As on the host of the keys, every night."""
    house.take(1, 2)
    held = house.hold(str(CALL))
    with databases(request, "sqlite", fresh_folder(tmp_path)) as url, closing(Register.open(url)) as register:
        assert rebuild(house.vault, register, NOW, add=True).calls == 2
        trace = Trace(actor="daemon", action=Action.REGISTER_REBUILT)
        with register.writing() as work:
            work.audit.leave(trace, NOW)
            work.audit.leave(replace(trace, action=Action.CALL_ERASED, object=str(UUID(int=4 << 64))), NOW)
        house.take(3, 4)
        done = rebuild(house.vault, register, NOW, add=True)
        assert (done.calls, done.holds, done.erased, done.problems) == (1, 0, 1, [])
        again = rebuild(house.vault, register, NOW, add=True)
        assert (again.calls, again.holds, again.problems) == (0, 0, [])
        with register.reading() as work:
            assert [hold.id for hold in work.holds.all()] == [held] and work.audit.head().number == 2
            assert {entry.id.int >> 64 for entry, _ in work.calls.of_day(EXPIRES.date(), NOW)} == {1, 2, 3}


def test_a_trail_that_is_not_whole_is_among_what_does_not_agree(house: House) -> None:  # noqa: F811
    house.take(1)
    job = Verify(house.vault, house.register, house.certificates, lambda now: f"entry 3 was removed, seen at {now:%H}")
    assert [one.what for one in job.run(NOW)] == [f"the trail: entry 3 was removed, seen at {NOW:%H}"]


def test_one_damaged_entry_keeps_no_other_back(house: House, tmp_path: Path, request: pytest.FixtureRequest) -> None:  # noqa: F811
    house.take(1, 2, 3)
    house.vault.path(ENTRY).write_bytes(b"x")
    with databases(request, "sqlite", fresh_folder(tmp_path)) as url:
        register = Register.open(url)
        done = rebuild(house.vault, register, NOW)
        assert done.calls == 2 and len(done.problems) == 1 and ENTRY in done.problems[0]
        register.close()


def test_of_an_old_backup_nothing_past_its_time_can_be_read_and_it_goes_before_anything_is_served(
        house: House, tmp_path: Path, request: pytest.FixtureRequest) -> None:  # noqa: F811
    house.take(1)
    house.take(2, days=36)
    backup = shutil.copytree(house.vault.root, tmp_path / "backup")
    later = EXPIRES + timedelta(days=1)
    house.purge(later)
    shutil.rmtree(house.vault.root)
    shutil.copytree(backup, house.vault.root)
    assert house.vault.path(AUDIO).exists()
    with databases(request, "sqlite", fresh_folder(tmp_path)) as url:
        fresh = House(house.root, url, furnished=True)
        fresh.purge(later + timedelta(hours=1))
        assert not fresh.vault.path(AUDIO).exists() and not fresh.vault.path(ENTRY).exists()
        done = rebuild(fresh.vault, fresh.register, later + timedelta(hours=1))
        assert (done.calls, done.past) == (1, 0) and [entry.id for entry in fresh.alive()] == [UUID(int=2 << 64)]
        fresh.register.close()


def test_rebuilding_leaves_out_what_is_past_its_time_even_with_the_key_there(
        house: House, tmp_path: Path, request: pytest.FixtureRequest) -> None:  # noqa: F811
    house.take(1)
    with databases(request, "sqlite", fresh_folder(tmp_path)) as url:
        register = Register.open(url)
        assert rebuild(house.vault, register, EXPIRES).past == 1
        assert rebuild(house.vault, register, EXPIRES + timedelta(days=1)).past == 1
        register.close()


def test_debians_age_opens_a_sealed_pair(house: House) -> None:  # noqa: F811
    if shutil.which("age") is None:
        if os.geteuid() != 0:
            pytest.skip("age is not installed")
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", "age"], check=True, capture_output=True)
    house.take(1)
    key = str(house.root / "keys" / "2026-12-24.key")
    opened = [subprocess.run(["age", "-d", "-i", key, str(house.vault.path(file))], check=True, capture_output=True).stdout
              for file in (ENTRY, AUDIO)]
    assert TICKET.caller.encode() in opened[0] and opened[1].startswith(b"RIFF")
