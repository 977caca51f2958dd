"""What else holds callers' data goes in its time, and nothing younger."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ami_bridge.services.sweep import Sweep, line_time, trim
from ami_bridge.spool import Spool

NOW = datetime(2026, 12, 25, 3, tzinfo=UTC)
BORN = NOW - timedelta(days=31)


def aged(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("0401234567")
    moment = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_leftovers_of_the_spool_and_listed_files_go_when_they_are_as_old_as_recordings_may_be(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.create()
    old = [aged(spool.live / "a.wav", 32), aged(spool.tickets / "x.damaged", 40), aged(tmp_path / "exports" / "1.wav", 31)]
    young = [aged(spool.live / "b.wav", 30.9), aged(tmp_path / "exports" / "2.wav", 1), aged(tmp_path / "other" / "3.wav", 99)]
    (tmp_path / "exports" / "link").symlink_to(tmp_path / "other" / "3.wav")
    sweep = Sweep(spool=spool, days=31, leftovers=(f"{tmp_path}/exports/*", f"{tmp_path}/nowhere/*"))
    assert sweep(NOW) == {"spool": 2, "leftovers": 1, "journal lines": 0}
    assert not any(path.exists() for path in old) and all(path.exists() for path in young)


def test_of_a_diary_each_line_goes_in_its_own_time(tmp_path: Path) -> None:
    diary = tmp_path / "Master.csv"
    lines = [f'"","0401234567","{BORN + timedelta(days=n):%Y-%m-%d %H:%M:%S}","x, y"\n' for n in (-2, -1, 1, 2)]
    diary.write_text("".join(lines))
    assert trim(diary, BORN, NOW) == 2 and not diary.exists()
    (aside,) = tmp_path.iterdir()
    assert aside.read_text() == "".join(lines[2:])
    diary.write_text(lines[3])
    assert trim(diary, BORN + timedelta(days=1, hours=1), NOW + timedelta(days=1)) == 1
    assert trim(diary, BORN + timedelta(days=3), NOW + timedelta(days=3)) == 2 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("line", "expected"), [
    ("1764000000.25,0401234567", datetime.fromtimestamp(1764000000.25, UTC)),
    ('"0401234567","1764000000"', datetime.fromtimestamp(1764000000, UTC)),
    ('"a","2026-11-23 12:00:00"', datetime(2026, 11, 23, 12).astimezone(UTC)),
    ("nothing,here", None), ("", None),
])
def test_the_time_of_a_line(line: str, expected: datetime | None) -> None:
    assert line_time(line) == expected


def test_a_line_without_a_time_goes_with_its_file(tmp_path: Path) -> None:
    path = aged(tmp_path / "diary.csv.1", 40)
    assert trim(tmp_path / "diary.csv", BORN, NOW) == 1 and not path.exists()
