"""New calls a second without a failed or lost one: everything of ours in the path, against the bare PBX.

The phones send no sound: on two cores SIPp's own work would otherwise be what is measured. Both PBXs play the same notice
and record every call into memory.
"""

from collections.abc import Callable, Iterator

from bench.pbx import bare, recorded
from bench.report import Comparison, Figure
from tests.pbx.asterisk import Pbx
from tests.pbx.phones import answer, call
from tests.pbx.system import System

TALK = 2.5
FIRST, STEP, LAST = 30, 10, 200
WANTED_RATIO = 0.9
PATIENCE = 120.0

Attempt = Callable[[int, int], bool]
"""Takes calls a second and seconds; tells whether every call went well."""


def run(*, quick: bool) -> Iterator[Comparison]:
    """Raise the rate for each until a call fails; the two take turns, so that a busy moment hits both."""
    seconds, rounds = (6, 1) if quick else (12, 2)
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(rounds):
        with bare() as pbx:
            found["bare"].append(highest(lambda rate, span, pbx=pbx: all_answered(pbx, rate, span), seconds))
        with recorded() as system:
            found["ours"].append(highest(lambda rate, span, system=system: all_registered(system, rate, span), seconds))
    yield Comparison(name="calls, highest rate without a failed or lost call", unit="calls/s", ours=Figure.of(found["ours"]),
                     peer_name="bare PBX", peer=Figure.of(found["bare"]), wanted=WANTED_RATIO,
                     remark=f"steps of {STEP}, {seconds} s each, {rounds} rounds")


def highest(attempt: Attempt, seconds: int) -> float:
    """Return the last rate at which everything went well; a rate that fails is tried once more."""
    reached = 0
    for rate in range(FIRST, LAST + 1, STEP):
        if not (attempt(rate, seconds) or attempt(rate, seconds)):
            break
        reached = rate
    return float(reached)


def all_answered(pbx: Pbx, rate: int, seconds: int) -> bool:
    """Place calls at ``rate`` for ``seconds``; tell whether all were answered and ended in order."""
    callee = answer(pbx, "6001", tone=None, n=None)
    try:
        result = call(pbx, "1000", tone=None, talk=TALK, n=rate * seconds, rate=rate).wait(PATIENCE)
        return result.failed == 0 and result.successful == rate * seconds
    finally:
        callee.stop()


def all_registered(system: System, rate: int, seconds: int) -> bool:
    """The same with ours: every call must also be in the register, recorded, by the daemon's own script."""
    before = registered(system)
    went_well = all_answered(system.pbx, rate, seconds)
    try:
        system.wait_for(lambda: registered(system) >= before + rate * seconds, "all calls registered", 60)
    except TimeoutError:
        return False
    return went_well and system.log().count("Call registered as stored") == registered(system)


def registered(system: System) -> int:
    """Return how many calls the daemon has registered."""
    return system.log().count("action=call_registered")
