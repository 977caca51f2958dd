"""The doctor finds each thing that is wrong, and says what to do."""

import asyncio
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ami_bridge.certificates import Certificates
from ami_bridge.config import Config
from ami_bridge.core.certificate import Certificate
from ami_bridge.core.destructions import Run, RunOutcome
from ami_bridge.register import Register
from ami_bridge.services import doctor
from ami_bridge.services.doctor import CHECKS, Status, counted, examine
from ami_bridge.services.doctor_exchange import hears_everybody, named
from ami_bridge.services.doctor_places import IN_LOGS, look, places
from ami_bridge.services.doctor_spool import in_memory, room
from ami_bridge.services.doctor_versions import known
from ami_bridge.services.findings import error, ok, warning
from ami_bridge.services.mounts import Mount, mount_of
from ami_bridge.vault import KeyStore
from tests.asterisk.exchange import SECRET, Exchange
from tests.cli.machine import REPOSITORY, Machine

SETTINGS = b"Response: Success\r\n%sAsteriskVersion: 22.10.1~dfsg+~cs6.15-1\r\nSystemName: pbx9\r\n\r\n"
NO_CHANNELS = (b"Response: Success\r\n%sEventList: start\r\n\r\n"
               b"Event: CoreShowChannelsComplete\r\n%sEventList: Complete\r\nListItems: 0\r\n\r\n")
MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
/dev/sdb /run/my\\040disk xfs rw 0 0
tmpfs /mnt tmpfs rw 0 0
/dev/sdc /mnt btrfs rw 0 0
"""
VERSIONS = {"22.10.1~dfsg+~cs6.15-1": "warning", "20.1.0~dfsg": "warning", "16.28.0~dfsg-0+deb11u4": "ok", "22.10.1": "ok",
            "": "ok", "certified/20.7-cert3": "ok"}


def findings(machine: Machine) -> dict[str, tuple[str, str]]:
    """Return the last finding of each name: status and the whole line."""
    result = machine.run("doctor")
    lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    found = {name: (status, f"{name} {rest}") for status, name, rest in lines}
    assert result.exit_code == any(status == "error" for status, _ in found.values())
    return found


@contextmanager
def exchange(prepare: Callable[[Exchange], None] = lambda one: None) -> Iterator[Exchange]:
    """Run the small exchange in a thread of its own."""
    loop, one = asyncio.new_event_loop(), Exchange()
    one.answers["CoreSettings"] = SETTINGS
    prepare(one)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(one.__aenter__(), loop).result(10)
    try:
        yield one
    finally:
        asyncio.run_coroutine_threadsafe(one.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def with_exchange(machine: Machine, one: Exchange, **more: str) -> Machine:
    ports = machine.ports | {"AMI_BRIDGE__AMI__PORT": str(one.port), "AMI_BRIDGE__AMI__SECRET": SECRET} | more
    return replace(machine, ports=ports)


def test_a_fresh_machine_lacks_only_exchange_and_daemon(machine: Machine) -> None:
    found = findings(machine)
    wrong = {name for name, (status, _) in found.items() if status == "error"}
    assert wrong == {"ami", "fastagi"}
    assert "Start Asterisk" in found["ami"][1] and "systemctl start ami-bridge" in found["fastagi"][1]
    assert {"configuration", "spool", "register", "prompts", "policy", "dialplan", "sox", "espeak-ng"} <= found.keys()


def test_json_holds_the_same(machine: Machine) -> None:
    result = machine.run("doctor", "--json")
    assert result.exit_code == 1
    assert '"name": "fastagi"' in result.stdout and '"status": "error"' in result.stdout and '"remedy"' in result.stdout


def test_without_configuration_there_is_one_finding(bare: Machine) -> None:
    found = findings(bare)
    assert found.keys() == {"configuration"} and "ami-bridge init" in found["configuration"][1]


def remove_prompt(machine: Machine) -> None:
    (machine.config.notice.directory / "en" / "recorded-v1.alaw").unlink()


def forget_prompts(machine: Machine) -> None:
    (machine.config.notice.directory / "manifest.json").unlink()


@pytest.mark.parametrize(("harm", "name", "said"), [
    (lambda m: (m.config.spool.directory / "live").rmdir(), "spool", "live is not there -> Run 'ami-bridge init'"),
    (lambda m: m.config.spool.directory.chmod(0o2777), "spool", "is open to everybody"),
    (lambda m: (m.folder / "state" / "register.db").unlink(), "register", "ami-bridge init"),
    (remove_prompt, "prompts", "recorded-v1.alaw is missing -> Add it again"),
    (forget_prompts, "prompts", "is there in no language"),
    (lambda m: (m.config.spool.directory / "policy.json").unlink(), "policy", "cannot be read (No such file or directory)"),
    (lambda m: (m.config.spool.directory / "policy.json").write_text("{"), "policy", "damaged"),
    (lambda m: m.file.write_text(m.file.read_text().replace('"inbound"', '"in"', 1)), "policy", "is not the configured one"),
    (lambda m: m.file.write_text(m.file.read_text().replace('"inbound"', '"in"', 1)), "dialplan", "is out of date"),
    (lambda m: (m.file.parent / "ami_bridge_generated.conf").unlink(), "dialplan", "cannot be read"),
])
def test_each_harm_is_found(machine: Machine, harm: Callable[[Machine], object], name: str, said: str) -> None:
    harm(machine)
    status, line = findings(machine)[name]
    assert status == "error" and said in line


def test_a_language_without_its_notice_is_a_warning(machine: Machine) -> None:
    two = replace(machine, ports=machine.ports | {"AMI_BRIDGE__NOTICE__LANGUAGES": '["en", "fi"]'})
    status, line = findings(two)["prompts"]
    assert status == "warning" and "is missing in fi" in line


def test_the_exchange_is_asked(machine: Machine) -> None:
    with exchange() as one:
        found = findings(with_exchange(machine, one, AMI_BRIDGE__EXCHANGE__NAME="pbx9"))
    assert found["ami"][0] == "ok" and found["exchange"][0] == "ok"
    assert found["asterisk"][0] == "warning" and "after a transfer" in found["asterisk"][1]


def test_an_exchange_of_another_name(machine: Machine) -> None:
    with exchange() as one:
        status, line = findings(with_exchange(machine, one, AMI_BRIDGE__EXCHANGE__NAME="pbx1"))["exchange"]
    assert status == "error" and "its name is pbx9, but [exchange] name is pbx1 -> Set systemname = pbx1" in line


def test_a_refused_login(machine: Machine) -> None:
    with exchange() as one:
        status, line = findings(with_exchange(machine, one, AMI_BRIDGE__AMI__SECRET="wrong"))["ami"]
    assert status == "error" and "refuses manager user 'ami-bridge'" in line and "manager.conf" in line


def test_a_port_that_does_not_speak_ami(machine: Machine) -> None:
    with exchange(lambda one: one.silent.add("Login")) as one:
        status, line = findings(with_exchange(machine, one))["ami"]
    assert status == "error" and "does not speak AMI" in line


def test_a_port_that_is_not_our_daemon(machine: Machine) -> None:
    with exchange() as one:
        status, line = findings(replace(machine, ports=machine.ports | {"AMI_BRIDGE__AGI__PORT": str(one.port)}))["fastagi"]
    assert status == "error" and "is not our daemon, or has another secret" in line


def test_capture_writes_a_fixture(machine: Machine) -> None:
    file = machine.folder / "stream.txt"
    with exchange() as one:
        one.answers["CoreShowChannels"] = NO_CHANNELS
        said = with_exchange(machine, one).said("capture", str(file), "--seconds", "1")
    assert said == f"0 events kept in {file}.\n" and file.read_bytes().startswith(b"# Asterisk 22.10.1")
    with exchange() as one:
        result = with_exchange(machine, one, AMI_BRIDGE__AMI__SECRET="wrong").run("capture", str(file), "--seconds", "5")
    assert result.exit_code == 6 and "refuses manager user" in result.stderr


@pytest.mark.parametrize(("folder", "kind"), [("/srv/x", "ext4"), ("/run/ami-bridge", "tmpfs"), ("/run/my disk/x", "xfs"),
                                              ("/mnt/x", "btrfs"), ("/runner", "ext4"), ("/", "ext4")])
def test_the_last_and_longest_mount_counts(folder: str, kind: str) -> None:
    assert mount_of(Path(folder), MOUNTS).kind == kind


def test_judgements() -> None:
    assert in_memory(Path("/run/x"), Mount("tmpfs", "/run", "tmpfs")).status is Status.OK
    assert in_memory(Path("/x"), Mount("/dev/sda1", "/", "ext4")).status is Status.WARNING
    assert [room(size << 20).status for size in (600, 400, 40)] == [Status.OK, Status.WARNING, Status.ERROR]
    assert named("", "a").reason == "it has no name, but [exchange] name is a"
    for version, status in VERSIONS.items():
        assert hears_everybody(version).status == status, version


# -- sealing and forgetting


def keys_of(machine: Machine) -> KeyStore:
    return KeyStore(machine.config.keys.recipients, machine.config.keys.private)


def keep_keys(machine: Machine, count: int) -> None:
    """Leave keys for the calls of ``count`` days only."""
    keys = keys_of(machine)
    for pair in keys.pairs()[31 + count:]:
        keys.destroy(pair.name)


def ran(machine: Machine, outcome: RunOutcome, at: datetime) -> None:
    with closing(Register.open(machine.config.register.url)) as register, register.writing() as work:
        work.destructions.record(Run(started_at=at, finished_at=at, outcome=outcome, boot="", since_boot=0.0))


def plain_sound(machine: Machine) -> None:
    (machine.config.vault.directory / "2026-12-24").mkdir()
    (machine.config.vault.directory / "2026-12-24" / "x.wav").touch()


def forge_certificate(machine: Machine) -> None:
    (machine.config.certificates.directory / "000001.json").write_text("{}")


def hours_ago(hours: int) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def test_a_fresh_machine_is_ready_to_seal_and_to_forget(machine: Machine) -> None:
    found = findings(machine)
    ready = ("keys", "private-keys", "vault", "certificates", "purge")
    assert [found[name][0] for name in ready] == ["ok"] * len(ready)
    assert "15 days" in found["keys"][1] and "46 are in" in found["private-keys"][1] and "has not run yet" in found["purge"][1]


@pytest.mark.parametrize(("harm", "name", "status", "said"), [
    (lambda m: keep_keys(m, 3), "keys", "warning", "suffice for 3 days only -> Run 'ami-bridge keys make'"),
    (lambda m: keep_keys(m, 0), "keys", "error", "no key for the calls of today"),
    (lambda m: m.config.keys.private.chmod(0o750), "private-keys", "error", "open to others than its owner -> Run 'chmod 0700"),
    (lambda m: next(m.config.keys.private.iterdir()).chmod(0o640), "private-keys", "error", "1 of 46 private keys"),
    (lambda m: m.config.vault.directory.chmod(0o755), "vault", "error", "open to everybody"),
    (lambda m: m.config.vault.directory.rmdir(), "vault", "error", "is not there -> Run 'ami-bridge init'"),
    (plain_sound, "vault", "error", "holds a sound file that is not sealed"),
    (lambda m: m.config.certificates.key.unlink(), "certificates", "error", "nothing can be destroyed -> Run 'ami-bridge init'"),
    (lambda m: m.config.certificates.key.chmod(0o644), "certificates", "error", "Run 'chmod 0600"),
    (forge_certificate, "certificates", "error", "certificate 000001 is damaged"),
    (lambda m: ran(m, RunOutcome.DONE, hours_ago(27)), "purge", "error", "was 27 hours ago -> See 'systemctl status"),
    (lambda m: ran(m, RunOutcome.DONE, hours_ago(-27)), "purge", "error", "the clock stands before"),
    (lambda m: ran(m, RunOutcome.REFUSED, hours_ago(1)), "purge", "warning", "the last run of the purge was refused"),
    (lambda m: (m.config.spool.directory / "suspended").touch(), "recording", "error", "nothing is recorded"),
])
def test_each_harm_to_sealing_and_forgetting_is_found(
        machine: Machine, harm: Callable[[Machine], object], name: str, status: str, said: str) -> None:
    harm(machine)
    found = findings(machine)[name]
    assert found[0] == status and said in found[1]


def test_private_keys_on_another_host_are_no_fault(machine: Machine) -> None:
    split = replace(machine, ports=machine.ports | {"AMI_BRIDGE__KEYS__PRIVATE": ""})
    status, line = findings(split)["private-keys"]
    assert status == "ok" and "another host" in line


def test_the_newest_certificate_is_checked(machine: Machine) -> None:
    settings, now = machine.config.certificates, datetime.now(UTC)
    certificates = Certificates(settings.directory, settings.key)
    count, sha256 = certificates.list_digests(1, ["aa"])
    certificates.issue(Certificate(
        number=1, previous="", exchange="pbx", program="x", key="2026-12-24", whole=True, fingerprint="f", key_fate="destroyed",
        policy_days=31, as_of=now, issued_at=now, calls=1, files=2, unregistered=0, digests=count, digests_sha256=sha256))
    status, line = findings(machine)["certificates"]
    assert status == "ok" and "the newest of 1 is signed with our key" in line
    file = settings.directory / "000001.json"
    file.write_text(file.read_text().replace('"calls": 1', '"calls": 9').replace('"calls":1', '"calls":9'))
    assert findings(machine)["certificates"][0] == "error"


# -- what others keep


def seen_in(machine: Machine, folder: Path, **more: str) -> list[tuple[Status, str, str]]:
    config = replace(machine, ports=machine.ports | more).config
    return [(one.status, one.reason, one.remedy)
            for one in places(config, folder / "log", folder / "spool", [folder / "cores"])]


def put(path: Path, content: str = "2026-11-24 0401234567") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_an_exchange_that_keeps_nothing_is_well(machine: Machine, tmp_path: Path) -> None:
    put(tmp_path / "log" / "queue_log", "")
    put(tmp_path / "log" / "security")
    ((status, reason, _),) = seen_in(machine, tmp_path)
    assert status is Status.OK and "nothing else with callers' data" in reason


@pytest.mark.parametrize(("file", "said", "remedy"), [
    ("log/queue_log", "holds numbers of callers", "keep 29 old files at most"),
    ("log/full.1", "holds numbers and names", "log no verbose"),
    ("log/messages.log", "holds numbers", "Rotate it daily"),
    ("log/verbose", "holds numbers and names", "Rotate it daily"),
    ("log/cdr-csv/Master.csv", "holds a line a call", "[purge] journals"),
    ("log/cel-custom/Master.csv", "holds several lines a call", "cel_custom.conf"),
    ("log/master.db", "holds a row a call", "remove the file"),
    ("spool/monitor/2026/11/0401234567-in.wav", "holds voices of callers", "spool/monitor/*"),
    ("spool/voicemail/default/6001/INBOX/msg0000.wav", "holds voices and numbers", "[purge] leftovers"),
    ("spool/recording/a.wav", "in the clear", "[purge] leftovers"),
    ("cores/core.1234", "Asterisk's memory", "dumpcore = no"),
    ("cores/core.asterisk.103.zst", "Asterisk's memory", "LimitCORE=0"),
    ("cores/0401234567.pcap", "the network as it was captured", "tcpdump"),
    ("cores/trunk.pcap3", "the network as it was captured", "Remove it"),
    ("log/sip.pcapng", "calls whole", "Remove it"),
    ("spool/meetme/1.wav", "holds voices", "[purge] leftovers"),
    ("spool/fax/0401234567.tif", "holds letters", "[purge] leftovers"),
])
def test_each_place_is_a_warning_with_a_remedy(machine: Machine, tmp_path: Path, file: str, said: str, remedy: str) -> None:
    put(tmp_path / file)
    ((status, reason, mend),) = seen_in(machine, tmp_path)
    named = not file.startswith("spool/") and "pcap" not in file
    assert status is Status.WARNING and (str(tmp_path / file) in reason) is named and said in reason and remedy in mend
    assert reason.startswith(str(tmp_path / file.split("/")[0])) and "0401234567" not in reason + mend


def test_many_files_of_a_place_are_one_warning(machine: Machine, tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path / "log" / f"queue_log-{number}")
    ((_, reason, _),) = seen_in(machine, tmp_path)
    assert reason == f"{tmp_path}/log/queue_log-0 and 4 more hold numbers of callers"


def test_what_the_purge_clears_is_no_warning(machine: Machine, tmp_path: Path) -> None:
    journal = put(tmp_path / "log" / "cdr-csv" / "Master.csv")
    put(tmp_path / "log" / "cdr-csv" / "Master.csv.20261123T002000")
    put(tmp_path / "spool" / "monitor" / "a.wav")
    assert len(seen_in(machine, tmp_path)) == 2
    found = seen_in(machine, tmp_path, AMI_BRIDGE__PURGE__JOURNALS=f'["{journal}"]',
                    AMI_BRIDGE__PURGE__LEFTOVERS=f'["{tmp_path}/spool/monitor/*.wav"]')
    assert [status for status, _, _ in found] == [Status.OK]


def warned_as_nobody(folder: Path) -> int:
    """Look at a folder in a process that may not look everywhere; never returns."""
    try:
        if os.geteuid() == 0:
            os.setuid(65534)
        (found,) = look(Config.model_construct(), folder, IN_LOGS[5])
        os._exit(0 if found.status is Status.WARNING and "as root" in found.remedy else 1)
    finally:
        os._exit(2)


def test_a_shut_folder_is_said() -> None:
    with TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        (Path(root) / "log").mkdir(mode=0o000)
        child = os.fork() or warned_as_nobody(Path(root) / "log")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


ROW = '"HANGUP","1.5","u","c","","","",""\n'


@pytest.mark.parametrize(("written", "status", "said"), [
    (None, "warning", "not there"), ("", "ok", "can be read"), (ROW, "ok", "can be read"), (ROW + '"HANG', "ok", "can be read"),
    ('"HANGUP","u"\n', "error", "other columns"), (ROW * 2000, "ok", "can be read")])
def test_the_diary_must_be_there_in_our_columns(machine: Machine, written: str | None, status: str, said: str) -> None:
    file = machine.folder / "cel.csv"
    machine.ports["AMI_BRIDGE__CEL__FILE"] = str(file)
    if written is not None:
        file.write_text(written)
    assert findings(machine)["diary"][0] == status and said in findings(machine)["diary"][1]


def test_without_a_diary_the_doctor_says_what_stays_unknown(machine: Machine) -> None:
    machine.ports["AMI_BRIDGE__CEL__FILE"] = ""
    assert findings(machine)["diary"][0] == "warning" and "[cel] file" in findings(machine)["diary"][1]


# -- the report


def test_the_last_line_counts(machine: Machine) -> None:
    result = machine.run("doctor", "--no-call")
    lines = result.stdout.splitlines()
    count = {status: sum(line.startswith(status) for line in lines) for status in ("error", "warning", "ok")}
    assert result.stderr == f"{count['error']} errors, {count['warning']} warnings, {count['ok']} ok\n"
    assert counted([error("a", "b", "c"), warning("a", "b", "c"), ok("a", "b")]) == "1 error, 1 warning, 1 ok"


def test_every_line_that_is_not_ok_has_a_remedy(machine: Machine) -> None:
    for finding in examine(machine.file, call=None):
        assert finding.reason and (finding.remedy or finding.status is Status.OK), finding


def fails(config: Config) -> Iterator[doctor.Finding]:
    yield ok("one", "is well")
    raise ValueError("+358401234567")


def test_a_check_that_fails_is_a_finding_and_the_others_go_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "vault", fails)
    result = machine.run("doctor", "--no-call")
    line = next(line for line in result.stdout.splitlines() if line.split()[1] == "vault")
    assert line.startswith("error") and "could not be looked at (ValueError in line " in line and "+358" not in result.output
    assert result.exit_code == 1 and "one " in result.stdout and "certificates" in result.stdout


def test_the_test_call_is_left_out_where_it_cannot_be_placed(machine: Machine) -> None:
    (machine.folder / "asterisk").mkdir()
    (machine.folder / "asterisk" / "asterisk.conf").write_text(f"[directories]\nastspooldir => {machine.folder}/nowhere\n")
    machine.ports["AMI_BRIDGE__EXCHANGE__CONFIGURATION"] = str(machine.folder / "asterisk")
    for options, status in ((), "warning"), (("--call",), "error"):
        (line,) = [line for line in machine.run("doctor", *options).stdout.splitlines() if line.split()[1] == "test-call"]
        assert line.startswith(status) and "left out" in line and f"{machine.folder}/nowhere/outgoing" in line
    assert "test-call" not in machine.run("doctor", "--no-call").stdout


def test_where_asterisk_is_on_another_host_its_files_are_not_looked_for(machine: Machine) -> None:
    machine.ports["AMI_BRIDGE__EXCHANGE__CONFIGURATION"] = ""
    assert not {"test-call", "asterisk-user", "manager-conf", "backends", "rivals"} & findings(machine).keys()
    assert "no Asterisk on this host" in machine.run("doctor", "--call").stdout


def test_without_an_asterisk_nothing_is_put_anywhere(machine: Machine) -> None:
    with exchange() as one:
        status, line = findings(with_exchange(machine, one))["test-call"]
    assert status == "warning" and "no Asterisk on this host" in line and "no-asterisk" in line


def test_the_test_call_needs_the_manager_user_and_leaves_no_file(machine: Machine) -> None:
    outgoing = machine.folder / "spool-of-asterisk" / "outgoing"
    outgoing.mkdir(parents=True)
    (machine.folder / "asterisk").mkdir()
    (machine.folder / "asterisk" / "asterisk.conf").write_text(f"[directories]\nastspooldir => {outgoing.parent}\n")
    machine.ports["AMI_BRIDGE__EXCHANGE__CONFIGURATION"] = str(machine.folder / "asterisk")
    with exchange() as one:
        status, line = findings(with_exchange(machine, one, AMI_BRIDGE__AMI__SECRET="wrong"))["test-call"]
    assert status == "warning" and "cannot log in" in line and list(outgoing.iterdir()) == []


@pytest.mark.parametrize(("version", "said"), [
    ("22.10.1", {("support", "ok", "mended"), ("advisories", "ok", "knows no fault of 22.10.1")}),
    ("22.10.1+dfsg-1", {("support", "ok", "mended"), ("advisories", "ok", "are its distribution's")}),
    ("20.9.1", {("support", "ok", "mended"), ("advisories", "warning", "GHSA-c4cg-9275-6w44")}),
    ("16.28.0~dfsg-0+deb11u4", {("support", "warning", "since 2023-10-09"), ("advisories", "warning", "#1673")}),
    ("99.1.0", {("advisories", "ok", "99.1.0 is not known to our table")}),
    ("", {("advisories", "ok", "version unknown is not known")})])
def test_what_is_known_of_a_version(version: str, said: set[tuple[str, str, str]]) -> None:
    lines = list(known(version, datetime(2026, 11, 25, tzinfo=UTC).date()))
    assert {one.name for one in lines} == {name for name, _, _ in said}
    for name, status, words in said:
        assert any(one.name == name and one.status == status and words in one.reason for one in lines), (name, lines)


def test_every_name_that_the_doctor_gives_is_explained() -> None:
    code = "".join(path.read_text("utf-8") for path in (REPOSITORY / "ami_bridge" / "services").glob("doctor*.py"))
    names = {one for pair in re.findall(r'(?:ok|warning|error)\(\s*"([a-z-]+)"|^(?:NAME|USER) = "([a-z-]+)"', code, re.M) for one in pair if one}
    told = (REPOSITORY / "docs" / "reference.md").read_text("utf-8").split("## What the doctor looks at")[1].split("## Files")[0]
    assert len(names) > 25 and {name for name in names - {"asterisk"} if f"`{name}`" not in told} == set()
