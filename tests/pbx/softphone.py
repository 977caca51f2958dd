"""A phone for what SIPp cannot do in a scenario: hold, codecs in mid-call, REFER, several lines, and hearing."""

import contextlib
import queue
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.pbx.asterisk import Pbx
from tests.pbx.g711 import CODECS
from tests.pbx.line import Line
from tests.pbx.opus import opus_tone
from tests.pbx.settings import AGENT_CALLING_HOST, TRUNK_HOST, Address, free_port
from tests.pbx.sip import Message, new_branch, parse, response, uri
from tests.pbx.sipp import PhoneError
from tests.pbx.tones import read_samples, sine, tone_wav
from tests.pbx.voice import Voice, decoded

__all__ = ["Line", "PhoneError", "Softphone"]

RESEND_SECONDS = 0.5
PACKET = 160  # bytes: 20 ms of every codec but Opus


class Softphone:
    """The phone of an agent ("6001"), or of anybody outside ("trunk"), at work until `stop()`; the PBX stops it at the latest.

    It says `tone` (Hz; None: it sends nothing), in the first of `codecs` that the exchange takes ("alaw", "ulaw", "g722",
    "opus"; with Opus it speaks, and is deaf).
    `first_sequence` is the number of each line's first RTP packet (None: any). With `listens` it is where the PBX rings
    that name; without, it only calls. Somebody outside calls as `caller`.
    """

    def __init__(self, pbx: Pbx, who: str, *, tone: int | None = 660, first_sequence: int | None = None,
                 codecs: Sequence[str] = ("alaw", "ulaw"), listens: bool = True, caller: str = "0401234567") -> None:
        self._pbx, self._tone, self._first, self._codecs = pbx, tone, first_sequence, tuple(codecs)
        self._user, host = (caller, TRUNK_HOST) if who == "trunk" else (who, AGENT_CALLING_HOST)
        self._tones = {codec: _packets(pbx, codec, tone) for codec in codecs} if tone else {}
        self.address: Address = pbx.phone_address(who) if listens else (host, free_port(socket.SOCK_DGRAM))
        self.contact = f"sip:{self._user}@{self.address[0]}:{self.address[1]}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(0.2)
        self._lines: dict[str, Line] = {}
        self._ringing: queue.Queue[Line] = queue.Queue()
        self._waiting: dict[tuple[str, int, str], queue.Queue[Message]] = {}
        self._said: dict[tuple[str, str], Message] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"softphone-{who}", daemon=True)
        self._thread.start()
        pbx.adopt(self)

    def ringing(self, timeout: float = 20.0) -> Line:
        """Wait for the next call; return it while it rings."""
        with contextlib.suppress(queue.Empty):
            while (line := self._ringing.get(timeout=timeout)).ended.is_set():
                pass
            return line
        raise PhoneError(f"nobody called {self._user} within {timeout:.0f} s")

    def answer(self, ring: float = 0.1, timeout: float = 20.0) -> Line:
        """Wait for the next call, let it ring `ring` seconds, answer it."""
        line = self.ringing(timeout)
        time.sleep(ring)
        return line.pick_up()

    def dial(self, number: str) -> Line:
        """Begin a call to `number`; `answered()` waits for it to be taken."""
        host, port = self._pbx.sip
        there = f"sip:{number}@{host}:{port}"
        own = TRUNK_HOST if self.address[0] == TRUNK_HOST else host
        line = self._line(secrets.token_hex(12), f"<sip:{self._user}@{own}>;tag={secrets.token_hex(6)}", f"<{there}>", there)
        line.invite = line.compose("INVITE", [("Content-Type", "application/sdp")], line.describe(self._codecs))
        self._expect(line.invite)
        self.send(line.invite)
        return line

    def call(self, number: str, timeout: float = 20.0) -> Line:
        """Call `number`; return when it is answered, which it is by the notice where calls are recorded."""
        return self.dial(number).answered(timeout)

    def stop(self) -> None:
        """Hang up everything and go."""
        if self._stopped.is_set():
            return
        for line in list(self._lines.values()):
            with contextlib.suppress(PhoneError):
                line.drop()
        self._stopped.set()
        self._thread.join(2)
        self._socket.close()

    def send(self, message: Message) -> None:
        """Send a message to the exchange; a response is kept, should its request come again."""
        if message.status >= 200 or (message.status and message.method == "INVITE"):
            self._said[message.branch, message.method] = message
        with contextlib.suppress(OSError):
            self._socket.sendto(message.encode(), self._pbx.sip)

    def transact(self, request: Message, timeout: float) -> Message:
        """Send a request, again when nothing comes back; return the final response."""
        key = request.call_id, request.number, request.method
        if key not in self._waiting:
            self._expect(request)
            self.send(request)
        try:
            return self._final(request, time.monotonic() + timeout)
        finally:
            del self._waiting[key]

    def _expect(self, request: Message) -> None:
        self._waiting[request.call_id, request.number, request.method] = queue.Queue()

    def _final(self, request: Message, until: float) -> Message:
        provisional = False
        while time.monotonic() < until:
            try:
                found = self._waiting[request.call_id, request.number, request.method].get(timeout=RESEND_SECONDS)
            except queue.Empty:
                if not provisional:
                    self.send(request)
                continue
            if found.status >= 200:
                return found
            provisional = True
        raise PhoneError(f"no answer to {request.start}")

    def _line(self, call_id: str, here: str, there: str, target: str) -> Line:
        voice = Voice(self.address[0], self._tones, self._first, self._decoded)
        self._lines[call_id] = Line(self, call_id, here, there, target, voice, self._codecs, self._tone)
        return self._lines[call_id]

    def _run(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                raw = self._socket.recv(65536)
                message = parse(raw)
                if message.first("CSeq"):  # else no SIP: a keep-alive, or the late sound of a phone that had our port before
                    self._take(message)

    def _take(self, message: Message) -> None:
        if message.status:
            self._take_response(message)
        elif (message.branch, message.method) in self._said:
            self.send(self._said[message.branch, message.method])
        elif message.method != "ACK":
            self._take_request(message)

    def _take_response(self, message: Message) -> None:
        line = self._lines.get(message.call_id)
        if message.method == "INVITE" and message.status >= 200 and line is not None:
            line.acknowledge(message)
        waiting = self._waiting.get((message.call_id, message.number, message.method))
        if waiting is not None:
            waiting.put(message)

    def _take_request(self, message: Message) -> None:
        line = self._lines.get(message.call_id)
        if line is not None:
            line.take(message)
        elif message.method == "INVITE":
            self._ring(message)
        else:
            self.send(response(message, "200 OK" if message.method == "OPTIONS" else "481 Call Does Not Exist", new_branch()))

    def _ring(self, invite: Message) -> None:
        tag = secrets.token_hex(6)
        line = self._line(invite.call_id, f"{invite.first('To')};tag={tag}", invite.first("From"), uri(invite.first("Contact")))
        line.invite = invite
        self.send(response(invite, "180 Ringing", tag, [("Contact", f"<{self.contact}>")]))
        self._ringing.put(line)

    def _decoded(self, codec: str, payload: bytes) -> list[int]:
        if codec == "opus":
            return []
        return _from_g722(self._pbx, payload) if codec == "g722" and payload else decoded(codec, payload)


def _packets(pbx: Pbx, codec: str, hz: int) -> Sequence[bytes]:
    """A tone in packets of 20 ms, which loop."""
    if codec == "opus":
        return opus_tone(hz)
    sound = _encoded(pbx, codec, hz)
    return [sound[begin:begin + PACKET] for begin in range(0, len(sound), PACKET)]


def _encoded(pbx: Pbx, codec: str, hz: int) -> bytes:
    """One second of a tone, 8000 bytes; G.722 is left to the exchange."""
    if codec in CODECS:
        return CODECS[codec].encoded(sine(hz, 1))
    with _Scratch(pbx) as folder:
        tone_wav(folder / "tone.wav", hz, 3)
        pbx.rx(f"file convert {folder}/tone.wav {folder}/tone.g722")
        return (folder / "tone.g722").read_bytes()[8000:16000]


def _from_g722(pbx: Pbx, payload: bytes) -> list[int]:
    """The samples of G.722, 8000 a second."""
    with _Scratch(pbx) as folder:
        (folder / "heard.g722").write_bytes(payload)
        pbx.rx(f"file convert {folder}/heard.g722 {folder}/heard.wav")
        return list(read_samples(folder / "heard.wav"))


class _Scratch:
    """A folder that Asterisk sees too, for a moment."""

    def __init__(self, pbx: Pbx) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="convert-", dir=pbx.home))

    def __enter__(self) -> Path:
        return self._folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
