"""Changes are shown without secrets and carried out whole."""

import stat
from pathlib import Path

import pytest

from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services.changes import Remove, Rights, Write, carried_out, diff, folder, link

SECRETS = """\
[admin]
secret = their-secret
;password => their-secret
dbpassword=their-secret
register_token = their-secret
md5_cred = their-secret
REC_AGI_SECRET = their-secret
secret_file = "/etc/ami-bridge/secrets/ami"
read = call
"""


def test_no_secret_of_anybody_is_shown() -> None:
    for before, after in ((None, SECRETS), (SECRETS, SECRETS.replace("call", "all")), (SECRETS, SECRETS.replace("their", "other"))):
        shown = diff(Path("/etc/x.conf"), before, after)
        assert "their-secret" not in shown and "other-secret" not in shown, shown
    assert "+secret = (a fresh secret)\n" in diff(Path("x"), None, SECRETS) and "secrets/ami" in diff(Path("x"), None, SECRETS)
    write = Write(path=Path("/x"), before=None, after="their-secret\n", secret=True)
    assert "their-secret" not in write.shown() and "(a fresh secret)" in write.shown()


def test_a_file_keeps_its_rights_and_its_strange_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(b"\xe4\r\n")
    path.chmod(0o604)
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    assert list(carried_out([Write(path=path, before=text, after=text + "more\n")])) == [f"Changed {path}"]
    assert path.read_bytes() == b"\xe4\r\nmore\n" and stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_new_file_has_the_rights_that_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x"
    rights = Rights(path.owner() if path.exists() else tmp_path.owner(), tmp_path.group(), 0o640)
    list(carried_out([Write(path=path, before=None, after="x", rights=rights)]))
    assert rights.of(path) and list(folder(tmp_path, rights)) != []


def test_a_folder_and_a_link_are_made_once(tmp_path: Path) -> None:
    rights = Rights(tmp_path.owner(), tmp_path.group(), 0o2750)
    assert len(list(carried_out(folder(tmp_path / "a", rights)))) == 1 == len(list(carried_out(link(tmp_path / "l", tmp_path / "a"))))
    assert list(folder(tmp_path / "a", rights)) == [] == list(link(tmp_path / "l", tmp_path / "a"))
    assert len(list(carried_out(link(tmp_path / "l", tmp_path / "b")))) == 1 and (tmp_path / "l").readlink() == tmp_path / "b"


def test_root_is_not_led_away_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")
    rights = Rights(tmp_path.owner(), tmp_path.group(), 0o2770)
    with pytest.raises(ConfigurationError, match="cannot be changed"):
        list(carried_out(folder(tmp_path / "spool", rights)))
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o700


def test_what_cannot_be_changed_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be changed"):
        list(carried_out([Write(path=tmp_path / "file" / "x", before=None, after="x")]))


def test_the_folder_goes_with_its_last_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "ours").mkdir(exist_ok=True)
        (tmp_path / "ours" / name).touch()
    list(carried_out([Remove(tmp_path / "ours" / "a", True)]))
    assert (tmp_path / "ours" / "b").exists()
    list(carried_out([Remove(tmp_path / "ours" / "b", True)]))
    assert not (tmp_path / "ours").exists()
