"""Asterisk's vocabulary: AMI header names in, core events out. They are known here and in ``actions``.

Sources (Asterisk 22): ``main/manager.c`` (layout of a message, Timestamp), ``main/manager_channels.c`` (channel
headers, which of them are escaped), ``main/manager_bridges.c``, ``apps/app_queue.c``, ``main/utils.c`` (ast_escape_c).
A header's first occurrence counts; a repeated one changes nothing.
"""

import re
from collections.abc import Callable, Iterable
from uuid import UUID

from ami_bridge.core.events import (
    BridgeEntered,
    BridgeLeft,
    ChannelsPresent,
    Event,
    HungUp,
    OutsideSeen,
    QueueConnected,
    RecordingClosed,
    RecordingStarted,
)
from ami_bridge.core.signs import (
    Asked,
    HoldBegan,
    HoldEnded,
    MusicBegan,
    MusicEnded,
    Restarted,
    Sign,
    SomeStopped,
    TookPlace,
    Wish,
)
from ami_bridge.core.text import clean, interface_of

GREETING = b"Asterisk Call Manager/"
LINE_END = b"\r\n"
MESSAGE_END = b"\r\n\r\n"
EVENT = b"Event: "
PING = b"Action: Ping\r\n\r\n"
EVENT_CLASSES = "call,agent,user"
"""What our manager user needs to read. Everything (``on``) would be six times the traffic."""

OUR_EVENT = "AmiBridge"
"""The name under which our dialplan raises its user events."""

ASK = "ask"
"""The state of our user event by which anybody asks for silence."""

BY_MANAGER = "manager:"
"""What the asker's name begins with when the question came over AMI and not from a telephone."""

OUTWARD = ("inbound", "outbound")
"""The directions in which the recorded channel is an external party's."""

NAME_ENDINGS = ("CallerIDName", "ConnectedLineName", "MemberName", "By")
"""Endings of headers that hold a person's name; Asterisk puts ``Dest``, ``Spyee``, ``Transferee`` before them."""

NUMBER_ENDINGS = ("CallerIDNum", "ConnectedLineNum", "Exten")
"""Endings of headers that hold a person's number."""

ID_ENDINGS = ("Uniqueid", "Linkedid")
"""Endings of headers that hold an id of Asterisk's own: a time and a count, or a UUID."""

DEVICE_ENDINGS = ("Channel",)
"""Endings of headers that hold a channel's name, and in it a device."""

DIALLED_HEADERS = ("Digit",)
"""Headers with one key that a party pressed."""

VERBATIM_HEADERS = frozenset({"Event", "Response", "Privilege", "ChannelState", "ChannelStateDesc", "Cause", "Cause-txt"})
"""Headers whose value is a word or code of Asterisk's own."""

CLOCK_HEADER = "Timestamp"
"""When Asterisk made the event: seconds since 1970 with six decimals (``timestampevents=yes``)."""

MEASURED_HEADERS = frozenset({CLOCK_HEADER, "HoldTime", "RingTime", "TalkTime", "DurationMs", "SequenceNumber"})
"""Headers that hold a time or a count."""

LATEST = float(2**36)
"""Seconds since 1970 after which a Timestamp is taken for garbage (the year 4147)."""

