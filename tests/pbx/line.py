"""One call of a softphone: a SIP dialog with the exchange and the voice in it (RFC 3261, REFER: RFC 3515, Replaces: RFC 3891)."""

import queue
import re
import threading
import time
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from tests.pbx.settings import Address
from tests.pbx.sip import Headers, Message, Sound, new_branch, parameter, response, sound, uri
from tests.pbx.sipp import PhoneError
from tests.pbx.voice import Voice

KEY_SECONDS = 0.25


class Transport(Protocol):
    """What a line needs of its phone."""

    address: Address
    contact: str

    def send(self, message: Message) -> None: ...
    def transact(self, request: Message, timeout: float) -> Message: ...


class Line:
    """A call: ringing here, dialled from here, or answered. `tone` (Hz) is what this side says, None for nothing.

    `here` and `there` are what stands in From and To of our requests; `target` is the address that they go to.
    """

    def __init__(self, phone: Transport, call_id: str, here: str, there: str, target: str, voice: Voice,
                 codecs: Sequence[str], tone: int | None) -> None:
        self.phone, self.call_id, self.here, self.there, self.target = phone, call_id, here, there, target
        self.voice, self.codecs, self.tone = voice, tuple(codecs), tone
        self.invite: Message | None = None
        self.up = False
        self.ended = threading.Event()
        self._number, self._version, self._direction = 0, 0, "sendrecv"
        self._outcomes: queue.Queue[int] = queue.Queue()

    @property
    def incoming(self) -> bool:
        """Did the call come from the exchange?"""
        return self.invite is not None and self.invite.first("From") == self.there

    # what a person does

    def pick_up(self) -> "Line":
        """Answer the call that rings."""
        assert self.invite is not None
        self._agree(self.invite)
        return self

    def decline(self, status: str) -> None:
        """Refuse the call that rings, as with "486 Busy Here"."""
        assert self.invite is not None
        self.close()
        self.phone.send(response(self.invite, status, parameter(self.here, "tag")))

    def answered(self, timeout: float = 20.0) -> "Line":
        """Wait until the call that was dialled from here is answered; another end than that is an error."""
        assert self.invite is not None
        final = self.phone.transact(self.invite, timeout)
        if final.status >= 300:
            self.close()
            raise PhoneError(f"the call was refused: {final.start}")
        self._hear_of(final)
        return self

    def give_up(self) -> None:
        """Stop calling before there was an answer."""
        assert self.invite is not None
        headers = [pair for pair in self.invite.headers if pair[0] in ("Via", "From", "To", "Call-ID", "Max-Forwards")]
        uri_called = self.invite.start.split()[1]
        self.phone.transact(Message(f"CANCEL {uri_called} SIP/2.0", [*headers, ("CSeq", f"{self.invite.number} CANCEL")]), 5.0)
        self.close()

    def hang_up(self) -> None:
        """End the call; one that has ended is left alone."""
        if not self.ended.is_set():
            self.close()
            self.phone.transact(self.compose("BYE"), 5.0)

    def drop(self) -> None:
        """End the call in whatever way it must be ended now."""
        if self.ended.is_set() or self.invite is None:
            return
        if self.up:
            self.hang_up()
        elif self.incoming:
            self.decline("480 Temporarily Unavailable")
        else:
            self.give_up()

    def wait_for_end(self, timeout: float = 20.0) -> None:
        """Wait until the other side has hung up."""
        if not self.ended.wait(timeout):
            raise PhoneError(f"the line was still up after {timeout:.0f} s")

    def hold(self) -> None:
        self.voice.quiet = True
        self._offer(self.codecs, "sendonly")

    def unhold(self) -> None:
        self._offer(self.codecs, "sendrecv")
        self.voice.quiet = False

    def change_codec(self, codec: str) -> None:
        """Offer this codec alone, in mid-call."""
        self.codecs = (codec,)
        self._offer(self.codecs, self._direction)

    def keys(self, pressed: str) -> None:
        """Press keys, one after the other (SIP INFO)."""
        for key in pressed:
            self.request("INFO", [("Content-Type", "application/dtmf-relay")], f"Signal={key}\r\nDuration=160\r\n")
            time.sleep(KEY_SECONDS)

    def refer(self, number: str) -> None:
        """Hand the other party on to `number`, unseen (blind transfer); `handed_on` tells how it went."""
        self._refer(f"<{self._exchange(number)}>")

    def refer_to(self, other: "Line") -> None:
        """Hand the other party on to the party of another line of this phone (attended transfer)."""
        tags = f"to-tag={parameter(other.there, 'tag')};from-tag={parameter(other.here, 'tag')}"
        self._refer(f"<{uri(other.there)}?Replaces={quote(f'{other.call_id};{tags}', safe='')}>")

    def handed_on(self, timeout: float = 20.0) -> int:
        """Wait for the outcome of `refer` or `refer_to`: the status that the exchange reports."""
        try:
            return self._outcomes.get(timeout=timeout)
        except queue.Empty:
            raise PhoneError(f"no outcome of the transfer after {timeout:.0f} s") from None

    def hears(self, hz: int) -> bool:
        """Is the tone heard now?"""
        return self.voice.hears(hz)

    # what the phone does

    def request(self, method: str, extra: Headers = (), body: str = "", timeout: float = 10.0) -> Message:
        """Send a request within the call; return the final response, which must not be a refusal."""
        final = self.phone.transact(self.compose(method, extra, body), timeout)
        if final.status >= 300:
            raise PhoneError(f"{method} was refused: {final.start}")
        return final

    def compose(self, method: str, extra: Headers = (), body: str = "", number: int = 0) -> Message:
        """A request within the call, with the next number unless `number` is given."""
        if not number:
            self._number += 1
        host, port = self.phone.address
        return Message(f"{method} {self.target} SIP/2.0", [
            ("Via", f"SIP/2.0/UDP {host}:{port};branch={new_branch()}"), ("Max-Forwards", "70"), ("From", self.here), ("To", self.there),
            ("Call-ID", self.call_id), ("CSeq", f"{number or self._number} {method}"), ("Contact", f"<{self.phone.contact}>"), *extra], body)

    def describe(self, codecs: Sequence[str], direction: str = "sendrecv") -> str:
        """What we say of our sound now."""
        self._version += 1
        self._direction = direction
        return Sound(self.voice.address, tuple(codecs), direction).encode(self._version)

    def take(self, request: Message) -> None:
        """Do as a request of the exchange within the call says."""
        match request.method:
            case "INVITE":
                self._agree(request)
            case "NOTIFY":
                self.phone.send(response(request, "200 OK"))
                self._note(request)
            case "BYE":
                self.phone.send(response(request, "200 OK"))
                self.close()
            case "CANCEL" if self.invite is not None:
                self.phone.send(response(request, "200 OK", parameter(self.here, "tag")))
                self.decline("487 Request Terminated")
            case _:
                self.phone.send(response(request, "200 OK"))

    def acknowledge(self, final: Message) -> None:
        """Send the ACK that every final response to an INVITE wants."""
        self.there = final.first("To")
        if final.status < 300:
            self.target = uri(final.first("Contact")) or self.target
        ack = self.compose("ACK", number=final.number)
        headers = ack.headers if final.status < 300 else [("Via", final.first("Via")), *ack.headers[1:]]
        self.phone.send(Message(ack.start, headers))

    def close(self) -> None:
        """The call is over."""
        self.ended.set()
        self.voice.close()

    def _offer(self, codecs: Sequence[str], direction: str) -> None:
        self._hear_of(self.request("INVITE", [("Content-Type", "application/sdp")], self.describe(codecs, direction)))

    def _agree(self, invite: Message) -> None:
        """Accept what is offered, in the first codec of theirs that we have, or in ours when nothing is offered."""
        offered = sound(invite.body) if invite.body else None
        common = [codec for codec in offered.codecs if codec in self.codecs] if offered else list(self.codecs)
        headers = [("Contact", f"<{self.phone.contact}>"), ("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE, NOTIFY, REFER"),
                   ("Content-Type", "application/sdp")]
        body = self.describe(common[:1], self._direction)
        self.phone.send(response(invite, "200 OK", parameter(self.here, "tag"), headers, body))
        self.up = True
        if offered:
            self.voice.start(offered.address, common[0])

    def _hear_of(self, final: Message) -> None:
        self.up = True
        theirs = sound(final.body)
        self.voice.start(theirs.address, next(codec for codec in theirs.codecs if codec in self.codecs))

    def _refer(self, towards: str) -> None:
        self.request("REFER", [("Refer-To", towards), ("Referred-By", self.here.split(";")[0])])

    def _note(self, notice: Message) -> None:
        found = re.match(r"SIP/2.0 (\d+)", notice.body)
        if found and int(found[1]) >= 200:
            self._outcomes.put(int(found[1]))

    def _exchange(self, number: str) -> str:
        """The address of a number at the exchange."""
        return f"sip:{number}@{uri(self.there).partition('@')[2] or uri(self.there).partition(':')[2]}"
