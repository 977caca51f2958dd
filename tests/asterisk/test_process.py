"""As whom a process runs, and where that user gets to."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ami_bridge.asterisk.process import Identity, named, running

NOBODY = 65534
SOMEBODY = Identity(1234, 1234, frozenset({4321}))


def test_a_running_asterisk_is_seen_with_its_umask(tmp_path: Path) -> None:
    program = Path(shutil.copy("/bin/sleep", tmp_path / "asterisk"))
    with subprocess.Popen([program, "60"], umask=0o027) as process:
        try:
            while Path(f"/proc/{process.pid}/comm").read_text() != "asterisk\n":  # the kernel names it a moment after Popen returns
                time.sleep(0.01)
            (tmp_path / "asterisk.pid").write_text(f"{process.pid}\n")
            seen = running(tmp_path)
            assert seen and (seen.uid, seen.gid, seen.umask) == (os.geteuid(), os.getegid(), 0o027)
            (tmp_path / "asterisk.pid").write_text(f"{os.getpid()}\n")
            assert running(tmp_path) is None, "that is no Asterisk"
        finally:
            process.kill()


@pytest.mark.parametrize("text", [None, "", "no number", "999999999"])
def test_one_that_does_not_run_is_not_seen(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "asterisk.pid").write_text(text)
    assert running(tmp_path) is None


def test_a_user_by_name() -> None:
    assert named("root", "") == Identity(0, 0, frozenset(os.getgrouplist("root", 0)))
    assert named("no-such-user", "") is None and named("root", "no-such-group") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="changes owners")
@pytest.mark.parametrize(("owner", "group", "mode", "may"), [
    (1234, 0, 0o200, True), (1234, 4321, 0o020, False), (0, 1234, 0o020, True), (0, 4321, 0o020, True), (0, 0, 0o002, True),
    (0, 4321, 0o702, False), (0, 0, 0o770, False)])
def test_the_bits_of_a_file(tmp_path: Path, owner: int, group: int, mode: int, may: bool) -> None:
    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", owner, group)
    (tmp_path / "file").chmod(mode)
    assert SOMEBODY.may(tmp_path / "file", os.W_OK) is may


def test_the_folder_in_the_way_is_named() -> None:
    with TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        inner = Path(root, "a", "b")
        inner.mkdir(parents=True)
        (inner / "file").touch(0o644)
        nobody = Identity(NOBODY, NOBODY, frozenset())
        assert nobody.stopped_at(inner / "file", os.R_OK) is None
        assert nobody.stopped_at(inner / "file", os.W_OK) == inner / "file"
        Path(root, "a").chmod(0o750)
        assert nobody.stopped_at(inner / "file", os.R_OK) == Path(root, "a")
        assert Identity(0, 0, frozenset()).stopped_at(inner / "file", os.W_OK) is None
