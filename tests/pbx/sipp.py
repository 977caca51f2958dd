"""SIPp as a process: scenario text from templates, a tone for each call, counts and errors out of its files."""

import csv
import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from string import Template

from tests.pbx.g711 import Codec
from tests.pbx.settings import Address, free_media_ports
from tests.pbx.tones import sine

SCENARIOS = Path(__file__).parent / "scenarios"
READY_SECONDS = 20.0
NOISE = ("receive timeout on message", "The following events occurred", "Resolving remote host", "open file limit")


class PhoneError(RuntimeError):
    """A phone could not be started or did not finish; the message says what SIPp wrote."""


@dataclass(frozen=True)
class Result:
    """How the calls of one phone went; `errors` is what SIPp wrote about the failed ones."""

    successful: int
    failed: int
    errors: str

    @property
    def ok(self) -> bool:
        return self.failed == 0 and self.successful > 0


class Phone:
    """A running SIPp. `wait()` for its calls to end, `stop()` to end it now; both may be repeated."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self.folder = folder

    def wait(self, timeout: float = 60.0) -> Result:
        """Wait (seconds) until all calls have ended."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise PhoneError(f"phone in {self.folder} still had calls after {timeout:.0f} s: {self.result()}") from None
        return self.result()

    def stop(self) -> Result:
        """End the phone without a word to the PBX, as if it had lost its power."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self.result()

    def result(self) -> Result:
        """The counts so far: SIPp writes them once a second and at its end."""
        counts = _last_row(self.folder / "counts.csv")
        written = [self.folder / "errors.log", self.folder / "stderr.log"]
        errors = "".join(path.read_text(errors="replace") for path in written if path.exists())
        return Result(int(counts.get("SuccessfulCall(C)") or 0), int(counts.get("FailedCall(C)") or 0), _faults(errors))

    def answered(self) -> set[int]:
        """The numbers, from 1, of the calls that were answered so far (of a phone that calls)."""
        path = self.folder / "calls.log"
        words = path.read_text(errors="replace").split() if path.exists() else []
        return {int(number) for word, number in pairwise(words) if word == "answered"}

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None


def start(folder: Path, scenario: str, here: Address, *options: str) -> Phone:
    """Start SIPp with the scenario text, bound to `here`; all its files are in `folder`."""
    (folder / "scenario.xml").write_text(scenario, encoding="utf-8")
    host, port = here
    command = ["sipp", *options, "-sf", "scenario.xml", "-i", host, "-mi", host, "-bind_local",
               "-p", str(port), "-mp", str(free_media_ports(host, 4)), "-aa", "-nostdin",
               "-trace_err", "-error_file", "errors.log", "-trace_stat", "-stf", "counts.csv", "-fd", "1",
               "-trace_logs", "-log_file", "calls.log"]
    with (folder / "stderr.log").open("wb") as stderr:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                                   start_new_session=True)
    return Phone(process, folder)


def await_listening(phone: Phone, here: Address) -> None:
    """Return when the phone's port is taken; a phone that ended or never took it is an error."""
    deadline = time.monotonic() + READY_SECONDS
    while not phone.ended and time.monotonic() < deadline:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(here)
            except OSError:
                return
        time.sleep(0.02)
    raise PhoneError(f"no phone came up at {here[0]}:{here[1]}: {phone.stop().errors}")


def scenario(name: str, codec: Codec, play: str, **values: object) -> str:
    """The scenario template `name` filled in, with the offered codec and the tones of `play`."""
    sdp = _template("sdp.txt").substitute(PAYLOAD=codec.payload, CODEC=codec.sdp).strip()
    common = {"SDP": sdp, "PLAY": play, "CANCELLED": _template("cancelled.xml").substitute()}
    return _template(f"{name}.xml").substitute(common | values)


def key_presses(presses: Sequence[tuple[int, str]], here: str, there: str) -> str:
    """Return the part of a scenario that waits (ms) and presses a key, in order (SIP INFO, application/dtmf-relay).

    `here` and `there`: what stands in From and To, tags included.
    """
    template = _template("key.xml")
    return "".join(template.substitute(AFTER_MS=after, KEY=key, CSEQ=cseq, FROM=here, TO=there)
                   for cseq, (after, key) in enumerate(presses, 2))


def play(folder: Path, codec: Codec, tones: Sequence[int]) -> str:
    """Scenario lines that play tone i (Hz), looped, in call i; a single tone is played in every call; none is silence."""
    streams = [f'<exec rtp_stream="{_encoded(folder, codec, hz)},-1,{codec.payload},{codec.sdp}/8000"/>' for hz in tones]
    if len(streams) < 2:
        return "\n".join(f"  <nop><action>{stream}</action></nop>" for stream in streams)
    choose = ['<assignstr assign_to="text" value="[call_number]"/>', '<todouble assign_to="number" variable="text"/>']
    choose += [f'<test assign_to="is{i}" variable="number" compare="equal" value="{i}"/>' for i in _numbers(streams)]
    lines = [f"  <nop><action>{''.join(choose)}</action></nop>"]
    lines += [f'  <nop condexec="is{i}"><action>{streams[i - 1]}</action></nop>' for i in _numbers(streams)]
    return "\n".join(lines)


def _numbers(streams: Sequence[str]) -> range:
    return range(1, len(streams) + 1)


def _encoded(folder: Path, codec: Codec, hz: int) -> str:
    """One second of the tone as bare codec bytes: SIPp sends them as they are."""
    name = f"{hz}.{codec.sdp.lower()}"
    (folder / name).write_bytes(codec.encoded(sine(hz, 1)))
    return name


def _faults(written: str) -> str:
    """What SIPp wrote, without the timeouts that our scenarios use as clocks."""
    entries = re.split(r"(?=\d{4}-\d\d-\d\d\t)|\n(?=Resolving)", written)
    return "\n".join(entry.strip() for entry in entries if entry.strip() and not any(noise in entry for noise in NOISE))


def _template(name: str) -> Template:
    return Template((SCENARIOS / name).read_text(encoding="utf-8"))


def _last_row(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    with path.open(newline="", errors="replace") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    return rows[-1] if rows else {}