HOLDING = "holding_bridge"
"""The technology of bridges in which calls wait, parked or not, and nobody hears another (``bridges/bridge_holding.c``)."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_UNKNOWN = "<unknown>"
_UUID_LENGTH = 36


def unescape(text: str) -> str:
    """Undo ast_escape_c: what AMI does to CallerIDName, ConnectedLineName and variables, and to nothing else."""
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), text) if "\\" in text else text


def field(raw: bytes, name: bytes) -> str:
    """Return the first value of a header, or the empty text; what is not UTF-8 becomes U+FFFD."""
    begin = raw.find(b"\r\n" + name + b": ")
    if begin < 0:
        return ""
    begin += len(name) + 4
    end = raw.find(LINE_END, begin)
    return (raw[begin:end] if end >= 0 else raw[begin:]).decode("utf-8", "replace")


def headers(raw: bytes) -> dict[str, str]:
    """Return all headers of one message; lines that are no header are left out."""
    found: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon:
            found.setdefault(name, value)
    return found


def action_id(raw: bytes) -> str:
    """Return the id of the action that a message answers, or the empty text."""
    return field(raw, b"ActionID")


def sent_at(raw: bytes, otherwise: float) -> float:
    """Return when Asterisk made the event (needs ``timestampevents=yes``), or ``otherwise``. Seconds since 1970."""
    try:
        at = float(field(raw, b"Timestamp"))
    except ValueError:
        return otherwise
    return at if 0 < at < LATEST else otherwise


def version(answer: list[dict[str, str]]) -> str:
    """Return Asterisk's version from the answer to CoreSettings."""
    return answer[0].get("AsteriskVersion", "unknown")


def snapshot(answer: Iterable[dict[str, str]], received: float) -> list[Event]:
    """Return which channels there are, and who is in which bridge, from the answer to CoreShowChannels.

    ``received``: seconds since 1970.
    """
    answer = list(answer)
    present = ChannelsPresent(frozenset(one["Uniqueid"] for one in answer if one.get("Uniqueid")), received)
    return [present, *(
        BridgeEntered(one["BridgeId"], one["Uniqueid"], one.get("Channel", ""), _number(one.get("CallerIDNum", "")),
                      _name(one.get("CallerIDName", "")), received)
        for one in answer if one.get("BridgeId") and one.get("Uniqueid")
    )]


def translate(raw: bytes, received: float) -> Event | Sign | None:
    """Return the core event or sign in one raw message; None for what does not concern us or is torn. Never raises.

    ``received`` is when the message came, in seconds since 1970; Asterisk's own Timestamp goes before it.
    """
    make = _MAKERS.get(raw[len(EVENT):raw.find(LINE_END)]) if raw.startswith(EVENT) else None
    return make(raw, sent_at(raw, received)) if make else None


def is_ours(raw: bytes) -> bool:
    """Tell whether a message is a user event of ours: what must be heard even when there is too much to follow."""
    return raw.startswith(b"Event: UserEvent") and field(raw, b"UserEvent") == OUR_EVENT


def _user_event(raw: bytes, at: float) -> Event | Sign | None:
    if field(raw, b"UserEvent") != OUR_EVENT:
        return None
    make = _OUR_STATES.get(field(raw, b"State"))
    return make(raw, at) if make else None


def _recording(raw: bytes, at: float) -> Event | None:
    call, recording, uniqueid = _uuid(field(raw, b"Call")), _uuid(field(raw, b"Recording")), field(raw, b"Uniqueid")
    if call is None or recording is None or not uniqueid:
        return None
    outside, monitor = field(raw, b"Direction") in OUTWARD, field(raw, b"Monitor")
    return RecordingStarted(call, recording, uniqueid, field(raw, b"Channel"), at, outside, monitor)


def _closed(raw: bytes, at: float) -> Event | None:
    call, recording = _uuid(field(raw, b"Call")), _uuid(field(raw, b"Recording"))
    return RecordingClosed(call, recording, at) if call and recording else None


def _anew(raw: bytes, at: float) -> Sign | None:
    call = _uuid(field(raw, b"Call"))
    return Restarted(call, at, field(raw, b"Monitor")) if call else None


def _outside(raw: bytes, at: float) -> Event | None:
    uniqueid = field(raw, b"Uniqueid")
    return OutsideSeen(uniqueid, at, field(raw, b"Told") == "1") if uniqueid else None


