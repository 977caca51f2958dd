"""The vocabulary of Asterisk's diary (CEL), and the only file that knows it: lines of CSV in, core events out.

Sources (Asterisk 22): ``cel/cel_custom.c``, ``main/cel.c`` (event names, ``bridge_id`` in the extra of BRIDGE_ENTER and
BRIDGE_EXIT), ``apps/app_celgenuserevent.c``. The columns are those of ``dialplan/cel_custom_ami_bridge.conf``.
"""

import base64
import csv
import json
from typing import NamedTuple
from uuid import UUID

from ami_bridge.core.events import BridgeEntered, BridgeLeft, Event, HungUp, OutsideSeen, RecordingStarted
from ami_bridge.core.text import clean
from ami_bridge.core.witness import Line, What
from ami_bridge.spool import FALLBACK_PREFIX

COLUMNS = 8
OUR_TYPE = "AMI_BRIDGE"
"""The user-defined type under which our dialplan writes into the diary."""

RECORDING = "recording"
OUTSIDE = "outside"
"""The step with which it notes an external party who was not told."""

CLOSED = "closed"
"""The step with which the dialplan notes that a recording ended though its channel goes on."""

HOLDING = "holding_bridge"
"""The technology of bridges in which calls wait, parked or not, and nobody hears another (``bridges/bridge_holding.c``)."""

PLACED_BY = 11
"""Where in a marker stands the channel of the company that placed the call."""


class Noted(NamedTuple):
    """One line of the diary; ``at`` in seconds since 1970."""

    type: str
    at: float
    uniqueid: str
    channel: str
    number: str
    name: str
    user_type: str
    extra: str


class Promise(NamedTuple):
    """What our dialplan noted of a call: its ids (``call`` None: it acted alone, under the name ``file``), and the marker.

    ``marker`` is one line as ``services.adopt`` reads it.
    """

    call: UUID | None
    file: str
    marker: str


def noted(line: str) -> Noted | None:
    """Return a line of the diary; None when it is torn or not of our layout."""
    try:
        kind, at, *others = next(csv.reader([line]))
        return Noted(kind, float(at), *others) if len(others) == COLUMNS - 2 else None
    except (csv.Error, ValueError, StopIteration):
        return None


def event(line: Noted) -> Event | None:
    """Return the core event in a line; None for what does not concern us."""
    if line.type in ("BRIDGE_ENTER", "BRIDGE_EXIT"):
        bridge = _bridge(line)
        if not bridge or not line.uniqueid:
            return None
        if line.type == "BRIDGE_EXIT":
            return BridgeLeft(bridge, line.uniqueid, line.at)
        return BridgeEntered(bridge, line.uniqueid, line.channel, clean(line.number), clean(line.name), line.at)
    if line.type == "HANGUP" and line.uniqueid:
        return HungUp(line.uniqueid, line.at)
    return _started(line)


def promise(line: Noted) -> Promise | None:
    """Return what our dialplan promised in a line; None when it is not one of ours."""
    if line.user_type != OUR_TYPE:
        return None
    ids, _, marker = _extra(line, "extra").partition(" ")
    call, slash, file = ids.partition("/")
    promises = marker.partition(" ")[0] not in ("", CLOSED, OUTSIDE)
    if not slash or not promises or bool(call) is file.startswith(FALLBACK_PREFIX):
        return None
    if not call:
        return Promise(None, file, marker)
    return Promise(known, file, marker) if (known := _uuid(call)) and _uuid(file) else None


_MOVES = {"BRIDGE_ENTER": What.ENTERED, "BRIDGE_EXIT": What.LEFT}
_ENDS = {"CHAN_START": What.BORN, "HANGUP": What.GONE, "CHAN_END": What.GONE}


def witnessed(line: Noted) -> Line | None:
    """Return what a line tells the second witness; None for what does not concern it."""
    if not line.uniqueid:
        return None
    if line.type in _ENDS:
        return Line(line.at, _ENDS[line.type], line.uniqueid, line.channel)
    if line.type in _MOVES:
        bridge = _bridge(line)
        return Line(line.at, _MOVES[line.type], line.uniqueid, line.channel, bridge) if bridge else None
    return _of_recording(line)


def _of_recording(line: Noted) -> Line | None:
    ids, _, marker = _extra(line, "extra").partition(" ") if line.user_type == OUR_TYPE else ("", "", "")
    call, step = _uuid(ids.partition("/")[0]), marker.partition(" ")[0]
    if step == OUTSIDE:
        return Line(line.at, What.OUTSIDE, line.uniqueid, line.channel)
    if call is None or step not in (RECORDING, CLOSED):
        return None
    what = What.BEGUN if step == RECORDING else What.CLOSED
    outside = _is_outward(marker)
    return Line(line.at, what, line.uniqueid, line.channel, call=call, device=_placed_by(marker), outside=outside)


def _placed_by(marker: str) -> str:
    try:
        return clean(base64.b64decode(marker.split(" ")[PLACED_BY])[1:].decode("utf-8", "replace"))
    except (IndexError, ValueError):
        return ""


def _is_outward(marker: str) -> bool:
    """Tell whether the channel that wrote a line is an external party's: the direction is the third word."""
    return marker.split(" ")[2:3] in (["inbound"], ["outbound"])


def _started(line: Noted) -> Event | None:
    if line.user_type == OUR_TYPE and _extra(line, "extra").partition(" ")[2].startswith(f"{OUTSIDE} "):
        return OutsideSeen(line.uniqueid, line.at)
    found = promise(line)
    if found is None or found.call is None or not found.marker.startswith(f"{RECORDING} "):
        return None
    recording = _uuid(found.file)
    if recording is None:
        return None
    return RecordingStarted(found.call, recording, line.uniqueid, line.channel, line.at, _is_outward(found.marker))


def _bridge(line: Noted) -> str:
    """Return the bridge of a line; empty when it is one in which nobody hears another."""
    return "" if _extra(line, "bridge_technology") == HOLDING else _extra(line, "bridge_id")


def _extra(line: Noted, name: str) -> str:
    """Return a field of the column ``eventextra``, a JSON object even where our dialplan gave plain text."""
    try:
        return str(json.loads(line.extra)[name])
    except (ValueError, TypeError, KeyError):
        return ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
