"""The notice after real calls: all that can be kept is kept; then one thing at a time is broken, and named by its clause."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ami_bridge.cli import VERBS
from ami_bridge.config import load
from ami_bridge.core.entries import Entry
from ami_bridge.core.promise_evidence import Verdict
from ami_bridge.core.promises import Line
from ami_bridge.services.promises import examine
from tests.pbx.phones import answer, call
from tests.pbx.system import System

pytestmark = [pytest.mark.live, pytest.mark.no_stream]

CALLER, NAME = "0459998877", "Liisa Ångström"
CONTROLLER = """
[controller]
name = "City of Example"
address = "Main Street 1, 00100 Helsinki"
phone = "09 310 1691"
data_protection_officer = "dpo@example.org"
"""
FOR_A_PERSON = {"copies", "other-programs", "backup", "accounts", "published", "supervision"}
OF_THE_MACHINE = {"timer", "at-rest", "elsewhere", "duties"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("promises"), more=CONTROLLER) as system:
        system.config_file.chmod(0o600)
        for count in (1, 2):
            agent, caller = answer(system.pbx, "6001"), call(system.pbx, "1000", caller=CALLER, name=NAME, talk=4.0)
            assert caller.wait().ok and agent.wait().ok
            system.registered(count)
        system.wait_for(lambda: not open_gaps(system), "the end of the gap of the start", 30)
        yield system


def open_gaps(system: System) -> list:
    with system.reading() as work:
        return work.gaps.open("pbxtest")


def checked(system: System) -> tuple[int, dict[str, dict[str, str]]]:
    """What the verb says, by what it looked at, and its exit code."""
    done = subprocess.run([sys.executable, "-m", "ami_bridge", "notice-check", "--json"], capture_output=True, text=True,
                          timeout=120, env=system.environment())
    assert CALLER not in done.stdout + done.stderr and "Mäkinen" not in done.stdout and not done.stderr, done.stderr
    return done.returncode, {line["about"]: line for line in json.loads(done.stdout)}


def later(system: System, entry: Entry, by: timedelta) -> dict[str, Line]:
    """What would be said some time after a call's expiry, if nothing were destroyed."""
    lines = examine(load(system.config_file), system.config_file, entry.expires_at + by, tuple(VERBS))
    return {line.about: line for line in lines}


def test_after_real_calls_all_that_can_be_kept_is_kept(system: System) -> None:
    code, lines = checked(system)
    others = {about: line["reason"] for about, line in lines.items() if line["verdict"] != "kept"}
    assert code == 0 and others.keys() - OF_THE_MACHINE == FOR_A_PERSON, others
    assert lines["proofs"]["reason"] == "2 recorded calls: 2 heard the notice to its last sample, 0 internal without one"
    assert lines["proved-prompts"]["reason"].startswith("1 version of notices")
    assert lines["whole"]["reason"] == "4 sealed files registered, all in the vault, and no other"
    assert lines["sealed"]["reason"].startswith("4 files in the vault")
    assert lines["search"]["reason"].endswith("worked") and lines["opening"]["reason"].endswith("worked")


@contextmanager
def sql(system: System, breaking: str) -> Iterator[None]:
    """A change to the register that is undone: the file is put back as it was, while the daemon has nothing to write."""
    engine = create_engine(load(system.config_file).register.url)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT * FROM notice_proofs")).mappings().all()
        connection.execute(text(breaking))
        connection.commit()
        yield
        connection.execute(text("DELETE FROM notice_proofs"))
        names = ", ".join(kept[0])
        connection.execute(text(f"INSERT INTO notice_proofs ({names}) VALUES ({', '.join(f':{name}' for name in kept[0])})"),
                           [dict(row) for row in kept])
        connection.commit()
    engine.dispose()


@contextmanager
def file(path: Path, content: bytes) -> Iterator[None]:
    """A file with another content, old enough to be no work in progress."""
    before = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
    os.utime(path, (1, 1))
    yield
    if before is None:
        path.unlink()
        with suppress(OSError):
            path.parent.rmdir()
    else:
        path.write_bytes(before)


