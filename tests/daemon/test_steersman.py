"""What became of orders is counted: carried out, refused for want of rights, or not possible."""

import asyncio
from uuid import UUID

from ami_bridge.asterisk.controls import Controls
from ami_bridge.core.errors import NotPermitted
from ami_bridge.core.recordings import Why
from ami_bridge.core.steering import Do, Order
from ami_bridge.daemon.steersman import DONE, FAILED, Steersman
from tests.asterisk.exchange import Exchange, Listener, until

CALL = UUID("01900000-0000-7000-8000-000000000001")
VALUE = b"Response: Success\r\n%sVariable: X\r\nValue: 0x1\r\n\r\n"
MUTE = Order(Do.MUTE, CALL, "pbx-1.1", why=Why.PAUSED)


def test_orders_are_counted_by_what_became_of_them() -> None:
    async def story() -> None:
        done: list[Order] = []
        refused: list[NotPermitted] = []
        async with Exchange() as exchange, Listener(exchange) as listener:
            exchange.answers["Getvar"] = VALUE
            await until(lambda: listener.snapshots)
            steersman = Steersman(Controls(listener.link), done.append, refused.append)
            assert steersman.outcomes == {(do.value, how): 0 for do in Do for how in (DONE, FAILED)}
            task = asyncio.create_task(steersman.run())
            steersman.submit([MUTE, Order(Do.RESTART, CALL, "pbx-1.1")])
            await until(lambda: len(done) == 2)
            exchange.answers["MixMonitorMute"] = b"Response: Error\r\n%sMessage: No such channel\r\n\r\n"
            steersman.submit([MUTE])
            await until(lambda: steersman.outcomes["mute", FAILED] == 1)
            exchange.answers["MixMonitorMute"] = b"Response: Error\r\n%sMessage: Permission denied\r\n\r\n"
            steersman.submit([MUTE])
            await until(lambda: refused)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert steersman.outcomes["mute", DONE] == steersman.outcomes["restart", DONE] == 1
        assert steersman.outcomes["mute", FAILED] == 2 and sum(steersman.outcomes.values()) == 4

    asyncio.run(story())
