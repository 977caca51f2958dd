"""The doctor on the spool as Asterisk's user meets it, and on where Asterisk sends what it notes."""

from dataclasses import replace
from pathlib import Path

import pytest

from ami_bridge.asterisk.process import Identity
from ami_bridge.config import Config
from ami_bridge.services.doctor_asterisk import found
from ami_bridge.services.doctor_backends import backends
from ami_bridge.services.doctor_spool import inodes, too_open, unreachable
from ami_bridge.services.findings import Status
from tests.config.samples import HEAD, from_text

SOMEBODY = Identity(1234, 1234, frozenset())


def config(folder: Path) -> Config:
    return from_text(folder, HEAD.replace('name = "pbx1"', f'name = "pbx1"\nconfiguration = "{folder}/etc"')
                     .replace("[agi]", f'[agi]\nprocess = "{folder}/agi"')
                     + f'[spool]\ndirectory = "{folder}/spool"\n[notice]\ndirectory = "{folder}/prompts"\n')


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A spool, a prompt and a program that everybody gets to; all folders above are open too."""
    for name in ("spool/live", "spool/legs", "prompts/en", "etc"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("prompts/en/a-v1.wav", "prompts/en/a-v1.alaw", "spool/policy.json", "agi"):
        (tmp_path / name).touch()
    for path in (*tmp_path.rglob("*"), tmp_path, *tmp_path.parents[:-2]):
        path.chmod(0o755 if path.name != "live" and path.name != "legs" else 0o777)
    return tmp_path


def test_where_it_gets_everywhere_nothing_is_said(place: Path) -> None:
    assert [*unreachable(config(place), SOMEBODY)] == []


@pytest.mark.parametrize(("shut", "mode", "said"), [
    ("spool/live", 0o750, "cannot write in"), ("spool/legs", 0o755, "cannot write in"), ("prompts/en/a-v1.alaw", 0o600, "cannot read"),
    ("prompts", 0o750, "prompts is in the way"), ("spool/policy.json", 0o600, "cannot read"), ("agi", 0o644, "cannot run")])
def test_what_bars_its_way_is_named(place: Path, shut: str, mode: int, said: str) -> None:
    (place / shut).chmod(mode)
    (one,) = unreachable(config(place), SOMEBODY)
    assert one.status is Status.ERROR and said in one.reason and str(place / shut) in one.reason and "1234" in one.reason


def test_a_version_that_is_new_is_looked_at_behind_its_link(place: Path) -> None:
    (place / "prompts/en/a.wav").symlink_to("a-v1.wav")
    (place / "prompts/en/a-v1.wav").chmod(0o600)
    (one,) = unreachable(config(place), SOMEBODY)
    assert "a-v1.wav" in one.reason


@pytest.mark.parametrize(("umask", "status"), [(0o027, None), (0o022, "warning"), (0o077, "error"), (None, None)])
def test_the_mode_of_new_files(umask: int | None, status: str | None) -> None:
    assert [one.status for one in too_open(replace(SOMEBODY, umask=umask))] == [status] * (status is not None)


def test_inodes() -> None:
    assert [inodes(free).status for free in (100_000, 5_000, 900)] == ["ok", "warning", "error"]


# -- Asterisk's folders


def test_asterisks_folders_by_its_configuration(place: Path) -> None:
    (place / "etc/asterisk.conf").write_text("[directories]\nastspooldir => /srv/spool\nastlogdir => /srv/log\n[options]\nrunuser = root\n")
    exchange = found(config(place))
    assert (str(exchange.outgoing), str(exchange.logs)) == ("/srv/spool/outgoing", "/srv/log")
    assert exchange.identity and exchange.identity.uid == 0


def test_a_template_of_folders_is_none(place: Path) -> None:
    (place / "etc/asterisk.conf").write_text("[directories](!)\nastspooldir => /srv/spool\n")
    assert str(found(config(place)).spool) == "/var/spool/asterisk"


# -- back ends


def noted(place: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (place / "etc" / f"{name}.conf").write_text(text)
    return [f"{one.status} {one.reason} {one.remedy}" for one in backends(config(place), place / "etc")]


def test_the_samples_send_nothing_away(place: Path) -> None:
    (one,) = noted(place, cdr_pgsql="[global]\n;hostname=localhost\n", cel_odbc="[general]\n", cdr_mysql="[columns]\nalias start => calldate\n",
                   logger="[logfiles]\nconsole => notice\nmessages.log => notice\nfull => verbose\nsecurity => security\n", extconfig="[settings]\n")
    assert one.startswith("ok")


@pytest.mark.parametrize(("files", "said"), [
    ({"cdr_pgsql": "[global]\nhostname=db\n"}, "cdr_pgsql.conf is set up"),
    ({"cdr_adaptive_odbc": "[first]\nconnection=x\n"}, "noload => cdr_adaptive_odbc.so"),
    ({"cel_odbc": "[first]\nconnection=x\n"}, "cel_odbc.conf is set up"),
    ({"extconfig": "[settings]\nqueue_log => odbc,asterisk\n"}, "queue_log in a database"),
    ({"logger": "[logfiles]\nsyslog.local0 => notice\n"}, "to the system's (syslog.local0)"),
    ({"logger": "[logfiles]\neverything => verbose\n"}, "a log of its own (everything)"),
])
def test_each_back_end_is_a_warning(place: Path, files: dict[str, str], said: str) -> None:
    (one,) = noted(place, **files)
    assert one.startswith("warning") and said in one


def test_one_that_is_off_is_none(place: Path) -> None:
    (one,) = noted(place, cdr_beanstalkd="[general]\nenabled = no\nhost = x\n")
    assert one.startswith("ok")


