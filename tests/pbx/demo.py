"""`make demo`: a real Asterisk, real SIP calls with sound, and what ami-bridge made of them. Nothing stays behind."""

import sys
import tempfile
import time
from pathlib import Path

from tests.pbx.phones import Phone, answer, call
from tests.pbx.system import System

NOTICE = 12.0
"""Seconds after which the spoken notice is surely over."""


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def place_calls(system: System) -> None:
    """Five calls at once, then two that nobody gets to talk in."""
    pbx = system.pbx
    say("Calls: one from outside to an extension, one to the queue, one to outside, one internal, one impatient caller ...")
    answer(pbx, "6001", tone=660, n=None)
    answer(pbx, "6003", tone=550, n=None)
    answer(pbx, "trunk", tone=770, n=None)
    phones = [
        call(pbx, "1000", caller="0401234567", name='"; rm -rf /', tone=440, talk=NOTICE + 8),
        call(pbx, "0507654321", source="6002", tone=480, talk=10),
        call(pbx, "6003", source="6002", tone=500, talk=NOTICE + 3),
        call(pbx, "1000", caller="0449998877", tone=520, talk=2.0),
    ]
    finish(phones)
    finish([call(pbx, "2000", caller="+358 9 1234567".replace(" ", ""), tone=440, talk=NOTICE + 5)])
    system.registered(5, timeout=20)


def finish(phones: list[Phone]) -> None:
    """Wait until everybody has hung up."""
    for phone in phones:
        phone.wait(90)


def show(system: System) -> None:
    """What an admin would type, and what it prints."""
    for words in (["calls"], ["show", str(system.calls()[0].id), "--purpose", "service"]):
        print(f"\n$ ami-bridge {' '.join(words)}")
        print(system.command(*words), end="")
    print()
    recording = next(entry for entry in system.calls() if entry.recordings)
    say(f"In the vault: {sum(1 for _ in (system.home / 'vault').rglob('*.wav.age'))} sealed recordings, such as "
        f"{system.audio(recording).relative_to(system.home)}, each from after the notice on.")


def main() -> int:
    """Run the demonstration in a temporary folder."""
    begun = time.monotonic()
    print("ami-bridge: a demonstration with a real Asterisk and real calls (on loopback only)\n")
    with tempfile.TemporaryDirectory(prefix="ami-bridge-demo-") as folder:
        say("Starting Asterisk and the daemon ...")
        with System(Path(folder), spoken=True) as system:
            version = system.pbx.rx("core show version").split(" built")[0]
            say(f"{version} is up; the daemon follows it.")
            place_calls(system)
            show(system)
    say(f"Done in {time.monotonic() - begun:.0f} s. Everything is stopped and removed. Next: docs/tutorial.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
