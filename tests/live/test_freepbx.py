"""The contexts of docs/howto-freepbx.md, word by word, in a dialplan of the shape that FreePBX 17 generates."""

from collections.abc import Iterator

import pytest

from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import State
from tests.docs.pages import ROOT, shown
from tests.live.talking import known, new_entry
from tests.pbx.phones import answer, call
from tests.pbx.system import ROUTES, System
from tests.pbx.tones import heard

pytestmark = [pytest.mark.live, pytest.mark.no_stream]

CALLER_HZ, AGENT_HZ = 440, 660
LEFT_OUT = """
[[route]]
name = "by-queue"
direction = "inbound"
did = "2000"
record = false
"""
PAGE = ROOT / "docs" / "howto-freepbx.md"
GENERATED = """
; What extensions_additional.conf and FreePBX's own extensions.conf hold, as far as our contexts meet it.
[from-trunk]
exten => _[+0-9].,1,Goto(from-trunk-recorded,${EXTEN},1)

[from-pstn]
exten => 2000,1,Goto(queue-recorded,support,1)
exten => _X.,1,Set(__FROM_DID=${EXTEN})
 same => n,Gosub(macro-dial-one,s,1(60,T,6001))
 same => n,Hangup()

[from-internal]
exten => _6XXX,1,Gosub(macro-dial-one,s,1(60,T,${EXTEN}))
 same => n,Hangup()
exten => _X.,1,Gosub(macro-dialout-trunk,s,1(1,${EXTEN},,off))
 same => n,Hangup()

[macro-dial-one]
exten => s,1,Set(DEXTEN=${ARG3})
 same => n,Gosub(macro-dialout-one-predial-hook,s,1())
 same => n,Dial(PJSIP/${DEXTEN},${ARG1},${ARG2}b(func-apply-sipheaders^s^1))
 same => n,Return()

[macro-dialout-trunk]
exten => s,1,Set(OUTNUM=${ARG2})
 same => n,Set(DIAL_TRUNK_OPTIONS=T)
 same => n,Gosub(macro-dialout-trunk-predial-hook,s,1())
 same => n,Dial(PJSIP/${OUTNUM}@trunk,60,${DIAL_TRUNK_OPTIONS}b(func-apply-sipheaders^s^1,(1))U(sub-send-obroute-email^${OUTNUM}^${OUTNUM}^1^${EPOCH}^^))
 same => n,Return()

[func-apply-sipheaders]
exten => s,1,Return()

[sub-send-obroute-email]
exten => s,1,NoOp(a mail)
 same => n,Return()
"""


def snippets() -> str:
    """Return the page's contexts in the order in which FreePBX reads their files."""
    blocks = ["\n".join(one.lines) for one in shown(PAGE) if one.language == "ini" and "exten =>" in "\n".join(one.lines)]
    override = [block for block in blocks if block.startswith("[sub-send-obroute-email]")]
    assert len(override) == 1 and len(blocks) == 7
    # A queue's number is a name here.
    custom = "\n".join(block for block in blocks if block not in override).replace("exten => _X.,1,Gosub(recorded-call,s,1(inbound,${EXTEN}))",
                                                                                   "exten => support,1,Gosub(recorded-call,s,1(inbound,${EXTEN}))")
    return override[0] + GENERATED + custom + "\n[ext-queues]\nexten => support,1,Queue(support,,,,60)\n same => n,Hangup()\n"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("freepbx"), dialplan=snippets(), routes=LEFT_OUT + ROUTES) as system:
        yield system


def talk(system: System, number: str, agent: str, **options):
    """One answered call; return the entry that it makes."""
    before = known(system)
    callee = answer(system.pbx, agent, tone=AGENT_HZ)
    caller = call(system.pbx, number, tone=CALLER_HZ, talk=5.0, **options)
    assert caller.wait().ok and callee.wait().ok, (caller.result(), callee.result())
    entry = new_entry(system, before)
    assert entry.state is State.SEALED and entry.notice
    assert all(heard(system.audio(entry), hz) for hz in (CALLER_HZ, AGENT_HZ))
    return entry


def test_a_call_from_outside_to_an_extension(system: System) -> None:
    entry = talk(system, "1000", "6001")
    assert (entry.direction, entry.callee, len(entry.participants)) == (Direction.INBOUND, "1000", 1)


def test_a_call_to_a_queue(system: System) -> None:
    entry = talk(system, "2000", "6001")
    assert (entry.direction, [party.name for party in entry.participants]) == (Direction.INBOUND, ["Maija Mäkinen"])


def test_a_call_to_outside_is_announced_though_freepbx_sets_the_option_itself(system: System) -> None:
    entry = talk(system, "0501112222", "trunk", source="6002")
    assert (entry.direction, entry.caller, entry.callee) == (Direction.OUTBOUND, "6002", "0501112222")


def test_a_call_between_extensions(system: System) -> None:
    entry = talk(system, "6001", "6001", source="6003")
    assert (entry.direction, entry.caller, entry.callee) == (Direction.INTERNAL, "6003", "6001")
