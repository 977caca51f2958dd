"""A machine that was set up once in a run of the tests, and is copied: what our commands make there depends on the configuration
alone, but for where it lies and the port of the scripts, which two of its files name.
"""

import fcntl
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

PATTERNS: Path | None = None
"""The folder of what was set up; None: every machine is set up by itself. The tests' sessions share one."""

NAMES_PLACES = ("spool/policy.json", "ami_bridge_generated.conf")
NOT_COPIED = ("pbx", "bin", "ami-bridge.toml")
HOME, SCRIPTS = "@HOME@", "agi://127.0.0.1:@PORT@"


def furnish(home: Path, agi_port: int, wish: tuple[object, ...], set_up: Callable[[], None]) -> None:
    """Fill `home` by `set_up`, or, when a machine of the same wish (what of its configuration is not a place) was, by a copy."""
    if PATTERNS is None:
        set_up()
        return
    places = {str(home): HOME, f"agi://127.0.0.1:{agi_port}": SCRIPTS}
    with _alone(PATTERNS / sha256(repr(wish).encode()).hexdigest()) as pattern:
        if pattern.exists():
            _copy(pattern, home, {there: here for here, there in places.items()})
        else:
            set_up()
            _copy(home, pattern, places)


def _copy(source: Path, target: Path, places: dict[str, str]) -> None:
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=lambda at, names: NOT_COPIED if Path(at) == source else ())
    for name in NAMES_PLACES:
        text = (target / name).read_text(encoding="utf-8")
        for here, there in places.items():
            text = text.replace(here, there)
        (target / name).write_text(text, encoding="utf-8")


@contextmanager
def _alone(pattern: Path):
    """Have everybody else who wants the same wait."""
    pattern.parent.mkdir(exist_ok=True)
    with pattern.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield pattern
