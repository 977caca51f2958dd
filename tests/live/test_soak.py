"""Some minutes of the soak: every kind of fault once, on PostgreSQL. `make soak` runs it for longer."""

from pathlib import Path

import pytest

from tests import postgresql
from tests.soak.run import Soak, Wish

pytestmark = [pytest.mark.live, pytest.mark.soak]

MOST_MEBIBYTES, MOST_FILES = 200, 100


def test_some_minutes_of_calls_and_faults_lose_double_and_silence_nothing(tmp_path: Path) -> None:
    if postgresql.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with Soak(tmp_path, Wish(seconds=160, rate=4, seed=2)) as soak:
        assert soak.run(), soak.verdict
    assert soak.verdict.answered > 400 and soak.verdict.kept > 0.8 * soak.verdict.answered
    assert set(soak.nemesis.struck) == {name.replace("_", " ") for name in (
        "kill_daemon", "stop_daemon_breathing", "cut_link", "half_open_link", "fill_disk", "kill_asterisk", "stop_database")}
    assert list(soak.system.spool.open_calls()) == [] and list(soak.system.spool.fallbacks()) == []
    assert max(mebibytes for _, mebibytes, _ in soak.memory) < MOST_MEBIBYTES
    assert max(files for _, _, files in soak.memory) < MOST_FILES
