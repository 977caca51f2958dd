"""Every command that the documentation shows is run, on hosts of its own; the few that are not are named here, each with its reason."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import postgresql
from tests.docs.hosts import HERE, Hosts
from tests.docs.pages import PAGES, ROOT, shown
from tests.pbx.system import System
from tests.samples import wav

NOT_HERE = {
    r"apt-get install ": "installs packages on the machine",
    r"\S+/pip install ": "installs this program; the pages that need it are followed word by word on a clean machine",
    r"useradd ": "makes a user of the system; those of the page are nobody's here",
    r"install -d -o ami-bridge ": "gives folders to that user",
    r"install -o root -g ami-bridge ": "gives files to that user's group",
    r"ami-bridge account password ": "asks at the keyboard; tests/cli/test_account.py",
    r"curl ": "asks a console that runs; tests/web/test_signing_in.py",
    r"dpkg ": "of the Debian package: tests/packaging/test_deb.py",
    r"systemctl ": "needs systemd as the first process; the units are tested in tests/units",
    r"journalctl ": "needs systemd's journal; what we write there is read in tests/live/test_journald.py",
    r"ami-bridge init( |$)": "changes Asterisk's configuration and the system; run in tests/live/test_new_user.py and tests/cli",
    r"fwconsole ": "needs FreePBX, which is in no package index",
    r"asterisk -rx ": "asked of a real Asterisk below",
    r"make ": "this repository's own; that the target is there is asked below",
}
"""How a command begins that is not run on the hosts -> why not."""

ELSEWHERE = {"docs/howto-existing-asterisk.md": "followed word by word on a clean machine with Asterisk"}
"""Pages whose commands another test runs."""

KEY_HOST = ("On the key host", "Where the console runs", "Restore drill", "Hold a call")
HOSTS = {heading: "keyhost" for heading in KEY_HOST}
"""Heading -> the host on which what stands below it is typed; elsewhere it is the exchange's."""

NEEDED = {"rsync": "rsync", "restic": "restic", "openssl": "openssl"}
"""Program -> package, of what the pages use and a machine may lack."""

ENDS = {"ami-bridge doctor": 1, "ami-bridge status": 1, "ami-bridge notice-check": 1}
"""Command -> exit code, where it is not 0: there is no Asterisk for the doctor, no daemon runs, and no purge ever did."""

OWN_TEST = {"docs/howto-backup.md", "docs/howto-keys-elsewhere.md", "docs/howto-postgresql.md"}
"""Pages that are followed by a test of their own, which sees what came of it."""

CALLS = f"{shlex.quote(sys.executable)} -m tests.docs.calls"
AS_USER = "runuser -u ami-bridge -- "

BLOCKS = [one for page in PAGES for one in shown(page)]
COMMANDS = [command for one in BLOCKS for command in one.commands]
FOLLOWED = sorted({one.page for one in BLOCKS if one.commands or one.settings} - OWN_TEST - ELSEWHERE.keys())


def beginning(command: str) -> str | None:
    return next((known for known in NOT_HERE if re.match(known, command)), None)


