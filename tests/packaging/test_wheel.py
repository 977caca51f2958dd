"""The wheel holds what the program opens, and works in an environment of its own, from an empty folder."""

import re
import tarfile
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from ami_bridge import __version__
from tests.packaging.conftest import ROOT, Installation

PACKAGES = ("ami_bridge", "agi_scripts")
SHARE = f"ami_bridge-{__version__}.data/data/share/ami-bridge/"


def files(folder: str) -> set[str]:
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT)) for path in found}


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(ZipFile(wheel).namelist())


def test_every_file_of_the_packages_is_in_it_and_no_other(names: set[str]) -> None:
    ours = {name for package in PACKAGES for name in files(package)}
    assert {name for name in names if name.split("/")[0] in PACKAGES} == ours
    assert {name.split("/")[0] for name in names} == {*PACKAGES, SHARE.split("/")[0], f"ami_bridge-{__version__}.dist-info"}
    assert any(name.endswith(".txt") for name in ours) and any(name.endswith(".service") for name in ours)


def test_the_dialplan_is_in_it(names: set[str]) -> None:
    assert {name.removeprefix(SHARE) for name in names if name.startswith(SHARE)} == files("dialplan")


def test_it_says_what_it_is(wheel: Path, names: set[str]) -> None:
    folder = f"ami_bridge-{__version__}.dist-info"
    with ZipFile(wheel) as opened:
        said = Parser().parsestr(opened.read(f"{folder}/METADATA").decode())
        entries = opened.read(f"{folder}/entry_points.txt").decode()
    assert (said["Name"], said["Version"], said["License-Expression"]) == ("ami-bridge", __version__, "EUPL-1.2")
    assert "ami-bridge = ami_bridge.cli:main" in entries and "ami-bridge-agi = agi_scripts.session:main" in entries
    assert f"{folder}/licenses/LICENSE" in names and said.get_payload()
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_sdist_holds_what_is_needed_to_build_it(sdist: Path) -> None:
    with tarfile.open(sdist) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    wanted = {"pyproject.toml", "LICENSE", "README.md"} | {name for folder in (*PACKAGES, "dialplan") for name in files(folder)}
    assert sorted(wanted - held) == []


def test_it_is_installed_by_pipx_and_says_its_version(installed: Installation, tmp_path: Path) -> None:
    done = installed.run("ami-bridge", "--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"ami-bridge {__version__}\n"), done.stderr


def test_the_process_script_says_how_it_is_called(installed: Installation, tmp_path: Path) -> None:
    done = installed.run("ami-bridge-agi", folder=tmp_path)
    assert "usage: ami-bridge-agi {announce}" in done.stderr and "Traceback" not in done.stderr


def test_it_sets_up_a_machine_from_an_empty_folder(installed: Installation, tmp_path: Path) -> None:
    done = installed.run("ami-bridge", "init", "--directory", str(tmp_path / "state"), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (included,) = set(re.findall(r"(/\S+)/extensions_recording\.conf", done.stdout))
    assert included.endswith("/share/ami-bridge/dialplan") and str(ROOT) not in included
    assert {path.name for path in Path(included).iterdir()} == {Path(name).name for name in files("dialplan")}
    assert "REC_AGI_PROCESS=" in installed.run("ami-bridge", "dialplan", folder=tmp_path).stdout
    said = installed.run("ami-bridge", "doctor", folder=tmp_path)
    assert said.returncode in (0, 1) and "register" in said.stdout and "Traceback" not in said.stderr
    assert "is up to date" in installed.run("ami-bridge", "register", "upgrade", folder=tmp_path).stdout


@pytest.fixture(scope="module")
def machine(installed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``init`` was run."""
    folder = tmp_path_factory.mktemp("machine")
    assert installed.run("ami-bridge", "init", "--directory", str(folder / "state"), folder=folder).returncode == 0
    return folder


@pytest.mark.parametrize("verb", ["calls", "findings", "verify", "keys list", "notice list", "certificate list"])
def test_its_verbs_work(installed: Installation, machine: Path, verb: str) -> None:
    done = installed.run("ami-bridge", *verb.split(), folder=machine)
    assert done.returncode == 0, done.stderr
