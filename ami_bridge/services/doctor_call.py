"""The doctor's test call: a call file, by which Asterisk itself asks our daemon and records two seconds, end to end.

Our manager user may not place calls, and shall not. Nobody is called: a Local channel leads into ``recorded-call-doctor``
(``dialplan/extensions_recording.conf``), which tells of each step by a user event. Nothing of it stays.
Source: Asterisk 22 ``pbx/pbx_spool.c`` (call files), facts 2, 11.
"""

import asyncio
import os
import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ami_bridge.asterisk.examining import Visit, visiting
from ami_bridge.asterisk.files import HEADER, measure
from ami_bridge.config import Config
from ami_bridge.core.errors import AmiBridgeError
from ami_bridge.services.doctor_asterisk import Asterisk, found
from ami_bridge.services.doctor_exchange import settings_of
from ami_bridge.services.findings import Finding, error, ok, warning
from ami_bridge.sound import QUIETEST
from ami_bridge.spool import Spool

NAME = "test-call"
CALL = """\
Channel: Local/s@recorded-call-doctor/n
Application: Wait
Data: 15
MaxRetries: 0
WaitTime: 5
Setvar: REC_DOCTOR={token}
"""
MODE = 0o660
"""Asterisk opens a call file for reading and writing, and notes in it that it began."""

TO_BEGIN, TO_END = 8.0, 14.0
"""Seconds in which Asterisk should have begun the call, and come to its end: two of a tone, ten at the most."""

SHORTEST, LONGEST = 1.5, 3.0
"""Seconds that a recording of two may have."""

GROUP_READS = 0o040
TIMING = "See Asterisk's log; is a timing module (res_timing_timerfd.so) loaded?"
INCLUDE = "#include extensions_recording.conf in extensions.conf, then run asterisk -rx 'dialplan reload'."


def test_call(config: Config, insist: bool) -> Iterator[Finding]:
    """Place the call where this user may. ``insist``: whether it is an error that it may not."""
    exchange = found(config)
    left_out = error if insist else warning
    if config.exchange.configuration is None and not insist:
        return
    if obstacle := why_not(config.exchange.configuration, exchange):
        yield left_out(NAME, f"the test call was left out: {obstacle}",
                       "Run the doctor as root on Asterisk's host, or with --no-call.")
        return
    try:
        steps, taken = asyncio.run(placed(config, exchange))
    except AmiBridgeError:
        yield left_out(NAME, "the test call was left out: our manager user cannot log in", "See 'ami', above.")
        return
    try:
        yield from verdict(config, steps, taken, Spool(config.spool.directory).trial(steps["token"]))
    finally:
        Spool(config.spool.directory).trial(steps["token"]).unlink(missing_ok=True)


def why_not(configuration: Path | None, exchange: Asterisk) -> str:
    """Return why no call file can be put into Asterisk's folder; empty when it can."""
    if configuration is None or not configuration.is_dir():
        return f"there is no Asterisk on this host, by [exchange] configuration ({configuration or 'empty'})"
    if not os.path.isdir(exchange.outgoing):  # noqa: PTH112 - pathlib's raises where it may not look
        return f"the folder {exchange.outgoing} is not there, or not to be seen"
    shut = [folder for folder in (exchange.spool, exchange.outgoing) if not os.access(folder, os.W_OK | os.X_OK)]
    return f"this user cannot write in {shut[0]}" if shut else ""


async def placed(config: Config, exchange: Asterisk) -> tuple[dict[str, str], bool]:
    """Place the call and listen; return what each step said, by its name, and whether Asterisk took the call file.

    Errors as of ``visiting``. ``token`` among the steps is the call's number.
    """
    async with visiting(settings_of(config, events="user")) as visit:
        file = put(exchange, visit.token)
        try:
            steps = await told(visit)
            return steps, not file.exists() or "begun" in steps
        finally:
            with suppress(OSError):
                file.unlink(missing_ok=True)


