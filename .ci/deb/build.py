"""``make deb``: a Debian package of the wheel and all that it needs, at the paths that the documentation names.

Below ``/opt/ami-bridge`` lies a virtual environment whose every file is the package's own: nothing is fetched and no
environment is made when it is installed, ``dpkg --verify`` sees each change, and removing it removes it. It belongs to one
version of Python, that of the Debian release it is meant for (``--python 3.13``), and depends on it.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from ami_bridge.cli import VERBS

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PLACE = Path("opt/ami-bridge")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBC = {"3.11": 36, "3.13": 41}
"""The C library, 2.N, of the Debian release that has a version of Python: 12, 13. A wheel names the oldest it runs with."""

LATER_GLIBC = 41

SCRIPTS = {"ami-bridge": "ami_bridge.cli", "ami-bridge-agi": "agi_scripts.session"}
SCRIPT = """\
#!/{place}/bin/python
import sys

from {module} import main

sys.exit(main())
"""
CONTROL = """\
Package: ami-bridge
Version: {version}+py{python}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: passwd, python{python}, tzdata, libc6 (>= 2.{glibc})
Recommends: espeak-ng, fonts-dejavu-core, sox
Suggests: asterisk, postgresql
Section: comm
Priority: optional
Description: call-recording register that keeps a privacy notice true on Asterisk
 Plays the notice to the party outside, keeps proof that it was heard, records
 only then, seals each recording to the key of the day on which it expires, and
 destroys it in its time, with a certificate that names nobody.
 .
 Its Python libraries come with it, below /opt/ami-bridge.
"""


def main() -> None:
    """Build the package and say where it lies."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        root.chmod(0o755)
        install_libraries(root, asked.wheel, asked.python, asked.architecture)
        make_environment(root, asked.python)
        place_files(root, version_of(asked.wheel), asked.python)
        describe(root, version_of(asked.wheel), asked.python, asked.architecture)
        tidy(root)
        asked.out.mkdir(parents=True, exist_ok=True)
        package = asked.out / f"ami-bridge_{version_of(asked.wheel)}+py{asked.python}_{asked.architecture}.deb"
        run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(package))
    print(package)


