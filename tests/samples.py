"""Made-up calls for tests that need no PBX."""

import struct
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from ami_bridge.core.facts import Closed, Entered, Named, Started
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.tickets import Ticket

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
T0 = START.timestamp()
PROOF = NoticeProof(prompt="recorded", language="fi", version=1, sha256="a" * 64, samples=9600, heard_samples=9600, at=START)
TICKET = Ticket(call=UUID(int=1), recording=UUID(int=2), exchange="pbx", direction=Direction.INBOUND, route="inbound", days=31,
                reason=Reason.ANNOUNCED, caller="0401234567", callee="1000", channel="PJSIP/trunk-1", uniqueid="pbx-1.1",
                linkedid="pbx-1.1", company_channel="", company_name="", opened_at=START, notice=PROOF)
FACTS = [Started(T0 + 1), Entered("b", "pbx-1.1", "PJSIP/trunk", "", "", T0 + 5),
         Entered("b", "pbx-1.2", "PJSIP/6001", "6001", "Line", T0 + 5), Named("pbx-1.2", "Maija Mäkinen", T0 + 4), Closed(T0 + 60)]


def wav(path: Path, frames: int = 8000, *, closed: bool = True) -> Path:
    """Write a WAV file as MixMonitor does: with sizes once it is closed, with zeros before."""
    sound = bytes(range(256)) * (frames * 2 // 256) + bytes(frames * 2 % 256)
    sizes = (36 + len(sound), len(sound)) if closed else (0, 0)
    path.write_bytes(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", sizes[0], b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16,
                                 b"data", sizes[1]) + sound)
    return path
