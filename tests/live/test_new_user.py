"""Tried as a new user would: a machine with Debian's Asterisk as its package leaves it, and the how-to followed word by word."""

import re
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.pbx import phones
from tests.pbx.asterisk import REPOSITORY
from tests.pbx.host import Host

pytestmark = pytest.mark.live

HOWTO = (Path(__file__).parents[2] / "docs" / "howto-existing-asterisk.md").read_text("utf-8")
COMMANDS = ("apt-get", "python3", "/opt/", "ln", "ami-bridge", "systemctl", "asterisk")
ETC = "/etc/asterisk"
CONF = Path(__file__).parents[1] / "pbx" / "conf"


@pytest.fixture(params=["forky", "bullseye"], ids=["22", "16"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """The machine of an admin with one trunk and one telephone, Asterisk running."""
    with Host(tmp_path, request.param) as host:
        for name, more in (("pjsip.conf", "admins_pjsip.txt"), ("extensions.conf", "admins_dialplan.txt")):
            with host.see(f"{ETC}/{name}").open("a") as file:
                file.write((CONF / more).read_text("utf-8"))
        host.run("systemctl start asterisk")
        host.wait_for("asterisk -rx 'core waitfullybooted'", "fully booted")
        yield host


def test_the_howto_word_by_word(host: Host) -> None:
    before = everything(host)
    for command in (*commands("1. Install"), *commands("2. Set up")):
        if "notice add" in command:
            host.run("espeak-ng -v fi -w our-notice.wav 'Puhelu nauhoitetaan'", cwd="/root/ami-bridge")
        said = host.run(command, cwd="/root/ami-bridge")
        assert not secrets(host) or not any(secret in said for secret in secrets(host)), command
        if command.endswith("--dry-run"):
            assert everything(host) == before and "+secret = (a fresh secret)" in said and '+#include "ami-bridge/manager.conf"' in said
    assert_rights(host)
    again = everything(host)
    assert "Everything is in place; nothing was changed." in host.run("ami-bridge init")
    assert "Everything is in place; nothing was changed." in host.run("ami-bridge init --dry-run")
    assert everything(host) == again

    gosub, dial = (line.strip() for line in blocks("3. Say which calls")[0].splitlines())
    plan = host.see(f"{ETC}/extensions.conf")
    admins = plan.read_text()
    plan.write_text(admins.replace(" same => n,Dial(PJSIP/6001,30)", f" same => n,{gosub.partition(',1,')[2]}\n {dial}"))
    follow(host)
    assert_asterisk_was_told(host)

    assert "the dialplan still calls ami-bridge" in host.run("ami-bridge uninstall", code=3)
    plan.write_text(plan.read_text().replace(f" same => n,{gosub.partition(',1,')[2]}\n", ""))
    for command in commands("8. Take it out again"):
        said = host.run(command)
    assert everything(host) == before
    assert not [path for path in host.see("/etc/systemd/system").rglob("*ami-bridge*") if path.is_file()]
    assert "asterisk" in host.run("id -nG asterisk") and "asterisk" not in host.run("id -nG ami-bridge")
    assert "nothing of ours" in host.run("ami-bridge uninstall")
    assert "inbound" in host.run("ami-bridge calls"), "what was recorded stays"
    host.wait_for("asterisk -rx 'manager show users'", "There are no manager users")


AMI_BRIDGE = f"PYTHONPATH={REPOSITORY} {sys.executable} -m ami_bridge"


def test_a_grown_configuration(host: Host) -> None:
    """An admin's own values, a front end's files, strange bytes and links: nothing of it is lost, and only our block goes."""
    etc = host.see(ETC)
    host.run("systemctl stop asterisk")
    (etc / "features.conf").unlink()
    (etc / "manager.conf").write_text("[general]\nenabled = yes\nport = 5039\nbindaddr = 127.0.0.1\n#include manager_custom.conf")
    (etc / "manager_custom.conf").write_bytes("[admin]\nsecret = their-secret\n; \xe4".encode("latin-1"))
    (etc / "asterisk.conf").write_text("[options]\r\nsystemname = central\r\n")
    (etc / "extensions.conf").rename(etc / "front-end.conf")
    (etc / "extensions.conf").symlink_to("front-end.conf")
    before = everything(host)
    assert "[exchange] name must be letters" in host.run(f"{AMI_BRIDGE} init --name 'a b'", code=3)
    assert "no asterisk.conf in /var" in host.run(f"{AMI_BRIDGE} init --asterisk /var", code=3)
    assert "no such user" in host.run(f"{AMI_BRIDGE} init --asterisk-user nobody-here", code=3)
    said = host.run(f"{AMI_BRIDGE} init --dry-run")
    assert "their-secret" not in said and everything(host) == before
    asked = host.run(f"echo n | script -qec '{AMI_BRIDGE} init' /dev/null", code=1)
    assert "Go on?" in asked and "Aborted!" in asked and everything(host) == before, asked
    said = host.run(f"{AMI_BRIDGE} init")
    assert "runs as asterisk:asterisk" in said and (etc / "extensions.conf").is_symlink()
    changed = {name for name, found in everything(host).items() if before.get(name) != found}
    assert {"/manager_custom.conf", "/front-end.conf", "/features.conf"} <= changed and not {"/manager.conf", "/asterisk.conf"} & changed
    toml = host.see("/etc/ami-bridge/ami-bridge.toml").read_text()
    assert "\nport = 5039\n" in toml and '\nname = "central"\n' in toml
    host.run("systemctl start asterisk")
    host.wait_for("asterisk -rx 'core waitfullybooted'", "fully booted")
    assert_asterisk_was_told(host, port=5039, diary=False)
    assert "eventfilter" in host.run("cat /etc/asterisk/ami-bridge/manager.conf") or "Asterisk 16" in said

    unit = host.see("/etc/systemd/system/ami-bridge-verify.timer")
    unit.write_text(unit.read_text().replace("02:20", "03:20"))
    ours = etc / "ami-bridge" / "features.conf"
    ours.write_text(ours.read_text().replace("*7", "*8"))
    said = host.run(f"{AMI_BRIDGE} init")
    assert "features.conf was changed by hand" in said and "*8" in ours.read_text()
    assert "ami-bridge-verify.timer was changed" in said and "03:20" in unit.read_text()
    with (etc / "manager_custom.conf").open("a") as file:
        file.write("[another]\nsecret = x\n")
    kept = (etc / "cel.conf").read_text()
    (etc / "cel.conf").write_text(kept.replace("; <<< ami-bridge <<<\n", ""))
    for verb in ("init", "uninstall"):
        assert re.search(r"block of ami-bridge in /etc/asterisk/cel.conf is damaged: it does not end. .*/pristine/", host.run(f"{AMI_BRIDGE} {verb}", code=3))
    (etc / "cel.conf").write_text(kept)
    host.run(f"{AMI_BRIDGE} uninstall")
    after = everything(host)
    assert (etc / "manager_custom.conf").read_bytes() == "[admin]\nsecret = their-secret\n; \xe4\n[another]\nsecret = x\n".encode("latin-1")
    assert {name: found for name, found in after.items() if "manager_custom" not in name} == {
        name: found for name, found in before.items() if "manager_custom" not in name}


def test_an_asterisk_that_runs_as_root(host: Host) -> None:
    """It needs no group to write into the spool; the daemon reads what it wrote by its own."""
    said = host.run(f"{AMI_BRIDGE} init --yes --asterisk-user root --asterisk-group root")
    assert "runs as root:root" in said and "member of the group" not in said
    for path, rights in (("/run/ami-bridge/spool/live", "ami-bridge ami-bridge 2770"), ("/var/log/asterisk/cel-custom", "root ami-bridge 2770"),
                         ("/etc/ami-bridge/ami_bridge_generated.conf", "root ami-bridge 640")):
        assert host.run(f"stat -c '%U %G %a' {path}").strip() == rights, path


def test_the_service_manager_takes_what_init_writes(host: Host) -> None:
    """systemd's own judgement of the units as they are on this machine, drop-ins and all."""
    host.run(f"{AMI_BRIDGE} init")
    for unit in ("ami-bridge.service", "ami-bridge-console.service", "ami-bridge-purge.service", "ami-bridge-verify.service",
                 "ami-bridge-purge.timer"):
        said = host.run(f"systemd-analyze verify --man=no {unit} 2>&1 || true")
        assert not [line for line in said.splitlines() if "ami-bridge" in line and "Special user" not in line], said
    judged = host.run("systemd-analyze security --offline=true --no-pager ami-bridge.service 2>&1")
    exposure = re.search(r"Overall exposure level for ami-bridge.service: ([0-9.]+)", judged)
    assert exposure and float(exposure[1]) < 2.5, judged[-2000:]
    host.run("rm -r /run/ami-bridge && systemd-tmpfiles --create /etc/tmpfiles.d/ami-bridge.conf")
    assert_rights(host)


def follow(host: Host) -> None:
    """Go on with the how-to: run, look, call."""
    for command in commands("4. Run"):
        if command == "ami-bridge calls":
            call(host)
            host.wait_for(command, "sealed")
            shown = host.run(command)
            assert re.search(r"inbound +0401234567 +2000 +Maija Mäkinen +0:00:\d\d +sealed +recorded-v1 en", shown), shown
            assert_files_stay_the_daemons(host)
            assert_the_daemon_has_no_key_that_opens(host)
        elif command == "ami-bridge doctor":
            host.wait_for("cat /run/standin/ami-bridge.log", "action=ami_link_up")
            findings = host.run(f"{command} || true")
            wrong = [line for line in findings.splitlines() if line.startswith("error") and " clock" not in line]
            assert not wrong and re.search(r"^ok +test-call ", findings, re.M) and re.search(r"^\S+ +ami-rights ", findings, re.M), findings
        else:
            host.run(command)
            host.wait_for("asterisk -rx 'core waitfullybooted'", "fully booted")


def assert_the_daemon_has_no_key_that_opens(host: Host) -> None:
    """Not where they lie, and not by way of a process of its own user, from which only its user namespace keeps it."""
    keys = "/var/lib/ami-bridge/keys"
    assert "keys_in_reach" not in host.run("cat /run/standin/ami-bridge.log")
    daemon = host.run("cat /run/standin/ami-bridge.pid").strip()
    assert len(host.run(f"ls {keys}").split()) > 40 and host.run(f"ls /proc/{daemon}/root{keys}") == ""
    other = host.run("runuser -u ami-bridge -- sh -c 'sleep 600 > /dev/null 2>&1 & echo $!'").strip()
    look = f"runuser -u ami-bridge -- %s ls /proc/{other}/root{keys} 2>&1 || true"
    assert len(host.run(look % "").split()) > 40
    assert host.run(look % "unshare --user").endswith("Permission denied\n")
    same = f"test $(readlink /proc/{daemon}/ns/user) = $(readlink /proc/{other}/ns/user)"
    host.run(same, code=1)
    host.run(f"kill {other}")


def assert_files_stay_the_daemons(host: Host) -> None:
    """What root makes by a verb belongs to the daemon, which must read it and clear it away."""
    host.run("ami-bridge keys make --ahead 20")
    host.run("ami-bridge purge --accept-clock")
    identifier = re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", host.run("ami-bridge calls"))[0]
    host.run(f"ami-bridge hold place {identifier} --reason dispute --basis law --until {datetime.now(UTC).date() + timedelta(days=60)}")
    strangers = host.run("find /var/lib/ami-bridge ! -user ami-bridge ! -path '/var/lib/ami-bridge/prompts/*'").split()
    assert strangers == [], strangers


def call(host: Host) -> None:
    with host.network():
        agent = phones.answer(host, "6001")
        caller = phones.call(host, "2000", talk=14)  # the channel speaks English, and the notice as it comes is long
        assert caller.wait().ok and agent.wait().ok


def assert_rights(host: Host) -> None:
    """Whom what belongs to, as far as the secrecy of calls hangs on it."""
    for path, rights in (("/etc/ami-bridge/ami-bridge.toml", "root ami-bridge 640"), ("/etc/ami-bridge/secrets/ami", "root ami-bridge 640"),
                         ("/etc/ami-bridge/ami_bridge_generated.conf", "root asterisk 640"), (f"{ETC}/ami-bridge/manager.conf", "root asterisk 640"),
                         ("/run/ami-bridge/spool/live", "ami-bridge asterisk 2770"), ("/var/lib/ami-bridge/keys", "ami-bridge ami-bridge 2700"),
                         ("/var/lib/ami-bridge/prompts", "ami-bridge asterisk 2750"), ("/var/lib/ami-bridge/register.db", "ami-bridge ami-bridge 600")):
        assert host.run(f"stat -c '%U %G %a' {path}").strip() == rights, path
    listed = "find /var/lib/ami-bridge /etc/ami-bridge -type f | runuser -u asterisk -- xargs -I @ sh -c 'test ! -r @ || echo @'"
    readable = host.run(listed).split()
    assert any(path.endswith("recorded.sln") or "/prompts/fi/" in path for path in readable), readable
    assert all("/prompts/" in path or path.endswith("ami_bridge_generated.conf") for path in readable), readable


def assert_asterisk_was_told(host: Host, port: int = 5038, diary: bool = True) -> None:
    """What Asterisk itself says it read, of each file that init touched."""
    user = host.run("asterisk -rx 'manager show user ami-bridge'")
    assert "read perm: call,agent,user" in user and "write perm: call,user,reporting" in user, user
    said = host.run("asterisk -rx 'manager show settings'")
    assert re.search(r"Manager \(AMI\): +Yes", said) and f"127.0.0.1:{port}" in said and re.search(r"Timestamp events: +Yes", said), said
    assert re.search(r"System name: +\S*[a-z]", host.run("asterisk -rx 'core show settings'"))
    features = host.run("asterisk -rx 'features show'")
    assert all(key in features for key in ("ami-bridge-pause", "ami-bridge-record", "ami-bridge-again")), features
    cel = host.run("asterisk -rx 'cel show status'")
    assert "CEL Logging: Enabled" in cel and all(event in cel for event in ("USER_DEFINED", "PICKUP", "ATTENDEDTRANSFER")), cel
    if diary:
        assert "AMI_BRIDGE" in host.run("cat /var/log/asterisk/cel-custom/ami_bridge.csv*"), "the purge has set it aside"


def everything(host: Host) -> dict[str, tuple[str, int, int, int, bytes]]:
    """All of Asterisk's folder: names, rights, content."""
    found = {}
    for path in sorted(host.see(ETC).rglob("*")):
        status = path.lstat()
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[str(path).partition(ETC)[2]] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid, len(content), content)
    return found


def secrets(host: Host) -> list[str]:
    return [path.read_text().strip() for path in host.see("/etc/ami-bridge/secrets").glob("*")]


def blocks(title: str) -> list[str]:
    """The indented blocks of a section of the how-to."""
    section = HOWTO.split(f"## {title}\n")[1].split("\n## ")[0]
    return [block for block in re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)]


def commands(title: str) -> list[str]:
    """The commands of a section. A block that is none would have to be taken out here by name."""
    lines = [line.strip() for block in blocks(title) for line in block.splitlines()]
    assert lines and all(line.startswith(COMMANDS) for line in lines), lines
    return lines
