"""The Debian package: installed, upgraded, removed and purged in a Debian system that knew nothing of us."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ami_bridge import __version__
from ami_bridge.register.schema import HEAD
from tests.packaging.conftest import ROOT, run
from tests.register.older import filled

OF_DEBIAN = re.compile(r"(?:etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-?|etc/\.pwd\.lock|tmp/.*|run/adduser"
                       r"|var/(?:log|cache)/.*|var/lib/(?:dpkg|apt)/.*|root/.*|opt)")
"""What Debian's own programs write when a package and its user come and go; dpkg removes an /opt that is empty."""

LAYOUT = ("/opt/ami-bridge/bin/ami-bridge", "/opt/ami-bridge/bin/ami-bridge-agi", "/usr/bin/ami-bridge",
          "/opt/ami-bridge/share/ami-bridge/dialplan/extensions_recording.conf", "/usr/lib/systemd/system/ami-bridge.service",
          "/usr/lib/systemd/system/ami-bridge-purge.timer", "/usr/lib/systemd/system/ami-bridge-console.service",
          "/usr/share/doc/ami-bridge/copyright", "/usr/share/doc/ami-bridge/docs/howto-upgrade.md", "/usr/share/man/man1/ami-bridge.1.gz")


class System:
    """A copy of a Debian system: what is written goes to a layer above it, which shows all that was changed."""

    def __init__(self, base: Path, folder: Path, like: Path) -> None:
        """Begin with the changes that lie in ``like``."""
        self.changed = folder / "changed"
        self._root, work = folder / "root", folder / "work"
        for made in (self._root, work):
            made.mkdir()
        run("cp", "--archive", like, self.changed)
        self.changed.chmod(0o755)  # it is the root of a system
        self._mounts = (f"mount -t overlay overlay -o lowerdir={base},upperdir={self.changed},workdir={work} {self._root}\n"
                        f"mount -t proc proc {self._root}/proc\nmount --rbind /dev {self._root}/dev\n")

    def sh(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in it, in mounts that end with it; it sees no process of this machine, so no Asterisk that runs here."""
        return subprocess.run(["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-e", "-c",
                               f'{self._mounts}exec chroot "{self._root}" sh -c "$0"', script], capture_output=True, text=True,
                              env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})

    def said(self, script: str) -> str:
        """Run a script that must succeed; return what it prints."""
        done = self.sh(script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def left(self) -> list[str]:
        """Return what differs from the system that it was, but for the books of Debian itself."""
        found = sorted(str(path.relative_to(self.changed)) for path in self.changed.rglob("*") if not path.is_dir())
        return [name for name in found if not OF_DEBIAN.fullmatch(name)]

    def tell_of_systemd(self, enabled: str) -> None:
        """Let it look as if systemd ran, with a systemctl that only writes down what it is asked."""
        (self.changed / "run/systemd/system").mkdir(parents=True, exist_ok=True)
        program = self.changed / "usr/local/bin/systemctl"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\necho "$*" >>/tmp/asked\nfor unit; do :; done\n'
                           'case " $* " in *" is-enabled "*) ;; *) exit 0;; esac\n'
                           f'case " {enabled} " in *" $unit "*) echo enabled;; *) echo disabled; exit 1;; esac\n')
        program.chmod(0o755)


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Notices as `init` has them spoken: the Debian system here has no voice."""
    home = tmp_path_factory.mktemp("spoken")
    run(sys.executable, "-m", "ami_bridge", "--config", home / "ami-bridge.toml", "init", "--directory", home, cwd=ROOT)
    return home / "prompts"


INSTALL = "dpkg --force-unsafe-io -i /tmp/ami-bridge.deb"
INIT = "mkdir -p /var/lib/ami-bridge && cp -a /tmp/prompts /var/lib/ami-bridge/ && ami-bridge init --yes"


@pytest.fixture(scope="session")
def bare(package: Path, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a system has before anything of us is installed: the package and the notices, in /tmp."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "tmp").mkdir()
    shutil.copy(package, folder / "tmp/ami-bridge.deb")
    shutil.copytree(prompts, folder / "tmp/prompts", symlinks=True)
    return folder


@pytest.fixture(scope="session")
def with_package(debian: Path, bare: Path, tmp_path_factory: pytest.TempPathFactory) -> System:
    """A system in which the package was installed; tests begin with a copy."""
    system = System(debian, tmp_path_factory.mktemp("installed"), bare)
    assert "ami-bridge init --dry-run" in system.said(INSTALL)
    return system


@pytest.fixture(scope="session")
def with_init(debian: Path, with_package: System, tmp_path_factory: pytest.TempPathFactory) -> System:
    """One in which ``init`` was run, too."""
    system = System(debian, tmp_path_factory.mktemp("set-up"), with_package.changed)
    system.said(INIT)
    return system


@pytest.fixture
def packaged(debian: Path, with_package: System, tmp_path_factory: pytest.TempPathFactory) -> System:
    return System(debian, tmp_path_factory.mktemp("packaged"), with_package.changed)


@pytest.fixture
def set_up(debian: Path, with_init: System, tmp_path_factory: pytest.TempPathFactory) -> System:
    return System(debian, tmp_path_factory.mktemp("set-up"), with_init.changed)


def test_it_is_there_as_the_documentation_says(packaged: System) -> None:
    assert packaged.said("ami-bridge --version") == f"ami-bridge {__version__}\n"
    packaged.said("\n".join(f"test -e {place} || {{ echo {place}; exit 1; }}" for place in LAYOUT))
    assert packaged.said("dpkg --verify ami-bridge") == ""
    assert "usage: ami-bridge-agi" in packaged.sh("/opt/ami-bridge/bin/ami-bridge-agi").stderr


def test_init_sets_it_up_there_with_the_units_of_the_package(packaged: System) -> None:
    before = packaged.left()
    packaged.said(INIT)
    made = {f"/{name}" for name in packaged.left()} - {f"/{name}" for name in before}
    assert "/etc/systemd/system/ami-bridge.service.d/10-ami-bridge.conf" in made
    assert "/etc/systemd/system/ami-bridge.service" not in made
    assert "is up to date" in packaged.said("ami-bridge register upgrade")
    assert packaged.said("ami-bridge calls --json") == "[]\n"
    assert "Traceback" not in (done := packaged.sh("ami-bridge doctor")).stderr and "register" in done.stdout
    assert "/opt/ami-bridge/bin/ami-bridge-agi" in packaged.said("ami-bridge dialplan")


def test_removed_and_purged_it_leaves_nothing(packaged: System) -> None:
    packaged.said("ami-bridge --version; dpkg --remove ami-bridge; test ! -e /opt/ami-bridge")
    packaged.said("dpkg --purge ami-bridge")
    assert packaged.left() == []


def test_purged_it_leaves_recordings_keys_and_certificates_and_says_so(set_up: System) -> None:
    removed = set_up.sh("dpkg --purge ami-bridge")
    said = removed.stdout
    assert removed.returncode == 0 and "Asterisk's configuration still names it" in removed.stderr
    assert "left as they are" in said and "/var/lib/ami-bridge" in said and "/etc/ami-bridge" in said
    left = set_up.left()
    assert any(name.startswith("var/lib/ami-bridge/keys/") for name in left) and not any(name.startswith("opt/") for name in left)
    assert set_up.sh("getent passwd ami-bridge").returncode == 0


def test_taken_out_of_asterisk_first_nothing_but_the_archive_stays(set_up: System) -> None:
    set_up.said("ami-bridge uninstall")
    removed = set_up.sh("dpkg --purge ami-bridge")
    assert removed.returncode == 0 and "still names it" not in removed.stderr
    left = {name for name in set_up.left() if not name.startswith(("var/lib/ami-bridge/", "etc/ami-bridge/", "run/"))}
    assert not [name for name in left if "ami-bridge" in name or "ami_bridge" in name], left


def with_a_register_of(system: System, version: str, folder: Path) -> None:
    """Put a register of an earlier version in place of the new one."""
    with filled(f"sqlite:///{folder}/register.db", version):
        shutil.copy(folder / "register.db", system.changed / "var/lib/ami-bridge/register.db")
    system.said("chown ami-bridge:ami-bridge /var/lib/ami-bridge/register.db; rm -f /var/lib/ami-bridge/register.db-*")


def test_an_upgrade_brings_the_register_with_it(set_up: System, tmp_path: Path) -> None:
    with_a_register_of(set_up, "0004", tmp_path)
    assert set_up.sh("ami-bridge calls").returncode == 5
    assert "was brought from version 0004 to" in set_up.said(INSTALL)
    assert set_up.said("ami-bridge register upgrade --dry-run").strip().endswith(f"is up to date (version {HEAD}).")


def test_where_the_register_refuses_the_package_stays_unconfigured_until_that_is_mended(set_up: System, tmp_path: Path) -> None:
    with_a_register_of(set_up, "0004", tmp_path)
    blocked = set_up.sh(f"sqlite=/var/lib/ami-bridge/register.db; chmod 0400 $sqlite; chown root:root $sqlite; {INSTALL}")
    assert blocked.returncode != 0 and "Traceback" not in blocked.stderr and "register" in blocked.stderr
    assert "iF" in set_up.said("dpkg --list ami-bridge | tail -1")
    set_up.said("chown ami-bridge /var/lib/ami-bridge/register.db; chmod 0600 /var/lib/ami-bridge/register.db; dpkg --configure ami-bridge")
    assert set_up.said("dpkg --list ami-bridge | tail -1").startswith("ii")


def test_what_runs_is_stopped_before_its_files_go_and_only_what_is_enabled_is_started(packaged: System) -> None:
    packaged.tell_of_systemd("ami-bridge.service ami-bridge-purge.timer ami-bridge-console.service")
    packaged.said(INSTALL)
    asked = (packaged.changed / "tmp/asked").read_text().splitlines()
    stop = next(number for number, line in enumerate(asked) if "stop" in line.split())
    started = [line for line in asked if "start" in line.split()]
    assert {"ami-bridge.service", "ami-bridge-console.service", "ami-bridge-purge.timer", "ami-bridge-purge.service"} <= set(asked[stop].split())
    assert [line.split()[-1] for line in started] == ["ami-bridge.service", "ami-bridge-purge.timer", "ami-bridge-console.service"]
    assert asked.index(started[0]) > stop
    packaged.said("dpkg --remove ami-bridge")
    assert any(line.startswith("disable") for line in (packaged.changed / "tmp/asked").read_text().splitlines())


def test_installed_again_it_says_what_rests_and_how_it_is_started(set_up: System) -> None:
    set_up.tell_of_systemd("ami-bridge-verify.timer")
    for command, register in (("dpkg --remove ami-bridge", False), ("dpkg --purge ami-bridge", True)):
        set_up.said(command)
        said = set_up.said(INSTALL)
        assert "systemctl enable --now ami-bridge.service ami-bridge-purge.timer\n" in said and "nothing is forgotten" in said
        assert ("ami-bridge register upgrade --dry-run" in said) == register


def test_where_all_is_enabled_or_nothing_is_set_up_it_says_nothing_of_that(packaged: System, set_up: System) -> None:
    everything = "ami-bridge.service ami-bridge-purge.timer ami-bridge-verify.timer"
    for system, enabled, says in ((packaged, everything, False), (packaged, "", False), (set_up, everything, False), (set_up, "", True)):
        system.tell_of_systemd(enabled)
        assert ("systemctl enable" in system.said(f"/var/lib/dpkg/info/ami-bridge.postinst configure {__version__}")) == says


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_lintian_has_nothing_to_say(package: Path) -> None:
    assert run("lintian", "--allow-root", "--fail-on", "error,warning", package) == ""
