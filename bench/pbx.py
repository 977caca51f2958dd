"""The PBX under test, as the benchmarks use it: quiet logs, live audio on a tmpfs, the kept one on disk."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ami_bridge.sound import convert
from tests.pbx.asterisk import BARE_DIALPLAN, Pbx
from tests.pbx.settings import Settings
from tests.pbx.system import NOTICE_HZ, NOTICE_SECONDS, System
from tests.pbx.tones import tone_wav

QUIET = "[general]\n\n[logfiles]\nfull => warning,error\n"


def memory_folder() -> Path:
    """Return a fresh folder on a tmpfs; on disk where there is none."""
    shared = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="ami-bridge-bench-", dir=shared if shared.is_dir() else None))


@contextmanager
def folders() -> Iterator[tuple[Path, Path]]:
    """Give a folder on disk and one in memory, and remove both."""
    disk, memory = Path(tempfile.mkdtemp(prefix="ami-bridge-bench-")), memory_folder()
    try:
        yield disk, memory
    finally:
        shutil.rmtree(disk, ignore_errors=True)
        shutil.rmtree(memory, ignore_errors=True)


def hush(pbx: Pbx) -> None:
    """Have Asterisk log warnings and errors only; what it would say of each step costs as much as the step."""
    (pbx.home / "etc" / "logger.conf").write_text(QUIET, encoding="utf-8")
    pbx.rx("logger reload")


@contextmanager
def recorded(url: str = "") -> Iterator[System]:
    """Run a PBX with ami-bridge on it, its spool in memory as we recommend."""
    with folders() as (disk, memory):
        (disk / "spool").symlink_to(memory, target_is_directory=True)
        with System(disk, url=url) as system:
            hush(system.pbx)
            yield system


@contextmanager
def bare() -> Iterator[Pbx]:
    """Run a PBX with Playback of the same prompt and MixMonitor into memory, without any software of ours."""
    with folders() as (disk, memory):
        prompt = _prompt(disk)
        choices = Settings(dialplan=BARE_DIALPLAN, globals={"RECORDINGS": str(memory), "PROMPT": str(prompt)})
        with Pbx(disk / "pbx", choices, binds=[disk]) as pbx:
            hush(pbx)
            yield pbx


def _prompt(folder: Path) -> Path:
    """Make the notice that `System` plays, in the same formats; return its path as Asterisk names it."""
    tone = tone_wav(folder / "tone.wav", NOTICE_HZ, NOTICE_SECONDS)
    return convert(tone, folder).files["wav"].with_suffix("")
