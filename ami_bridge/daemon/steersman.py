"""Carries out what recordings in progress need: orders in, actions on the exchange, and word of what was done."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from ami_bridge.asterisk.controls import HEARD, REFUSED, SILENT, Controls
from ami_bridge.core.errors import ExchangeError, NotPermitted
from ami_bridge.core.orders import Do, Order

log = logging.getLogger(__name__)

DONE, FAILED = "done", "failed"
AT_ONCE = 16
"""Orders carried out side by side; one for a channel that does not answer must not keep the others waiting."""


class Steersman:
    """All on the event loop. ``done`` is told each order that was carried out; ``on_alarm`` what a human must mend."""

    def __init__(self, controls: Controls, done: Callable[[Order], None], on_alarm: Callable[[NotPermitted], None]) -> None:
        self._controls, self._done, self._on_alarm = controls, done, on_alarm
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self.outcomes: Counter[tuple[str, str]] = Counter({(do.value, how): 0 for do in Do for how in (DONE, FAILED)})
        """How many orders of each kind were carried out, and how many failed; since the start."""

    def submit(self, orders: list[Order]) -> None:
        """Have orders carried out."""
        for order in orders:
            self._orders.put_nowait(order)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._working())

    async def _working(self) -> None:
        while True:
            order = await self._orders.get()
            try:
                await self._carry_out(order)
            except NotPermitted as refusal:
                self.outcomes[order.do.value, FAILED] += 1
                self._on_alarm(refusal)
            except ExchangeError as problem:
                self.outcomes[order.do.value, FAILED] += 1
                log.warning("A recording could not be steered (%s): %s", order.do, problem,
                            extra={"action": "steering_failed", "call": str(order.call or "")})
            else:
                self.outcomes[order.do.value, DONE] += 1
                self._done(order)

    async def _carry_out(self, order: Order) -> None:
        if order.do in (Do.RESTART, Do.REVIVE):
            await self._controls.restart(order.uniqueid)
        elif order.do is Do.DETACH:
            await self._controls.detach(order.uniqueid, order.stop, order.own)
        elif order.do is Do.ANSWER:
            await self._controls.answer(order.asker, REFUSED if order.call is None else SILENT if order.why else HEARD)
        else:
            await self._controls.mute(order.uniqueid, order.do is Do.MUTE)