def vault_folder(system: System) -> Path:
    return next((system.home / "vault").glob("2*"))


def a_sound(system: System) -> Path:
    return sorted(vault_folder(system).glob("*.wav.age"))[0]


def prompt(system: System) -> Path:
    return system.home / "prompts" / "en" / "recorded-v2.wav"


def harmed(path: Path) -> bytes:
    content = path.read_bytes()
    return content[:-2] + bytes([content[-2] ^ 1, content[-1]])


LAST_WEEK = f"{datetime.now(UTC).date() - timedelta(days=7)}"
BREAKS: dict[str, tuple[Callable, dict[str, tuple[str, str]]]] = {
    "no-proof": (lambda s: sql(s, "DELETE FROM notice_proofs WHERE call_id = (SELECT call_id FROM notice_proofs LIMIT 1)"),
                 {"proofs": ("N1", "1 of 2 recorded calls without proof of notice")}),
    "cut": (lambda s: sql(s, "UPDATE notice_proofs SET heard_samples = 4000"),
            {"proofs": ("N1", "2 of 2 recorded calls with a notice not heard to its end")}),
    "prompt": (lambda s: file(prompt(s), harmed(prompt(s))),
               {"prompts": ("N1", "was changed since it was added"), "proved-prompts": ("N1", "is not the one that callers heard")}),
    "unsealed": (lambda s: file(vault_folder(s) / "x.wav", b"RIFF"),
                 {"sealed": ("N9", "1 file in the vault not sealed"), "whole": ("N4", "1 file in the vault of no entry")}),
    "unsealed-in-disguise": (lambda s: file(a_sound(s), b"RIFF"), {"sealed": ("N9", "1 file in the vault not sealed")}),
    "key": (lambda s: file(s.home / "keys" / f"{LAST_WEEK}.key", b"AGE-SECRET-KEY-1\n"),
            {"keys": ("N8", "past its time and still here: 1 private key of a day")}),
    "folder": (lambda s: file(s.home / "vault" / LAST_WEEK / "x.wav.age", b"age-encryption.org/v1\n"),
               {"sealed-files": ("N8", "past its time and still here: 1 file of the vault"), "whole": ("N4", "of no entry")}),
    "spool": (lambda s: file(s.spool.live / "set-aside.damaged", b"RIFF"), {"spool": ("N8", "1 file of the spool, since 1970")}),
}


@pytest.mark.parametrize("what", list(BREAKS))
def test_what_is_broken_is_named_by_its_clause_with_the_reason(system: System, what: str) -> None:
    breaking, wanted = BREAKS[what]
    with breaking(system):
        code, lines = checked(system)
    found = {about: (line["clause"], line["reason"]) for about, line in lines.items() if line["verdict"] == "not kept"}
    assert code == 1 and found.keys() - {"opening"} == wanted.keys(), found
    for about, (clause, words) in wanted.items():
        assert found[about][0] == clause and words in found[about][1]
    assert checked(system)[0] == 0, "and it is kept again once that is mended"


def test_an_entry_past_its_time_is_named_once_the_nightly_job_had_its_hours(system: System) -> None:
    entry = max(system.calls(), key=lambda one: one.expires_at)
    early, late = later(system, entry, timedelta(hours=1)), later(system, entry, timedelta(days=3))
    assert early["entries"].verdict is Verdict.KEPT
    assert late["entries"].verdict is Verdict.BROKEN and "2 calls of the register" in late["entries"].reason
    assert late["sealed-files"].verdict is Verdict.BROKEN and "4 files of the vault" in late["sealed-files"].reason
    assert late["keys"].verdict is Verdict.BROKEN and late["runs"].verdict is Verdict.BROKEN


def test_while_the_exchange_is_not_heard_it_is_not_checkable_who_was_recorded(system: System) -> None:
    system.stop_daemon()
    _, lines = checked(system)
    assert lines["hearing"]["verdict"] == "not checkable"
    since = time.time()
    system.start_daemon()
    system.wait_for(lambda: system.spool.heard.stat().st_mtime > since and not open_gaps(system), "the end of the gap", 30)
    assert checked(system)[1]["hearing"]["verdict"] == "kept"