def _asked(raw: bytes, at: float) -> Sign | None:
    """Somebody pressed our key on their telephone (the message names their channel), or asked over AMI."""
    try:
        wish, seconds = Wish(field(raw, b"Wish")), int(field(raw, b"Seconds") or 0)
    except ValueError:
        return None
    if seconds < 0:
        return None
    uniqueid, token = field(raw, b"Uniqueid"), field(raw, b"Token")
    by = interface_of(field(raw, b"Channel")) if uniqueid else clean(field(raw, b"By")) or "manager"
    asker, interface = uniqueid or BY_MANAGER + token, clean(field(raw, b"Interface"))
    return Asked(wish, asker, _uuid(field(raw, b"Call")), interface, by, seconds, at)


def _agent_connect(raw: bytes, at: float) -> Event | None:
    caller, agent = field(raw, b"Uniqueid"), field(raw, b"DestUniqueid")
    member, queue = clean(field(raw, b"MemberName")), clean(field(raw, b"Queue"))
    return QueueConnected(caller, agent, member, at, queue) if caller and agent else None


def _bridge_enter(raw: bytes, at: float) -> Event | None:
    bridge, uniqueid = _bridge(raw), field(raw, b"Uniqueid")
    if not bridge or not uniqueid:
        return None
    number, name = _number(field(raw, b"CallerIDNum")), _name(field(raw, b"CallerIDName"))
    return BridgeEntered(bridge, uniqueid, field(raw, b"Channel"), number, name, at)


def _bridge_leave(raw: bytes, at: float) -> Event | None:
    bridge, uniqueid = _bridge(raw), field(raw, b"Uniqueid")
    return BridgeLeft(bridge, uniqueid, at) if bridge and uniqueid else None


def _attended_transfer(raw: bytes, at: float) -> Sign | None:
    """Only a transfer to a channel that is still in an application (Dial, Queue) is a masquerade; others join bridges."""
    took, of = field(raw, b"TransfereeUniqueid"), field(raw, b"SecondTransfererUniqueid")
    return TookPlace(took, of, at) if took and of and field(raw, b"DestType") == "App" else None


def _of_channel(kind: Callable[[str, float], Sign]) -> Callable[[bytes, float], Sign | None]:
    """Return how an event is understood that only says of which channel it is."""

    def make(raw: bytes, at: float) -> Sign | None:
        uniqueid = field(raw, b"Uniqueid")
        return kind(uniqueid, at) if uniqueid else None

    return make


def _bridge(raw: bytes) -> str:
    """Return the bridge of an event; empty when it is one in which nobody hears another."""
    return "" if field(raw, b"BridgeTechnology") == HOLDING else field(raw, b"BridgeUniqueid")


def _hangup(raw: bytes, at: float) -> Event | None:
    uniqueid = field(raw, b"Uniqueid")
    return HungUp(uniqueid, at) if uniqueid else None


_OUR_STATES: dict[str, Callable[[bytes, float], Event | Sign | None]] = {
    "recording": _recording,
    "closed": _closed,
    "anew": _anew,
    "outside": _outside,
    ASK: _asked,
}

_MAKERS: dict[bytes, Callable[[bytes, float], Event | Sign | None]] = {
    b"UserEvent": _user_event,
    b"AgentConnect": _agent_connect,
    b"BridgeEnter": _bridge_enter,
    b"BridgeLeave": _bridge_leave,
    b"Hangup": _hangup,
    b"Hold": _of_channel(HoldBegan),
    b"Unhold": _of_channel(HoldEnded),
    b"MusicOnHoldStart": _of_channel(MusicBegan),
    b"MusicOnHoldStop": _of_channel(MusicEnded),
    b"MixMonitorStop": _of_channel(SomeStopped),
    b"AttendedTransfer": _attended_transfer,
}

WANTED = frozenset(_MAKERS)
"""The names of the events that can become a core event."""


def _number(text: str) -> str:
    return "" if text == _UNKNOWN else clean(text)


def _name(text: str) -> str:
    return "" if text == _UNKNOWN else clean(unescape(text))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == _UUID_LENGTH else None
    except ValueError:
        return None
