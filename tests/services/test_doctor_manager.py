"""The doctor on our manager user: by what Asterisk tells, and by manager.conf."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from ami_bridge.asterisk.examining import Examined
from ami_bridge.config import Config
from ami_bridge.services import doctor_manager
from ami_bridge.services.doctor_asterisk import in_configuration
from ami_bridge.services.doctor_dialplan import CONTEXTS, entry_points, globals_wanted, loaded
from ami_bridge.services.doctor_manager import events, rights
from ami_bridge.services.findings import Finding, Status
from tests.config.samples import HEAD, from_text

REPOSITORY = Path(__file__).parents[2]
OURS = (REPOSITORY / "dialplan" / "manager_ami_bridge.conf").read_text("utf-8")
GENERAL = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\ntimestampevents = yes\n"
TOLD = {"CoreShowChannels": "List.  (Priv: system,reporting,all)", "Atxfer": "Attended.  (Priv: call,all)",
        "UserEvent": "Send.  (Priv: user,all)"}


def manager(folder: Path, text: str, mode: int = 0o640) -> dict[str, Finding]:
    """The worst finding of each name."""
    (folder / "etc").mkdir()
    (folder / "etc" / "manager.conf").write_text(text)
    (folder / "etc" / "manager.conf").chmod(mode)
    return worst(in_configuration("manager-conf", doctor_manager.manager_conf)(of(folder)))


def of(folder: Path) -> Config:
    return from_text(folder, HEAD.replace('name = "pbx1"', f'name = "pbx1"\nconfiguration = "{folder}/etc"'))


def worst(findings: Iterable[Finding]) -> dict[str, Finding]:
    order = [Status.OK, Status.WARNING, Status.ERROR]
    return {one.name: one for one in sorted(findings, key=lambda one: order.index(one.status))}


def changed(old: str, new: str) -> str:
    assert old in OURS
    return GENERAL + OURS.replace(old, new)


def test_our_own_file_is_as_it_should_be(tmp_path: Path) -> None:
    found = manager(tmp_path, GENERAL + OURS)
    assert {name: one.status for name, one in found.items()} == dict.fromkeys(
        ["ami-address", "manager-conf", "ami-hears", "ami-timeout", "ami-filter"], Status.OK)


@pytest.mark.parametrize(("text", "name", "status", "said"), [
    (changed("read = call,agent,user", "read = call,user"), "ami-hears", "error", "lacks the class agent (the names"),
    (changed("read = call,agent,user", "read = call,agent,user,cdr"), "ami-hears", "warning", "more than it needs: cdr"),
    (changed("read = call,agent,user", "read = all"), "ami-hears", "warning", "more than it needs: all"),
    (changed("writetimeout = 10000", ""), "ami-timeout", "warning", "busy for 100 ms"),
    (changed("eventfilter(action(include),name(Hangup)) =", ""), "ami-filter", "error", "keep Hangup from us"),
    (changed("name(Hangup)", "name(Newchannel)"), "ami-filter", "error", "keep Hangup from us"),
    (changed("eventfilter(action(include),name(Hangup)) =", "eventfilter(action(exclude),name(Hangup)) ="), "ami-filter", "error", "Hangup"),
    (changed("writetimeout = 10000", "writetimeout = 10000\neventfilter = !Channel: Local/"), "ami-filter", "error", "of the old kind"),
    (GENERAL.replace("127.0.0.1", "0.0.0.0") + OURS, "ami-address", "error", "listens on 0.0.0.0"),
    (GENERAL.replace("bindaddr = 127.0.0.1", "") + OURS, "ami-address", "error", "listens on 0.0.0.0"),
    (GENERAL.replace("127.0.0.1", "::\ntlsenable = yes") + OURS, "ami-address", "warning", "listens on ::"),
    (GENERAL.replace("127.0.0.1", "::1") + OURS, "ami-address", "ok", "listens on ::1"),
    (GENERAL, "manager-conf", "error", "there is no [ami-bridge]"),
])
def test_each_fault_of_manager_conf_is_named(tmp_path: Path, text: str, name: str, status: str, said: str) -> None:
    one = manager(tmp_path, text)[name]
    assert one.status == status and said in one.reason and (one.remedy or status == "ok"), one


def test_no_filters_are_no_fault(tmp_path: Path) -> None:
    without = "\n".join(line for line in OURS.splitlines() if not line.startswith("eventfilter"))
    assert manager(tmp_path, GENERAL + without)["ami-filter"].status is Status.OK


def test_a_user_in_an_included_file_with_a_template(tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("[base](!)\nread = call,agent\nwritetimeout = 10000\n[ami-bridge](base)\nread = user\n")
    found = manager(tmp_path, f"{GENERAL}#include {tmp_path / 'own.conf'}\n")
    assert found["ami-hears"].status is Status.OK and found["ami-timeout"].status is Status.OK


def test_secrets_are_closed_to_others_and_never_told(tmp_path: Path) -> None:
    found = manager(tmp_path, GENERAL + OURS.replace("CHANGE-ME", "very-secret"), mode=0o644)
    assert found["manager-conf"].status is Status.ERROR and "chmod o=" in found["manager-conf"].remedy
    assert "very-secret" not in str(found)


def test_a_file_without_secrets_may_be_open(tmp_path: Path) -> None:
    (tmp_path / "readme.conf").write_text("; secret = none\n")
    assert manager(tmp_path, f"{GENERAL}{OURS}\n#include {tmp_path}/readme.conf\n")["manager-conf"].status is Status.OK


def test_what_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (found,) = in_configuration("manager-conf", doctor_manager.manager_conf)(of(tmp_path))
    assert found.status is Status.WARNING and "manager.conf cannot be read" in found.reason and "as root" in found.remedy


def test_another_host_is_not_looked_at(tmp_path: Path) -> None:
    assert list(in_configuration("manager-conf", doctor_manager.manager_conf)(of(tmp_path))) == []


# -- as Asterisk tells


def test_enough_rights_and_no_more() -> None:
    ((one,),) = [list(rights(TOLD))]
    assert one.status is Status.OK and "call, reporting, user" in one.reason


@pytest.mark.parametrize(("without", "said"), [("CoreShowChannels", "reporting (calls"), ("Atxfer", "call (no"), ("UserEvent", "user (commands")])
def test_lacking_rights(without: str, said: str) -> None:
    (one,) = rights({name: text for name, text in TOLD.items() if name != without})
    assert one.status is Status.ERROR and said in one.reason and "write = reporting,call,user" in one.remedy


@pytest.mark.parametrize("dangerous", ["originate", "command", "config", "system"])
def test_dangerous_rights(dangerous: str) -> None:
    (one,) = rights({**TOLD, "X": f"Does it.  (Priv: {dangerous},all)"})
    assert one.status is Status.ERROR and f"dangerous class {dangerous} (it can" in one.reason


def test_needless_rights_and_an_exchange_that_does_not_tell() -> None:
    (needless,), (silent,) = rights({**TOLD, "X": "Does it.  (Priv: message,all)"}), rights({})
    assert needless.status is Status.WARNING and "more than it needs: message" in needless.reason
    assert silent.status is Status.WARNING


@pytest.mark.parametrize(("hears", "timed", "status", "said"), [
    (True, True, "ok", "heard"), (True, False, "warning", "timestampevents = yes"), (False, False, "error", "class user")])
def test_events(hears: bool, timed: bool, status: str, said: str) -> None:
    (one,) = events(hears, timed)
    assert one.status == status and said in one.reason + one.remedy


# -- the dialplan


def seen(contexts: dict[str, bool], values: dict[str, str]) -> Examined:
    return Examined("pbx1", "22.10.1", True, {}, contexts, values, True, True)


def test_the_loaded_dialplan(tmp_path: Path) -> None:
    wanted, there = globals_wanted(from_text(tmp_path, HEAD)), dict.fromkeys(CONTEXTS, True)
    assert {"REC_AGI_SECRET", "REC_SPOOL", "REC_LIVE"} <= wanted.keys()
    for contexts, values, status, said in (
            (there, wanted, "ok", "values of our configuration"),
            ({**there, CONTEXTS[-1]: False}, wanted, "error", CONTEXTS[-1]),
            (dict.fromkeys(CONTEXTS, False), {}, "error", "nothing of our dialplan"),
            (there, {**wanted, "REC_AGI_SECRET": "another"}, "error", "another REC_AGI_SECRET than we do"),
            (there, {}, "warning", "may not ask for the dialplan's variables"), ({}, {}, "warning", "may not ask")):
        (one,) = loaded(seen(contexts, values), wanted)
        assert one.status == status and said in one.reason and "secret-of-the-tests" not in one.reason


@pytest.mark.parametrize(("line", "status"), [
    ("same => n,Gosub(recorded-call,s,1(inbound))", "ok"), ("exten => 1,1,GosubIf($[1]?recorded-call,s,1(internal))", "ok"), ("same => n,Dial(PJSIP/1,60,U(recorded-callee))", "warning"),
    ("exten => 1,1, Gosub( recorded-call,s,1(inbound,support))", "ok"), ("same => n,Dial(PJSIP/1)", "warning"),
    (";same => n,Gosub(recorded-call,s,1(inbound))", "warning")])
def test_a_line_must_lead_in(tmp_path: Path, line: str, status: str) -> None:
    ours = REPOSITORY / "dialplan" / "extensions_recording.conf"
    (tmp_path / "extensions.conf").write_text(f"[in]\nexten => s,1,NoOp()\n{line}\n#include {ours}\n")
    (one,) = entry_points(of(tmp_path), tmp_path)
    assert one.status == status
