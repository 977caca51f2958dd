"""A machine that was set up once in a run of the tests, and is copied: what our commands make there depends on the configuration
alone, but for where it lies and the port of the scripts, which some of its files name.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

PATTERNS: Path | None = None
"""The folder of what was set up; None: every machine is set up by itself. A session of the tests has one (tests/conftest.py)."""

NAME_PLACES = (".toml", ".json", ".conf")
NOT_COPIED = {"pbx", "bin", "ami-bridge.toml"}
"""Of the folder itself: what a machine with an exchange writes before it is furnished."""
HOME, SCRIPTS = "@HOME@", "127.0.0.1:@PORT@"


def furnish(home: Path, agi_port: int | str, wish: object, set_up: Callable[[], object]) -> None:
    """Fill `home` by `set_up`, or, when a machine of the same wish (what of its configuration is not a place) was, by a copy."""
    if PATTERNS is None:
        set_up()
        return
    places = {str(home): HOME, f"127.0.0.1:{agi_port}": SCRIPTS}
    day = datetime.now(UTC).date()  # its keys are those of the days from today on
    with _alone(PATTERNS / sha256(f"{day}{wish!r}".replace(str(home), HOME).encode()).hexdigest()) as pattern:
        if pattern.exists():
            _copy(pattern, home, {there: here for here, there in places.items()})
        else:
            set_up()
            _copy(home, pattern, places)


def _copy(source: Path, target: Path, places: Mapping[str, str]) -> None:
    """Put all of a folder in the place of what is in another, and have it say where it lies."""
    target.mkdir(exist_ok=True)
    for path in source.iterdir():
        if path.name not in NOT_COPIED:
            _put(path, target / path.name)
            for copied in (target / path.name, *(target / path.name).rglob("*")):
                if copied.suffix in NAME_PLACES and copied.is_file():
                    _say(copied, places)


def _put(path: Path, copy: Path) -> None:
    if path.is_dir():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(path, copy, symlinks=True)
    else:
        shutil.copy2(path, copy, follow_symlinks=False)


def _say(path: Path, places: Mapping[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for here, there in places.items():
        text = text.replace(here, there)
    path.write_text(text, encoding="utf-8")


@contextmanager
def _alone(pattern: Path) -> Iterator[Path]:
    """Have everybody else who wants the same wait."""
    pattern.parent.mkdir(exist_ok=True)
    with pattern.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield pattern
