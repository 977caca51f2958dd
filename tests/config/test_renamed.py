"""Old names of settings: they still work, and are told with the line; removed ones are refused with what to do."""

from pathlib import Path

import pytest

from ami_bridge.config import Config, load, loading, outdated, renamed
from ami_bridge.config.renamed import Removed, Renamed, brought_up_to_date, line_of
from ami_bridge.core.errors import ConfigurationError
from tests.config.samples import HEAD

CHANGES = {
    ("ami", "tcp_port"): Renamed("0.7.0", ("ami", "port")),
    ("store", "folder"): Renamed("0.7.0", ("vault", "directory")),
    ("route", "number"): Renamed("0.7.0", ("route", "did")),
    ("purge", "dry"): Removed("0.8.0", "there is 'ami-bridge purge --dry-run'"),
}


@pytest.fixture(autouse=True)
def changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if these names had been given up."""
    monkeypatch.setattr(renamed, "CHANGES", CHANGES)
    monkeypatch.setattr(loading, "CHANGES", CHANGES)


def written(folder: Path, text: str) -> Path:
    file = folder / "ami-bridge.toml"
    file.write_text(text, "utf-8")
    return file


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(written(folder, text), environ)
    return str(caught.value)


def test_an_old_name_works_and_is_told_with_its_line(tmp_path: Path) -> None:
    text = HEAD.replace("[ami]", '[ami]\ntcp_port = 5040') + '[store]\nfolder = "/srv/vault"\n[[route]]\nname = "a"\nnumber = "1*"\n'
    file = written(tmp_path, text)
    config = load(file, {})
    assert (config.ami.port, config.route[0].did, config.vault.directory) == (5040, ("1*",), Path("/srv/vault"))
    assert outdated(file) == [
        "[ami] tcp_port (line 5) is called port since version 0.7.0: write that instead",
        "[store] folder (line 10) is called [vault] directory since version 0.7.0: write that instead",
        f"[[route]] number (line {len(file.read_text().splitlines())}) is called did since version 0.7.0: write that instead"]


def test_both_names_at_once_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, HEAD.replace("[ami]", "[ami]\nport = 5038\ntcp_port = 5040"))
    assert "[ami] tcp_port (line 6) is called port since version 0.7.0, which is there too: remove the old one" in said


def test_a_removed_name_is_refused_with_what_to_do(tmp_path: Path) -> None:
    said = refusal(tmp_path, HEAD + "[purge]\ndry = true\n")
    assert "[purge] dry (line 9) is no setting since version 0.8.0: there is 'ami-bridge purge --dry-run'" in said
    assert outdated(tmp_path / "ami-bridge.toml") == []


@pytest.mark.parametrize(("variable", "said"), [
    ("AMI_BRIDGE__AMI__TCP_PORT", "is called AMI_BRIDGE__AMI__PORT since version 0.7.0: set that instead"),
    ("AMI_BRIDGE__PURGE__DRY", "names no setting since version 0.8.0: there is"),
])
def test_a_variable_of_an_old_name_is_refused_with_the_new_one(tmp_path: Path, variable: str, said: str) -> None:
    assert said in refusal(tmp_path, HEAD, **{variable: "1"})


def test_nothing_is_told_of_a_configuration_of_today(tmp_path: Path) -> None:
    assert outdated(written(tmp_path, HEAD)) == []
    values = {"ami": {"port": 1}, "route": [{"name": "x"}], "strange": 3}
    assert brought_up_to_date(values) == (values, [])


def test_what_stands_in_a_comment_or_another_section_is_not_its_line() -> None:
    text = "[agi]\nport = 1\n# [ami]\n# port = 2\n[ami] # ours\n  # port = 3\nports = 4\nport=5\n"
    assert line_of(text, ("ami", "port")) == 8 and line_of(text, ("ami", "host")) is None


def test_every_name_in_the_table_is_gone_and_leads_to_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    known = {field.alias or name: loading._keys(field.alias or name) for name, field in Config.model_fields.items()}
    for (section, key), change in renamed.CHANGES.items():
        assert key not in known.get(section, {})
        assert isinstance(change, Removed) or change.to[0] == "route" or change.to[1] in known[change.to[0]]
