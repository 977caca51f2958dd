"""A real Asterisk of one's own: configured, started, asked, killed and cleared away."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tests.pbx.rootfs import provision
from tests.pbx.sandbox import inside
from tests.pbx.settings import PBX_HOST, TRUNK_HOST, Address, Ports, Settings, write_configuration
from tests.pbx.tones import silence_wav, tone_wav

REPOSITORY = Path(__file__).resolve().parents[2]
BOOT_SECONDS = 30.0
STOP_SECONDS = 20.0
MUSIC_HZ = 520  # what the music class "tone" plays
BARE_DIALPLAN = (Path(__file__).parent / "conf" / "bare_dialplan.txt").read_text(encoding="utf-8")


class PbxError(RuntimeError):
    """Asterisk did not do what was asked; the message ends with the tail of its log."""


class Stoppable(Protocol):
    def stop(self) -> object: ...


class Pbx:
    """One Asterisk instance in the folder `work`; `with Pbx(work, Settings(dialplan=...)) as pbx` runs it.

    `binds` are folders, besides `work` and the repository, that Asterisk sees at their own absolute paths. AMI listens
    at `pbx.ami` for the users `bridge` (least rights) and `capture` (all rights), both with `pbx.settings.secret`.
    """

    def __init__(self, work: Path, settings: Settings, *, binds: Iterable[Path] = (), release: str = "forky") -> None:
        self.home = work.resolve()
        self.settings = settings
        self.ports = Ports.free()
        self.root = provision(release)
        self.logs = self.home / "log"
        self.recordings = self.home / "recordings"
        self._binds = [REPOSITORY, self.home, *binds]
        self._run: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._phones: list[Stoppable] = []

    @property
    def sip(self) -> Address:
        return PBX_HOST, self.ports.sip

    @property
    def ami(self) -> Address:
        return PBX_HOST, self.ports.ami

    @property
    def pid(self) -> int:
        """The process id of Asterisk itself, the same inside and outside."""
        return self._running().pid

    def phone_address(self, name: str) -> Address:
        """Where the PBX rings `name`: "trunk" or the number of an agent."""
        return (TRUNK_HOST, self.ports.trunk) if name == "trunk" else (PBX_HOST, self.ports.agents[name])

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            print(f"--- Asterisk log ---\n{self.log_tail()}", file=sys.stderr)
        self.close()

    def start(self) -> None:
        """Write the configuration, start Asterisk and return when it is fully booted."""
        self._lay_out()
        with (self.logs / "console").open("ab") as console:
            self._process = subprocess.Popen(
                self._inside("asterisk", "-f", "-C", str(self.home / "etc/asterisk.conf")),
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        self._await_boot()

    def stop(self) -> None:
        """End Asterisk as a service manager does: SIGTERM, and SIGKILL when that takes over 20 s."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """kill -9: what a crash leaves behind stays as it is; `start()` brings the same instance up again."""
        process = self._running()
        process.kill()
        process.wait()
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop_phones(self) -> None:
        """Stop every phone."""
        while self._phones:
            self._phones.pop().stop()

    def close(self) -> None:
        """Stop every phone and Asterisk, and remove the run folder. The instance's files stay in `work`."""
        self.stop_phones()
        self.stop()
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)
            self._run = None

    def adopt(self, phone: Stoppable) -> None:
        """Stop this phone, at the latest, with the PBX."""
        self._phones.append(phone)

    def rx(self, command: str) -> str:
        """What `asterisk -rx command` prints."""
        done = self._rx(command)
        if done.returncode:
            raise PbxError(f"asterisk -rx {command!r} failed: {done.stdout}{done.stderr}\n{self.log_tail()}")
        return done.stdout

    def log_tail(self, lines: int = 60) -> str:
        """The last lines of the console and of the full log."""
        texts = [(self.logs / name) for name in ("console", "full")]
        return "\n".join(line for text in texts if text.exists()
                         for line in text.read_text(errors="replace").splitlines()[-lines:])

    def _lay_out(self) -> None:
        for name in ("etc", "lib", "spool", "log/cdr-csv", "log/cel-custom", "recordings", "silence", "music"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        if self._run is None:  # short, because the path of a Unix socket has 107 bytes
            self._run = Path(tempfile.mkdtemp(prefix="pbx-"))
        silence_wav(self.home / "silence/silence.wav", seconds=5)
        tone_wav(self.home / "music/tone.wav", MUSIC_HZ, 5)
        write_configuration(self.home, self._run, self.root, self._complete_settings(), self.ports)

    def _complete_settings(self) -> Settings:
        """The caller's settings with the globals that the bare dialplan needs."""
        defaults = {"RECORDINGS": str(self.recordings), "PROMPT": "beep"}
        return replace(self.settings, globals={**defaults, **self.settings.globals})

    def _inside(self, *command: str) -> list[str]:
        assert self._run is not None
        return inside(self.root, [*self._binds, self._run], command)

    def _rx(self, command: str) -> subprocess.CompletedProcess[str]:
        line = self._inside("asterisk", "-C", str(self.home / "etc/asterisk.conf"), "-rx", command)
        return subprocess.run(line, capture_output=True, text=True, errors="replace", timeout=BOOT_SECONDS)

    def _await_boot(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if self._running().poll() is not None:
                raise PbxError(f"Asterisk ended while starting:\n{self.log_tail()}")
            if "fully booted" in self._rx("core waitfullybooted").stdout:
                return
            time.sleep(0.1)
        raise PbxError(f"Asterisk was not up after {BOOT_SECONDS:.0f} s:\n{self.log_tail()}")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise PbxError("Asterisk is not running: call start() first")
        return self._process
