"""What init finds out and asks systemd for, and what uninstall says and stops: the decisions, in folders of their own."""

from pathlib import Path

import pytest

from ami_bridge.asterisk import process
from ami_bridge.config import Config
from ami_bridge.services import machine, units
from ami_bridge.services.changes import Deed
from ami_bridge.services.exchange_files import signed
from ami_bridge.services.install import admins_file
from ami_bridge.services.machine import Exchange, Given
from ami_bridge.services.uninstall import what_stays

SECRET = "a-secret-of-tests"


def configured(**sections: object) -> Config:
    return Config.model_validate({"exchange": {"name": "pbx1"}, "ami": {"secret": SECRET}, "agi": {"secret": SECRET}, **sections})


def exchange(folder: Path) -> Exchange:
    return Exchange(folder=folder, logs=folder, user="asterisk", group="asterisk", version="22.10.1", systemname="pbx1", unit=False)


def destroyed(config: Config, file: Path) -> list[str]:
    return what_stays(config, file).splitlines()[-1].split()


def test_the_machines_own_folder_goes_whole_but_never_a_folder_of_the_admins() -> None:
    assert "/etc/ami-bridge" in destroyed(configured(), Path("/etc/ami-bridge/ami-bridge.toml"))
    of_a_trial = destroyed(configured(), Path("/etc/trial.toml"))
    assert "/etc" not in of_a_trial and {"/etc/trial.toml", "/etc/secrets", "/etc/pristine"} <= set(of_a_trial)


@pytest.mark.parametrize("url", ["postgresql://amib:hunter2@localhost/recordings", "postgresql://localhost/recordings?user=amib&password=hunter2"])
def test_the_registers_password_is_not_shown(url: str) -> None:
    said = what_stays(configured(register={"url": url}), Path("/etc/ami-bridge/ami-bridge.toml"))
    assert "localhost/recordings" in said and "hunter2" not in said and "amib" not in said.replace("ami-bridge", "")


def test_the_purge_may_write_where_journals_and_leftovers_are() -> None:
    config = configured(purge={"journals": ["/srv/log/Master.csv"], "leftovers": ["/srv/exports/*.wav", "/srv/copies/one.wav"]})
    assert {f"ReadWritePaths=-/srv/{name}" for name in ("log", "exports", "copies")} <= set(units.drop_in_of_jobs(config).splitlines())
    assert "ReadWritePaths" not in units.drop_in_of_daemon(config)


def test_the_daemon_gets_to_no_key_that_opens_wherever_the_keys_are() -> None:
    config = configured(keys={"private": "/srv/keys"}, accounts={"key": "/srv/codes"}, certificates={"key": "/srv/signing"})
    assert "InaccessiblePaths=-/srv/keys -/srv/signing -/srv/codes" in units.drop_in_of_daemon(config).splitlines()
    assert "Inaccessible" not in units.drop_in_of_jobs(config)
    elsewhere = units.drop_in_of_daemon(configured(keys={"private": ""}))
    assert "InaccessiblePaths=-/var/lib/ami-bridge/certificate.key -/var/lib/ami-bridge/accounts.key" in elsewhere.splitlines()


@pytest.mark.parametrize(("name", "user"), [("asterisk", "root"), ("another", "nobody")])
def test_init_names_whom_asterisk_runs_as_and_what_is_configured_only_where_it_does_not(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, user: str) -> None:
    """Its command line overrules asterisk.conf; the doctor goes by the process too."""
    (tmp_path / "asterisk.conf").write_text(f"[directories]\nastrundir => {tmp_path}\n[options]\nrunuser = nobody\nrungroup = nogroup\n")
    (tmp_path / "asterisk.pid").write_text("7\n")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text(f"Name:\t{name}\nUmask:\t0027\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0 \n")
    monkeypatch.setattr(process, "PROC", tmp_path)
    found = machine.find(Given(folder=tmp_path, version="22.10"))
    assert found and found.user == user and found.group == ("root" if user == "root" else "nogroup")
    named = machine.find(Given(folder=tmp_path, version="22.10", user="nobody"))
    assert named and (named.user, named.group) == ("nobody", "nogroup"), "the admin's word comes first, and its group with it"


def test_the_console_may_write_where_its_work_is_and_gets_to_no_sound_of_a_call_in_progress() -> None:
    config = configured(vault={"directory": "/srv/vault"}, spool={"directory": "/srv/spool"}, purge={"journals": ["/srv/log/Master.csv"]})
    lines = units.drop_in_of_console(config).splitlines()
    assert [line for line in lines if line.startswith("ReadWrite")] == ["ReadWritePaths=-/srv/vault"]
    assert "InaccessiblePaths=-/srv/spool/live -/srv/spool/legs" in lines


def test_a_console_that_is_not_installed_keeps_the_others_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    for name, folder in (("ETC", tmp_path), ("BOOTED", tmp_path), ("TEMPORARY", tmp_path / "x.conf"), ("PACKAGED", ())):
        monkeypatch.setattr(units, name, folder)
    monkeypatch.setattr(units, "run", lambda *command: asked.append(command))
    (tmp_path / "ami-bridge.service").write_text(signed("[Service]\n", "#"))
    next(units.removing()).carry_out()
    (tmp_path / "ami-bridge-console.service").write_text(signed("[Service]\n", "#"))
    next(units.removing()).carry_out()
    assert ["ami-bridge-console.service" in command for command in asked] == [False, True]


def test_units_of_a_package_are_stopped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "ETC", tmp_path)
    monkeypatch.setattr(units, "BOOTED", tmp_path)
    monkeypatch.setattr(units, "TEMPORARY", tmp_path / "tmpfiles.conf")
    assert list(units.removing()) == []
    drop_in = tmp_path / "ami-bridge.service.d" / "10-ami-bridge.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(signed("[Service]\n", "#"))
    first = next(units.removing())
    assert isinstance(first, Deed) and "Stop the daemon" in first.shown()


@pytest.mark.parametrize(("line", "name"), [("#include manager_custom.conf", "manager_custom.conf"), (";#include manager_custom.conf", "manager.conf")])
def test_the_front_ends_file_counts_only_where_it_is_included(tmp_path: Path, line: str, name: str) -> None:
    (tmp_path / "manager.conf").write_text(f"[general]\n{line}\n")
    (tmp_path / "manager_custom.conf").write_text("")
    assert admins_file(exchange(tmp_path), "manager.conf").name == name
