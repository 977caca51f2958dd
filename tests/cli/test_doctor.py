"""The doctor finds each thing that is wrong, and says what to do."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ami_bridge.services.doctor import Status, filesystem_of, in_memory, room
from ami_bridge.services.doctor_exchange import hears_everybody, named
from tests.asterisk.exchange import SECRET, Exchange
from tests.cli.machine import Machine

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
    assert filesystem_of(Path(folder), MOUNTS) == kind


def test_judgements() -> None:
    assert in_memory(Path("/run/x"), "tmpfs").status is Status.OK
    assert in_memory(Path("/x"), "ext4").status is Status.WARNING
    assert [room(size << 20).status for size in (600, 400, 40)] == [Status.OK, Status.WARNING, Status.ERROR]
    assert named("", "a").reason == "it has no name, but [exchange] name is a"
    for version, status in VERSIONS.items():
        assert hears_everybody(version).status == status, version