def install(packages: list[str]) -> None:
    if packages:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        waiting = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
        subprocess.run([*waiting, "update"], check=True, capture_output=True, env=quiet)
        subprocess.run([*waiting, "install", "-y", "--no-install-recommends", *packages], check=True, capture_output=True, env=quiet)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host on which ``init`` was run, two calls were taken in, and the key of a day that is over was destroyed."""
    if os.geteuid() != 0:
        pytest.skip("hosts of one's own are mount namespaces: run this as root")
    install([package for program, package in NEEDED.items() if not shutil.which(program)])
    hosts = Hosts(tmp_path_factory.mktemp("hosts"))
    hosts.start()
    here = hosts.host("made") / HERE.strip("/")
    wav(here / "our-notice.wav")
    (here / "agents.csv").write_text("key,name,team,valid_from,valid_to\n6001,Maija Mäkinen,Service,2026-01-01,\n", "utf-8")
    hosts.said("made", "runuser -u ami-bridge -- ami-bridge init")
    hosts.set("made", {"exchange": {"name": "pbx"}, "purge": {"clock": "trusted"}})
    hosts.said("made", f"{AS_USER}{CALLS} past && {AS_USER}ami-bridge purge")
    return hosts.folder / "made"


@pytest.fixture
def hosts(tmp_path: Path, made: Path) -> Hosts:
    hosts = Hosts(tmp_path)
    hosts.start()
    hosts.host("exchange", like=made)
    return hosts


def follow(hosts: Hosts, page: str, at: dict[str, Callable[[], object]] | None = None) -> dict[str, str]:
    """Do what a page says, in its order, and return what each command said; ``at``: what happens when a heading is reached."""
    ahead, said = dict(at or {}), {}
    for one in shown(ROOT / page):
        ahead.pop(one.heading, lambda: None)()
        host = HOSTS.get(one.heading, "exchange")
        if one.settings:
            hosts.set(host, one.settings)
        for command in one.commands:
            if not beginning(command):
                done = hosts.run(host, filled(hosts, host, command))
                assert done.returncode == ENDS.get(command.removeprefix(AS_USER), 0), (page, host, command, done.stdout + done.stderr)
                said[command.removeprefix(AS_USER)] = done.stdout
    assert not ahead, "there is no such heading above a command"
    return said


def filled(hosts: Hosts, host: str, command: str) -> str:
    """Put the ids of a call and of a hold where the page has words for them."""
    for word, asked in (("CALL_ID", "calls"), ("HOLD_ID", "hold list")):
        if word in command:
            command = command.replace(word, json.loads(hosts.said(host, f"ami-bridge {asked} --json"))[0]["id"])
    return command


def calls(hosts: Hosts, host: str = "exchange") -> list[str]:
    return sorted(call["caller"] for call in json.loads(hosts.said(host, "ami-bridge calls --json")))


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page_can_be_followed(hosts: Hosts, page: str) -> None:
    follow(hosts, page)
    hosts.said("exchange", "ami-bridge dialplan")


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_the_settings_of_a_page_that_is_followed_elsewhere_are_settings(hosts: Hosts, page: str) -> None:
    for one in shown(ROOT / page):
        hosts.set("exchange", one.settings)
    hosts.said("exchange", "ami-bridge dialplan")


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    assert NOT_HERE.keys() == {known for command in COMMANDS if (known := beginning(command))}
    assert {one.page for one in BLOCKS if one.commands} >= ELSEWHERE.keys()


def test_what_is_not_a_program_is_taken_for_no_command() -> None:
    """What a page shows and does not mean to be typed must look like it, or say so: ```text."""
    elsewhere = {command for one in BLOCKS if one.page in ELSEWHERE for command in one.commands}
    for command in set(COMMANDS) - elsewhere:
        program = shlex.split(command)[0]
        assert beginning(command) or program in ("ami-bridge", "cd", *NEEDED) or shutil.which(program), command


def test_every_target_of_make_is_there() -> None:
    for command in {command for command in COMMANDS if command.startswith("make ")}:
        subprocess.run(["make", "--dry-run", *shlex.split(command, comments=True)[1:]], cwd=ROOT, check=True, capture_output=True)


def test_every_unit_is_there() -> None:
    units = {path.name for path in (ROOT / "ami_bridge" / "units").iterdir()}
    for command in COMMANDS:
        named = re.findall(r" (ami-bridge[\w.-]*)", command) if command.startswith("systemctl ") else []
        assert {name if "." in name else f"{name}.service" for name in named} <= units, command


@pytest.mark.live
@pytest.mark.no_stream
def test_asterisk_knows_what_it_is_asked(tmp_path: Path) -> None:
    asked = {shlex.split(command)[2] for command in COMMANDS if command.startswith("asterisk -rx ")}
    with System(tmp_path) as system:
        for words in sorted(asked):
            said = system.pbx.rx(f"core show help {words}" if "restart" in words else words)
            assert not re.search("no such (command|user|module)|not found|unable", said, re.IGNORECASE), (words, said)


def test_a_backup_brings_the_calls_back(hosts: Hosts) -> None:
    both = calls(hosts)
    lost = "rm -r /var/lib/ami-bridge/vault /var/lib/ami-bridge/certificates /var/lib/ami-bridge/keys /etc/ami-bridge"
    for name in ("backup", "vaultkeeper"):
        hosts.host(name)
    follow(hosts, "docs/howto-backup.md", {"Restore": lambda: hosts.said("exchange", lost)})
    assert calls(hosts) == both and len(both) == 2
    assert sorted(hosts.said("vaultkeeper", "ls /srv/ami-bridge-keys").split()) == sorted(
        hosts.said("exchange", "ls /var/lib/ami-bridge/keys").split())
    assert "all agree" in hosts.said("exchange", "ami-bridge verify --all")


def second_night(hosts: Hosts) -> None:
    """The host of the keys has a console, so accounts and a trail; what it does every night it does again, with one more call."""
    hosts.said("keyhost", f"{AS_USER}ami-bridge account add maija --name Maija --language fi")
    hosts.said("exchange", CALLS)
    before = json.loads(hosts.said("keyhost", "ami-bridge audit list --json"))
    for one in shown(ROOT / "docs/howto-keys-elsewhere.md"):
        for command in one.commands if one.heading == "Where the console runs" else ():
            hosts.said("keyhost", command)
    assert len(calls(hosts, "keyhost")) == 4 and "maija" in hosts.said("keyhost", "ami-bridge account list")
    assert json.loads(hosts.said("keyhost", "ami-bridge audit list --json"))[:len(before)] == before
    assert "Vouched for by a signed head" in hosts.said("keyhost", "ami-bridge audit verify")


def test_with_the_keys_elsewhere_the_exchange_seals_and_only_the_key_host_opens(hosts: Hosts) -> None:
    both = calls(hosts)
    hosts.host("keyhost")
    said = follow(hosts, "docs/howto-keys-elsewhere.md", {
        "Where the console runs": lambda: hosts.set("keyhost", {"purge": {"clock": "trusted"}}), "Restore drill": lambda: second_night(hosts)})
    assert [out for command, out in said.items() if "--dry-run" in command] == [""]
    assert said["ami-bridge rebuild --add"].startswith("4 calls") and "4 opened; all agree" in said["ami-bridge verify --all"]
    assert calls(hosts, "keyhost") == calls(hosts) and len(calls(hosts)) == 4 and not [*(hosts.folder / "exchange").rglob("keys/*.key")]
    hosts.said("exchange", CALLS)
    assert calls(hosts) == sorted(both * 3) and "0 opened" in hosts.said("exchange", "ami-bridge verify --all")


@contextmanager
def server_of(hosts: Hosts) -> Iterator[None]:
    """A PostgreSQL server where Debian's package has it on every host."""
    programs = postgresql.binaries()
    assert programs
    with postgresql.running(programs) as server:
        (hosts.folder / "postgresql").symlink_to(server.folder)
        yield


@pytest.mark.postgresql
def test_a_register_is_made_on_postgresql(hosts: Hosts) -> None:
    def made() -> None:
        hosts.said("exchange", CALLS)
        assert len(calls(hosts)) == 2

    with server_of(hosts):
        follow(hosts, "docs/howto-postgresql.md", {"A server on another machine": made})
