"""New calls a second without a failed or lost one: everything of ours in the path, against the bare PBX.

Both phones of a call send sound. Both PBXs play the same notice and record every call into memory. Asterisk, the daemon and
the phones share the machine: what one needs the others lack.
"""

from collections.abc import Callable, Iterator
from functools import partial

from bench.pbx import bare, recorded
from bench.report import Comparison, Figure
from tests.pbx.asterisk import Pbx
from tests.pbx.phones import answer, call
from tests.pbx.system import System

TALK = 2.5
STEP, STRIDE, LAST = 10, 40, 400
WANTED_RATIO = 0.9
PATIENCE = 120.0

Attempt = Callable[[int, int], bool]
"""Takes calls a second and seconds; tells whether every call went well."""


def run(*, quick: bool) -> Iterator[Comparison]:
    """Raise the rate for each until a call fails; the two take turns, so that a busy moment hits both."""
    seconds, rounds = (6, 1) if quick else (10, 2)
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(rounds):
        with bare() as pbx:
            found["bare"].append(highest(partial(all_answered, pbx), seconds))
        with recorded() as system:
            found["ours"].append(highest(partial(all_registered, system), seconds))
    yield Comparison(name="calls, highest rate without a failed or lost call", unit="calls/s", ours=Figure.of(found["ours"]),
                     peer_name="bare PBX", peer=Figure.of(found["bare"]), wanted=WANTED_RATIO,
                     remark=f"to {STEP} calls/s, {seconds} s each, {rounds} rounds")


def highest(attempt: Attempt, seconds: int) -> float:
    """Return the highest rate, to ``STEP``, at which everything went well; a rate that fails is tried once more."""

    def well(rate: int) -> bool:
        return attempt(rate, seconds) or attempt(rate, seconds)

    reached, failed = 0, LAST
    for rate in range(STRIDE, LAST, STRIDE):
        if not well(rate):
            failed = rate
            break
        reached = rate
    while failed - reached > STEP:
        middle = (reached + failed) // (2 * STEP) * STEP
        reached, failed = (middle, failed) if well(middle) else (reached, middle)
    return float(reached)


def all_answered(pbx: Pbx, rate: int, seconds: int) -> bool:
    """Place calls at ``rate`` for ``seconds``; tell whether all were answered and ended in order."""
    callee = answer(pbx, "6001", tone=660, n=None)
    try:
        result = call(pbx, "1000", tone=440, talk=TALK, n=rate * seconds, rate=rate).wait(PATIENCE)
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
    return went_well and system.log().count("Call registered as sealed") == registered(system)


def registered(system: System) -> int:
    """Return how many calls the daemon has registered."""
    return system.log().count("action=call_registered")
