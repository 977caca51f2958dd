"""Sealing: our vault, which reads back what it wrote, against plain `age` and against `cp` on the same files.

In memory, so that no disk is measured. `age` runs once a file, as a script would run it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from ami_bridge.app import new_id, now
from ami_bridge.vault import KeyStore, Vault, audio_file, day_key
from bench.pbx import memory_folder
from bench.report import Comparison, Figure

DAY = day_key(date(2026, 12, 25))
AGAINST_AGE = 0.8
SIZES = {"calls of 2 min": (2 << 20, 40), "calls of 1 h": (58 << 20, 3)}


def run(*, quick: bool) -> Iterator[Comparison]:
    """Give MB/s of each for short and for long calls."""
    ensure_age()
    for name, (size, count) in SIZES.items():
        found = measured(size, count if not quick else max(1, count // 4), runs=3 if quick else 5)
        for peer, wanted in (("age", AGAINST_AGE), ("cp", None)):
            yield Comparison(name=f"sealing, {name}", unit="MB/s", ours=found["ours"], peer_name=peer, peer=found[peer],
                             wanted=wanted, remark="ours is read back and opened again; age and cp are not")


def ensure_age() -> None:
    """Install Debian's `age` where it is missing."""
    if shutil.which("age") is None:
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", "age"],
                       check=True, stdout=subprocess.DEVNULL, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})


def measured(size: int, count: int, runs: int) -> dict[str, Figure]:
    """Return the MB/s of each, the runs taking turns."""
    folder = memory_folder()
    try:
        sources = [folder / f"{number}.wav" for number in range(count)]
        for source in sources:
            source.write_bytes(os.urandom(size))
        ways = {"ours": ours(folder), "age": age(folder), "cp": copy(folder)}
        for way in ways.values():
            way(sources[0])
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, way in ways.items():
                found[name].append(size * count / 1e6 / seconds(way, sources))
        return {name: Figure.of(rates) for name, rates in found.items()}
    finally:
        shutil.rmtree(folder)


def seconds(way: Callable[[Path], None], sources: list[Path]) -> float:
    """Return how long it takes over all files."""
    begun = time.perf_counter()
    for source in sources:
        way(source)
    return time.perf_counter() - begun


def ours(folder: Path) -> Callable[[Path], None]:
    """Seal as intake does, with the private half at hand."""
    keys = KeyStore(folder / "recipients", folder / "keys")
    keys.create()
    keys.make([DAY])
    vault = Vault(folder / "vault", keys)
    vault.create()

    def seal(source: Path) -> None:
        with source.open("rb") as file:
            vault.seal(audio_file(DAY, new_id(now())), file)
        vault.settle(DAY)

    return seal


def age(folder: Path) -> Callable[[Path], None]:
    """Seal with the command `age` to the same key."""
    recipient = folder / "recipients" / f"{DAY}.pub"
    return lambda source: run_quietly("age", "-R", str(recipient), "-o", f"{source}.age", str(source))


def copy(folder: Path) -> Callable[[Path], None]:
    """Copy with `cp`."""
    return lambda source: run_quietly("cp", str(source), f"{source}.copy")


def run_quietly(*command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True)