def put(exchange: Asterisk, token: str) -> Path:
    """Put a call file into Asterisk's folder, whole and with the folder's owner; OSError when that cannot be."""
    file, draft = exchange.outgoing / f"ami-bridge-{token}.call", exchange.spool / f".ami-bridge-{token}.call"
    owner = exchange.outgoing.stat()
    try:
        draft.write_text(CALL.format(token=token), "ascii")
        with suppress(PermissionError):
            os.chown(draft, owner.st_uid if os.geteuid() == 0 else -1, owner.st_gid)
        draft.chmod(MODE)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return file


async def told(visit: Visit) -> dict[str, str]:
    """Listen until the last step, or until nothing more is to be hoped for; return what the steps said."""
    steps = {"token": visit.token}
    began = time.monotonic()
    while "recorded" not in steps:
        left = (TO_END if len(steps) > 1 else TO_BEGIN) - (time.monotonic() - began)
        try:
            async with asyncio.timeout(max(left, 0)):
                said = await visit.heard.get()
        except TimeoutError:
            break
        steps[said.get("Step", "")] = said.get("Ready", said.get("File", ""))
    return steps


def verdict(config: Config, steps: dict[str, str], taken: bool, sound: Path) -> Iterator[Finding]:
    """Judge how far the call came: the step that failed, and what to do."""
    if "begun" not in steps:
        yield not_begun(taken)
        return
    faults = [*answered(config, steps), *recorded(steps, sound)]
    yield from faults or [ok(NAME, "Asterisk asked the daemon and recorded two seconds")]


def not_begun(taken: bool) -> Finding:
    """Judge a call of which the dialplan told nothing."""
    if taken:
        return error(NAME, "Asterisk took the call file, but the context recorded-call-doctor did not run", INCLUDE)
    return error(NAME, "Asterisk did not take the call file out of its folder for outgoing calls",
                 "See that it runs, that [exchange] configuration names its folder, and that pbx_spool.so is loaded.")


def answered(config: Config, steps: dict[str, str]) -> Iterator[Finding]:
    """Judge the step in which Asterisk asks our daemon."""
    if steps.get("asked") != "1":
        where = f"{config.agi.host}:{config.agi.port}"
        what = "has no answer of the daemon" if "asked" in steps else "waited ten seconds for the daemon"
        yield error(NAME, f"Asterisk {what} over FastAGI at {where}",
                    "Start the daemon (systemctl start ami-bridge); if it runs, run asterisk -rx 'dialplan reload', and see "
                    "that Asterisk reaches that address.")


def recorded(steps: dict[str, str], sound: Path) -> Iterator[Finding]:
    """Judge the step in which Asterisk records."""
    if "recorded" not in steps:
        if "asked" in steps:
            yield error(NAME, "the test call ended before its recording did",
                        "See Asterisk's log; are app_mixmonitor.so and app_playtones.so loaded?")
    elif steps["recorded"] != "1":
        yield error(NAME, f"MixMonitor could not write in {sound.parent}",
                    "Let Asterisk's user write there: put it into the group of the folder, and restart Asterisk.")
    elif (fault := unheard(sound)) is not None:
        yield fault


def unheard(sound: Path) -> Finding | None:
    """Return what is wrong with the recording: not ours to read, of another length, silent; None when it is well."""
    try:
        if not sound.stat().st_mode & GROUP_READS:
            return error(NAME, "what Asterisk records, the daemon's group cannot read", "Set UMask=0027 in Asterisk's unit.")
        wav, loudest = measure(sound), loudness(sound)
    except FileNotFoundError:
        return error(NAME, f"Asterisk recorded, but not in {sound.parent}",
                     "See that Asterisk sees this very folder there (PrivateTmp, chroot), then 'dialplan reload'.")
    seconds = wav.frames / wav.rate
    if not wav.closed or not SHORTEST <= seconds <= LONGEST:
        return error(NAME, f"of two seconds Asterisk recorded {seconds:.1f}", TIMING)
    return None if loudest > QUIETEST else error(NAME, "Asterisk recorded silence instead of a tone", TIMING)


def loudness(sound: Path) -> int:
    """Return the loudest sample of a WAV file."""
    samples = array("h")
    content = sound.read_bytes()[HEADER.size:]
    samples.frombytes(content[:len(content) // 2 * 2])
    return max(map(abs, samples), default=0)