def arguments() -> argparse.Namespace:
    """Return what is asked for; by default a package for this machine's own Python and architecture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="our wheel")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist", help="folder for the package")
    parser.add_argument("--python", default=f"{sys.version_info.major}.{sys.version_info.minor}",
                        help="version of Python in the Debian release: 3.11 in 12, 3.13 in 13")
    parser.add_argument("--architecture", default=run("dpkg", "--print-architecture"), choices=list(MACHINES))
    return parser.parse_args()


def version_of(wheel: Path) -> str:
    """Return the version of our wheel, by its name."""
    return wheel.name.split("-")[1]


def glibc_of(python: str) -> int:
    """Return N of the C library 2.N on which a package for that version of Python must run."""
    return GLIBC.get(python, LATER_GLIBC)


def install_libraries(root: Path, wheel: Path, python: str, architecture: str) -> None:
    """Put our wheel and what it needs where the environment looks for it, in the versions that were tested together."""
    target = root / PLACE / "lib" / f"python{python}" / "site-packages"
    platforms = [f"--platform=manylinux_2_{minor}_{MACHINES[architecture]}" for minor in range(5, glibc_of(python) + 1)]
    run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore",
        "--target", str(target), "--python-version", python, "--only-binary=:all:", *platforms, "--no-compile",
        "--constraint", str(REPOSITORY / ".ci/constraints.txt"), f"{wheel.resolve()}[postgresql]")
    shutil.rmtree(target / "bin")
    (target / "share").rename(root / PLACE / "share")


def make_environment(root: Path, python: str) -> None:
    """Make of it a virtual environment of the system's Python, with our two programs."""
    place = root / PLACE
    programs = place / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(f"/usr/bin/python{python}")
    (programs / "python3").symlink_to("python")
    (place / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n")
    for name, module in SCRIPTS.items():
        (programs / name).write_text(SCRIPT.format(place=PLACE, module=module))
    commands = root / "usr/bin"
    commands.mkdir(parents=True)
    (commands / "ami-bridge").symlink_to(f"/{PLACE}/bin/ami-bridge")


def place_files(root: Path, version: str, python: str) -> None:
    """Place the units, and what belongs to the documentation."""
    (units,) = root.glob(f"{PLACE}/lib/python*/site-packages/ami_bridge/units")
    system, doc = root / "usr/lib/systemd/system", root / "usr/share/doc/ami-bridge"
    system.mkdir(parents=True)
    for unit in [*units.glob("*.service"), *units.glob("*.timer")]:
        shutil.copy(unit, system)
    copied(HERE / "lintian-overrides", root / "usr/share/lintian/overrides/ami-bridge")
    copied(HERE / "copyright", doc / "copyright")
    copied(units / "ami-bridge.cron", doc / "examples/ami-bridge.cron")
    shutil.copytree(REPOSITORY / "docs", doc / "docs", ignore=lambda _folder, names: [n for n in names if not is_page(n)])
    shutil.copy(REPOSITORY / "README.md", doc)
    compressed(doc / "NEWS.gz", (REPOSITORY / "CHANGELOG.md").read_text("utf-8"))
    stamp = format_datetime(datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH") or last_change()), UTC))
    compressed(doc / "changelog.gz", f"ami-bridge ({version}+py{python}) unstable; urgency=medium\n\n  * See NEWS.gz.\n\n"
                                     f" -- {builder()}  {stamp}\n")
    compressed(root / "usr/share/man/man1/ami-bridge.1.gz", manual(version))


def manual(version: str) -> str:
    """Return the manual page: the verbs, and where the rest stands."""
    verbs = "".join(f".TP\n.B {name}\n{verb.summary}\n" for name, verb in VERBS.items())
    return (f".TH AMI-BRIDGE 1 \"\" \"ami-bridge {version}\"\n.SH NAME\n"
            "ami-bridge \\- call-recording register that keeps a privacy notice true on Asterisk\n"
            ".SH SYNOPSIS\n.B ami-bridge\n[\\-\\-config FILE] VERB [OPTIONS]\n.SH VERBS\n" + verbs +
            "Each tells of its options with \\-\\-help.\n.SH FILES\n/etc/ami\\-bridge/ami\\-bridge.toml\n"
            ".SH SEE ALSO\n/usr/share/doc/ami\\-bridge/docs\n")


def is_page(name: str) -> bool:
    """Tell whether a name in ``docs`` is a page, or a folder of such."""
    return name.endswith(".md") or "." not in name


def last_change() -> int:
    """Return the second of the last change to the repository's account of its changes."""
    return int((REPOSITORY / "CHANGELOG.md").stat().st_mtime)


def describe(root: Path, version: str, python: str, architecture: str) -> None:
    """Write what dpkg reads: the control file, the sums of all files, what is done when it comes and goes."""
    control = root / "DEBIAN"
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files) // 1024
    control.mkdir()
    (control / "control").write_text(CONTROL.format(
        version=version, python=python, glibc=glibc_of(python), architecture=architecture, size=size, maintainer=builder()))
    (control / "md5sums").write_text("".join(f"{md5(path)}  {path.relative_to(root)}\n" for path in files))
    for name in ("postinst", "prerm", "postrm"):
        shutil.copy(HERE / name, control)


def md5(path: Path) -> str:
    """Return the sum by which ``dpkg --verify`` sees a change."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def builder() -> str:
    """Return who answers for this package: whoever builds it, as Debian's own tools are told."""
    name, address = os.environ.get("DEBFULLNAME", "local administrator"), os.environ.get("DEBEMAIL")
    return f"{name} <{address or 'root@' + socket.getfqdn()}>"


def tidy(root: Path) -> None:
    """Give each file the mode that it has on a Debian system, whoever built it."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            program = path.parent in (root / "DEBIAN", root / PLACE / "bin") and path.name not in ("control", "md5sums")
            path.chmod(0o755 if path.is_dir() or program else 0o644)


def copied(source: Path, target: Path) -> None:
    """Copy a file to a place whose folder may not be there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def compressed(target: Path, text: str) -> None:
    """Write a text compressed, the same bytes each time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(text.encode(), mtime=0))


def run(*command: str) -> str:
    """Run a program and return what it prints; end with its words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])} ... failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
