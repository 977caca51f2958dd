"""A PBX with ami-bridge on it, set up as an admin would: a configuration file, `ami-bridge init`, `ami-bridge run`."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ami_bridge.app import key_store
from ami_bridge.config import load
from ami_bridge.core.entries import Entry
from ami_bridge.register import CallFilter, Register, Work
from ami_bridge.spool import Spool
from ami_bridge.vault import Vault
from tests.furnished import furnish
from tests.pbx.asterisk import REPOSITORY, Pbx
from tests.pbx.settings import Settings, free_port
from tests.pbx.tones import tone_wav
from tests.streams import recording

NOTICE_HZ, NOTICE_SECONDS = 1000, 1.2
RECORDED_DIALPLAN = (Path(__file__).parent / "conf" / "recorded_dialplan.txt").read_text(encoding="utf-8")
ROUTES = """
[[route]]
name = "inbound"
direction = "inbound"

[[route]]
name = "outbound"
direction = "outbound"

[[route]]
name = "internal"
direction = "internal"
"""
CONFIG = """
[exchange]
name = "pbxtest"
configuration = "{home}/pbx/etc"

[ami]
port = {ami_port}
username = "bridge"
secret = "{secret}"
keepalive = 2

[agi]
port = {agi_port}
secret = "{agi_secret}"
process = "{home}/bin/ami-bridge-agi"

[spool]
directory = "{spool}"
floor_mb = {floor_mb}

[vault]
directory = "{home}/vault"

[keys]
recipients = "{home}/recipients"
private = "{home}/keys"

[certificates]
directory = "{home}/certificates"
key = "{home}/certificate.key"

[audit]
directory = "{home}/audit"
key = "{home}/audit.key"
syslog = ""

[accounts]
key = "{home}/accounts.key"

[metrics]
port = {metrics_port}

[cel]
file = "{home}/pbx/log/cel-custom/ami_bridge.csv"

[reconcile]
monitor = ["{home}/pbx/spool/monitor"]

[purge]
clock = "trusted"

[register]
url = "{url}"

