"""What is built once for all tests here: wheel and sdist, an installation by pipx, a Debian package."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pbx.rootfs import provision

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / ".ci/constraints.txt"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.packaging)
            item.add_marker(pytest.mark.xdist_group("packaging"))


def run(*command: str | Path, **options) -> str:
    """Run a program that must succeed; return what it prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with sdist and wheel; the wheel is built from the sdist, as a stranger would."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(built: Path) -> Path:
    (found,) = built.glob("*.tar.gz")
    return found


@dataclass(frozen=True)
class Installation:
    """Where pipx put the commands, and an environment in which nothing else of ours is to be found."""

    commands: Path
    environment: dict[str, str]

    def run(self, name: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run one of our commands in a folder."""
        return subprocess.run([self.commands / name, *words], capture_output=True, text=True, cwd=folder, timeout=120,
                              env=self.environment | {"AMI_BRIDGE_CONFIG": str(folder / "etc/ami-bridge.toml")})


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = tmp_path_factory.mktemp("pipx")
    places = {"PIPX_HOME": str(home / "home"), "PIPX_BIN_DIR": str(home / "bin"), "PIPX_MAN_DIR": str(home / "man"),
              "PIPX_DEFAULT_BACKEND": "pip"}
    run(sys.executable, "-m", "pipx", "install", "--python", sys.executable, "--pip-args", f"--constraint {CONSTRAINTS}", wheel,
        env=os.environ | places)
    return Installation(home / "bin", {"PATH": os.environ["PATH"], "HOME": str(home)})


@pytest.fixture(scope="session")
def debian() -> Path:
    """The root of a Debian system without us."""
    if os.geteuid() != 0 or not shutil.which("dpkg-deb"):
        pytest.skip("a Debian package is tried as root, on Debian")
    return provision("forky")


@pytest.fixture(scope="session")
def package(wheel: Path, debian: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package for the Python of ``debian``."""
    python = run("chroot", debian, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    out = tmp_path_factory.mktemp("deb")
    run(sys.executable, ROOT / ".ci/deb/build.py", "--wheel", wheel, "--python", python, "--out", out, env=os.environ | {
        "PYTHONPATH": str(ROOT), "DEBFULLNAME": "An Admin", "DEBEMAIL": "admin@sales.example.fi", "DPKG_DEB_COMPRESSOR_LEVEL": "1"})
    (found,) = out.glob("*.deb")
    return found
