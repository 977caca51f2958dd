"""A cached root file system with a real Asterisk in it, built from the machine's own Debian mirror."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

RELEASES: Mapping[str, str] = {"forky": "22", "bullseye": "16"}  # Debian release -> major version of Asterisk
HOST_TOOLS: Mapping[str, str] = {  # command -> Debian package
    "mmdebstrap": "mmdebstrap", "sipp": "sip-tester", "sox": "sox", "espeak-ng": "espeak-ng", "age": "age",
    "gpgv": "gpgv", "gpg": "gpg", "unshare": "util-linux", "opusenc": "opus-tools", "chromium": "chromium",
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INSIDE = "asterisk,asterisk-core-sounds-en-wav,python3,ca-certificates"
PYST2 = "pyst2==0.5.1"
SIX = "six==1.17.0"  # imported by pyst2, declared by nobody
BUILT = "built-by-ami-bridge"


class ProvisionError(RuntimeError):
    """A step of building the root file system failed; the message says which and what to do."""


def provision(release: str = "forky") -> Path:
    """Return the root file system of `release`, building it (about a minute, 400 MB) when it is not cached."""
    if release not in RELEASES:
        raise ProvisionError(f"no root file system for {release!r}: choose one of {', '.join(RELEASES)}")
    if os.geteuid() != 0:
        raise ProvisionError("building and entering a root file system needs root: run this as root")
    cache = cache_folder()
    root = cache / f"rootfs-{release}"
    with _locked(cache / f"rootfs-{release}.lock"):
        install_host_tools()
        if not (root / BUILT).exists():
            _build(release, root)
    return root


def promtool() -> Path:
    """Prometheus' own checker of rules: the machine's, else out of Debian's package, which is fetched but not installed, because
    that would start a server.
    """
    there = shutil.which("promtool")
    if there:
        return Path(there)
    cache = cache_folder()
    with _locked(cache / "promtool.lock"):
        if not (cache / "promtool").exists():
            with tempfile.TemporaryDirectory(prefix="promtool.", dir=cache) as scratch:
                say("fetching promtool")
                _run("apt-get", "update", "--quiet=2")
                _run("apt-get", "download", "--quiet=2", "prometheus", folder=Path(scratch))
                (package,) = Path(scratch).glob("*.deb")
                _run("dpkg-deb", "--extract", str(package), f"{scratch}/prometheus")
                Path(scratch, "prometheus/usr/bin/promtool").rename(cache / "promtool")
    return cache / "promtool"


def cache_folder() -> Path:
    """The folder that keeps root file systems between runs; made when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("AMI_BRIDGE_CACHE") or Path(base) / "ami-bridge").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _build(release: str, root: Path) -> None:
    """Build beside the final name and rename, so that a half-built root is never used."""
    shutil.rmtree(root, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{root.name}.", dir=root.parent) as scratch:
        unfinished = Path(scratch) / "root"
        _bootstrap(release, unfinished)
        _name_host(unfinished)
        _install_pyst2(unfinished)
        (unfinished / BUILT).write_text(f"{release}\n")
        unfinished.rename(root)


def _bootstrap(release: str, root: Path) -> None:
    say(f"building Debian {release} with Asterisk {RELEASES[release]} (about a minute)")
    _run("mmdebstrap", "--quiet", "--variant=apt", "--components=main", f"--include={INSIDE}",
         "--aptopt=Acquire::Check-Valid-Until \"false\"", release, str(root), _mirror())


def _mirror() -> str:
    """The first archive this machine's apt uses that is not an updates-only one."""
    listed = _run("apt-get", "indextargets", "--format", "$(REPO_URI) $(SUITE) $(ORIGIN)", "Created-By: Packages")
    for line in listed.splitlines():
        uri, suite, origin = (line + "  ").split(" ", 2)
        if origin.strip() == "Debian" and "security" not in suite + uri:
            return uri
    raise ProvisionError("apt knows no Debian archive: put one into /etc/apt/sources.list.d and run apt-get update")


def _name_host(root: Path) -> None:
    """Without the host's name here every call stalls for seconds in a DNS look-up."""
    with (root / "etc/hosts").open("a") as hosts:
        hosts.write(f"127.0.0.1 {socket.gethostname()}\n")


def _install_pyst2(root: Path) -> None:
    """Put pyst2 where the root's own python3 finds it, and see that it does."""
    say(f"installing {PYST2} for AGI processes")
    target = root / "usr/lib/python3/dist-packages"
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore",
         "--no-deps", "--target", str(target), PYST2, SIX)
    _run("chroot", str(root), "python3", "-W", "ignore", "-c", "import asterisk.agi")


def install_host_tools() -> None:
    """Install what is missing of the tools of demo and tests; ProvisionError when that cannot be (no root, no archive)."""
    missing = [package for command, package in HOST_TOOLS.items() if not shutil.which(command)]
    if not KEYRING.exists():
        missing.append("debian-archive-keyring")
    if missing:
        say(f"installing {' '.join(missing)}")
        _run("apt-get", "update", "--quiet=2")
        _run("apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock: a second caller waits and then finds the finished root."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str, folder: Path | None = None) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL, cwd=folder)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise ProvisionError(f"{' '.join(command[:3])} ... failed with {done.returncode}; mend this and run again:\n{tail}")
    return done.stdout


def say(line: str) -> None:
    """Show progress on stderr."""
    print(f"pbx: {line}", file=sys.stderr, flush=True)