[notice]
directory = "{home}/prompts"
languages = ["en"]
{more}
{routes}
"""


class System:
    """`with System(work) as system` runs Asterisk and the daemon; see `pbx`, `calls`, `audio`.

    The prompt "recorded" is a tone of 1000 Hz, 1.2 s, unless `spoken`: then the notice as shipped, read by espeak-ng.
    `url`: the register; empty: SQLite. `manager_port`: where the daemon finds AMI, when not at the PBX itself.
    `metrics_port`: where the figures are shown; 0: nowhere. `more`: further sections of the configuration.
    `asterisk`: text to add to files of Asterisk's configuration, by their names.
    `before_start`: what is done once all is set up, before Asterisk starts.
    `release`: the Debian whose Asterisk runs (forky: 22, bullseye: 16).
    """

    def __init__(self, work: Path, *, routes: str = ROUTES, dialplan: str = RECORDED_DIALPLAN, spoken: bool = False,
                 url: str = "", daemon: bool = True, codecs: str = "alaw,ulaw", spool: Path | None = None, floor_mb: int = 1,
                 manager_port: int = 0, metrics_port: int = 0, more: str = "", asterisk: Mapping[str, str] | None = None,
                 release: str = "forky", before_start: Callable[[Self], None] = lambda system: None) -> None:
        self.home = work.resolve()
        self._routes = routes
        self._spoken = spoken
        self._spool = spool or self.home / "spool"
        self._places_of_its_own = bool(spool or url)
        self._floor_mb = floor_mb
        self.manager_port = manager_port
        self.metrics_port = metrics_port
        self._more = more
        self._url = url or f"sqlite:///{self.home}/register.db"
        self._with_daemon = daemon
        self._before_start = before_start
        self.agi_port = free_port(socket.SOCK_STREAM)
        self.pbx = Pbx(self.home / "pbx", Settings(dialplan=dialplan, codecs=codecs, ami_write="reporting,call,user", more=asterisk or {},
                                                   includes=[REPOSITORY / "dialplan" / "extensions_recording.conf"]),
                       binds=[self.home, self._spool.parent], release=release)
        self.config_file = self.home / "ami-bridge.toml"
        self.daemon: subprocess.Popen[bytes] | None = None
        self._stop_recording: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        try:
            self.set_up()
            self._before_start(self)
            self.pbx.__enter__()
            self._stop_recording = recording.listen(self)
            if self._with_daemon:
                self.start_daemon()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            print(f"--- ami-bridge log ---\n{self.log()}", file=sys.stderr)
            print(f"--- Asterisk log ---\n{self.pbx.log_tail()}", file=sys.stderr)
        self.close()

    def set_up(self) -> None:
        """Write the configuration and run `ami-bridge init`, then put in the test's own notice."""
        self.mend_agi_program()
        self.config_file.write_text(CONFIG.format(
            ami_port=self.manager_port or self.pbx.ports.ami, secret=self.pbx.settings.secret, agi_port=self.agi_port, agi_secret="s" * 32,
            home=self.home, url=self._url, routes=self._routes,
            spool=self._spool, floor_mb=self._floor_mb, metrics_port=self.metrics_port, more=self._more))
        if self._places_of_its_own:
            self._furnish()
        else:
            furnish(self.home, self.agi_port, ("exchange", self._routes, self._more, self._spoken, self._floor_mb), self._furnish)
        etc = self.pbx.home / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.home / "ami_bridge_generated.conf", etc)

    def _furnish(self) -> None:
        """Run what an admin runs once."""
        self.command("init")
        if not self._spoken:
            tone = tone_wav(self.home / "notice.wav", NOTICE_HZ, NOTICE_SECONDS)
            self.command("notice", "add", str(tone), "--language", "en")
        assert self.command("dialplan") == (self.home / "ami_bridge_generated.conf").read_text(encoding="utf-8")

    def command(self, *words: str) -> str:
        """Run `ami-bridge` with this configuration; return what it prints."""
        done = subprocess.run([sys.executable, "-m", "ami_bridge", *words], capture_output=True, text=True, timeout=60,
                              env=self.environment())
        if done.returncode:
            raise RuntimeError(f"ami-bridge {' '.join(words)} failed with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def environment(self) -> dict[str, str]:
        """The environment in which our command finds this configuration."""
        return os.environ | {"AMI_BRIDGE_CONFIG": str(self.config_file), "PYTHONPATH": str(REPOSITORY)}

    def start_daemon(self) -> None:
        """Start `ami-bridge run` and return when it says that it is ready and its link to Asterisk is up."""
        with (self.home / "daemon.log").open("ab") as log:
            before = self.log().count("action=ami_link_up")
            self.daemon = subprocess.Popen([*self._shut_in(), sys.executable, "-m", "ami_bridge", "run"], stdout=log, stderr=log,
                                           env=self.environment())
        process = self.daemon
        self.wait_for(lambda: self.log().count("action=ami_link_up") > before or process.poll() is not None, "the daemon")
        if process.poll() is not None:
            raise RuntimeError(f"the daemon ended at once:\n{self.log()}")

    def _shut_in(self) -> list[str]:
        """Return what runs a command so that it gets to no key that opens, as the daemon's unit says (InaccessiblePaths)."""
        config, nothing = load(self.config_file), self.home / "nothing"
        nothing.mkdir(exist_ok=True)
        barred = (config.keys.private, config.certificates.key, config.accounts.key)
        over = [(nothing if path.is_dir() else "/dev/null", path) for path in barred if path and path.exists()]
        mounts = "".join(f"mount --bind {shlex.quote(str(what))} {shlex.quote(str(path))}; " for what, path in over)
        return ["unshare", "--mount", "--propagation", "slave", "sh", "-ec", f'{mounts}exec "$@"', "sh"]

    def stop_daemon(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the daemon and wait for its end; return its exit code."""
        assert self.daemon is not None
        self.daemon.send_signal(sign)
        code = self.daemon.wait(30)
        self.daemon = None
        return code

    def close(self) -> None:
        """Stop everything."""
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None
        self._stop_recording()
        self.pbx.close()

    def log(self) -> str:
        """All that the daemon logged."""
        path = self.home / "daemon.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @contextmanager
    def reading(self) -> Iterator[Work]:
        """The register."""
        register = Register.open(self._url)
        try:
            with register.reading() as work:
                yield work
        finally:
            register.close()

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """The register, to put something into it beside the daemon."""
        with closing(Register.open(self._url)) as register, register.writing() as work:
            yield work

    def calls(self) -> list[Entry]:
        """The register's entries, oldest first."""
        with self.reading() as work:
            return sorted(work.calls.find(CallFilter(now=datetime.now(UTC), limit=100_000)), key=lambda e: e.started_at)

    def registered(self, n: int, timeout: float = 60.0) -> list[Entry]:
        """Wait until the register has `n` entries, and return them; more than `n` is an error too."""
        self.wait_for(lambda: len(self.calls()) >= n, f"{n} entries", timeout)
        found = self.calls()
        assert len(found) == n, [(e.direction, e.reason, e.state) for e in found]
        return found

    def audio(self, entry: Entry) -> Path:
        """The sound of a call's only recording, opened with the key of its day."""
        (recording,) = entry.recordings
        assert recording.audio, recording
        config = load(self.config_file)
        opened = self.home / "opened" / f"{recording.id}.wav"
        opened.parent.mkdir(exist_ok=True)
        with opened.open("wb") as file:
            Vault(config.vault.directory, key_store(config)).open(recording.audio.file, file)
        return opened

    @property
    def spool(self) -> Spool:
        return Spool(load(self.config_file).spool.directory)

    def wait_for(self, condition: Callable[[], object], what: str, timeout: float = 60.0) -> None:
        """Wait until `condition` holds."""
        until = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError(f"waited {timeout:.0f} s for {what}\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def mend_agi_program(self) -> None:
        """Put the process script in its place."""
        self.break_agi_program(f'PYTHONPATH="{REPOSITORY}" exec /usr/bin/python3 -m agi_scripts "$@"')

    def break_agi_program(self, instead: str = "exit 1") -> None:
        """Put a shell line in the place of the process script."""
        program = self.home / "bin" / "ami-bridge-agi"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{instead}\n")
        program.chmod(0o755)
