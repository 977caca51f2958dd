"""A machine of one's own: this one, with folders of its own over its own, a network and processes of its own, and an Asterisk
as Debian's package leaves it, sample configuration and all. What is done there as root is gone afterwards.

Two programs are stand-ins: systemctl (no systemd runs there) and apt-get (what it would install is here already).
"""

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.pbx.asterisk import REPOSITORY, Stoppable
from tests.pbx.rootfs import cache_folder, provision

OWN = ("/etc", "/opt", "/var", "/usr/local", "/root", "/home")
SHARED = ("/etc", "/opt", "/var", "/run", "/usr/local", "/dev", "/proc", "/tmp")
PACKAGE = ("etc/asterisk", "var/lib/asterisk", "var/log/asterisk", "var/spool/asterisk", "var/cache/asterisk")
CLONE_NEWNET = 0x40000000
UP_SECONDS = 30.0
TREE = ("ami_bridge", "agi_scripts", "dialplan", "docs", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")
SCRIPT = """
set -e
mount -t tmpfs tmpfs {over}
mkdir {over}/u {over}/w {pbx}
mount -t overlay overlay -o lowerdir={root},upperdir={over}/u,workdir={over}/w {pbx}
for at in {own}; do
  mkdir -p {over}$at/u {over}$at/w
  mount -t overlay overlay -o lowerdir=$at,upperdir={over}$at/u,workdir={over}$at/w $at
done
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/standin /run/asterisk
for at in {shared}; do mount --rbind $at {pbx}$at; done
ip link set lo up
touch {ready}
exec sleep infinity
"""


class Host:
    """`with Host(work, release) as host`: `host.run("command")` as root, `host.see(path)` a file there, from here."""

    sip = "127.0.0.1", 5060

    def __init__(self, work: Path, release: str) -> None:
        self.home = work.resolve()
        self._root = provision(release)
        self._over = self.home / "over"
        self._pbx = self._over / "pbx"
        self._keeper: subprocess.Popen[bytes] | None = None
        self._inner = 0
        self._phones: list[Stoppable] = []

    def __enter__(self) -> Self:
        try:
            self._start()
            self._furnish()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            logs = [self.see("/var/log/asterisk/messages"), self.see("/var/log/asterisk/messages.log"), *self.see("/run/standin").glob("*.log")]
            for log in logs:
                if log.exists():
                    print(f"--- {log.name} ---\n{log.read_text(errors='replace')[-6000:]}", file=sys.stderr)
        self.close()

    def close(self) -> None:
        """End every process there; with the last of them the machine is gone."""
        while self._phones:
            self._phones.pop().stop()
        if self._inner:
            os.kill(self._inner, signal.SIGKILL)
        if self._keeper:
            self._keeper.wait(10)

    def run(self, command: str, *, cwd: str = "/root", code: int = 0) -> str:
        """Run a shell command as root; return what it prints. Another exit code than `code` is an error."""
        line = ["nsenter", "-t", str(self._inner), "-m", "-p", "-n", "--", "sh", "-c", f"cd {shlex.quote(cwd)} && {command}"]
        done = subprocess.run(line, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=120,
                              env=self._environment())
        if done.returncode != code:
            raise AssertionError(f"{command!r} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout + done.stderr

    def see(self, path: str) -> Path:
        """A path there, as it is reached from here."""
        return Path(f"/proc/{self._inner}/root{path}")

    @contextmanager
    def network(self) -> Iterator[None]:
        """Have this thread, and what it starts, on that machine's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as here, open(f"/proc/{self._inner}/ns/net") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                libc.setns(here.fileno(), CLONE_NEWNET)

    def phone_address(self, name: str) -> tuple[str, int]:
        """Where the PBX rings an agent."""
        return "127.0.0.1", int(name) - 6000 + 5070

    def adopt(self, phone: Stoppable) -> None:
        """Stop this phone, at the latest, with the machine."""
        self._phones.append(phone)

    def wait_for(self, command: str, word: str, timeout: float = UP_SECONDS) -> str:
        """Run a command until it prints a word."""
        until = time.monotonic() + timeout
        while True:
            said = self.run(f"{command} || true")
            if word in said:
                return said
            if time.monotonic() > until:
                asterisk = self.run("ps ax | grep '[a]sterisk'; tail -n 15 /var/log/asterisk/messages* /run/standin/asterisk.log 2>&1 || true")
                raise AssertionError(f"{command!r} did not say {word!r} in {timeout:.0f} s, but: {said[-2000:]}\n{asterisk}")
            time.sleep(0.2)

    def _start(self) -> None:
        self._over.mkdir(parents=True)
        ready = self.home / "ready"
        script = SCRIPT.format(over=self._over, pbx=self._pbx, root=self._root, own=" ".join(OWN), shared=" ".join(SHARED), ready=ready)
        with (self.home / "host.log").open("wb") as log:
            self._keeper = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
                 "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + UP_SECONDS
        while not ready.exists():
            if self._keeper.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no machine of one's own: {(self.home / 'host.log').read_text()}")
            time.sleep(0.05)
        children = Path(f"/proc/{self._keeper.pid}/task/{self._keeper.pid}/children").read_text()
        self._inner = int(children.split()[0])

    def _furnish(self) -> None:
        """Put the package's files, its user and its unit where Debian puts them, and the stand-ins.

        What an ami-bridge of the machine below has is not seen here: the layers above hide it.
        """
        self.run("rm -rf /etc/ami-bridge /opt/ami-bridge /var/lib/ami-bridge")
        self.run("useradd --system --user-group --home-dir /var/lib/asterisk --no-create-home --shell /usr/sbin/nologin asterisk")
        theirs = next(":".join(line.split(":")[2:4]) for line in (self._root / "etc/passwd").read_text().splitlines() if line.startswith("asterisk:"))
        for part in PACKAGE:
            source = self._root / part
            if source.exists():
                self.run(f"mkdir -p /{Path(part).parent} && cp -a {source} /{Path(part).parent}/")
                self.run(f"chown -R --from={theirs} asterisk:asterisk /{part}")
        self.run("chown asterisk:asterisk /run/asterisk")
        self.program("asterisk", f'exec chroot {self._pbx} /usr/sbin/asterisk "$@"')
        unit = next(self._root.glob("lib/systemd/system/asterisk.service"))
        text = unit.read_text().replace("/usr/sbin/asterisk", "/usr/local/sbin/asterisk")
        self.see("/etc/systemd/system/asterisk.service").write_text(text)
        self.program("systemctl", f'exec {sys.executable} {REPOSITORY}/tests/pbx/standin_systemctl.py "$@"')
        self.program("apt-get", "exit 0")
        self.run(f"mkdir -p /root/ami-bridge && cp -r {' '.join(str(REPOSITORY / name) for name in TREE if (REPOSITORY / name).exists())} /root/ami-bridge")
        for folder in [Path(sys.base_prefix), *Path(sys.base_prefix).parents]:  # the daemon's user must reach this Python
            self.run(f"test ! -w {folder} || chmod o+x {folder}" if str(folder).startswith(("/root", "/home")) else "true")

    def program(self, name: str, line: str) -> None:
        """Put a shell line into the machine as a program."""
        path = self.see(f"/usr/local/sbin/{name}")
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        path = f"/usr/local/sbin:/usr/local/bin:{sys.base_prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels()),
                "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_CONFIG_FILE": "/dev/null"}


def wheels() -> Path:
    """A folder with all that the installation needs, fetched once: the machine of one's own has no way out."""
    wanted = (REPOSITORY / ".ci/constraints.txt").read_bytes() + (REPOSITORY / "pyproject.toml").read_bytes()
    folder = cache_folder() / f"wheels-{sha256(wanted).hexdigest()[:12]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            for what in (["wheel", "--no-deps", "--wheel-dir", scratch, "setuptools>=77"], ["download", "--dest", scratch, str(REPOSITORY)]):
                subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *what, "-c", str(REPOSITORY / ".ci/constraints.txt")],
                               check=True, stderr=subprocess.DEVNULL)
            shutil.copytree(scratch, folder.with_suffix(f".{os.getpid()}"))
        with suppress(OSError):  # another was quicker
            folder.with_suffix(f".{os.getpid()}").rename(folder)
    return folder
