"""What we ask the exchange to do to a recording in progress. Needs the write class ``call``; answers need ``user``.

Sources (Asterisk 22): ``apps/app_mixmonitor.c``, ``apps/app_senddtmf.c``, ``main/manager.c``. Channels are named by their
uniqueid, which every action takes in place of a name (``main/channel.c``, ast_channel_get_by_name).
"""

from ami_bridge.asterisk.actions import answer, mute, press_again, set_variable, stop, value_of, variable
from ami_bridge.asterisk.ami import AmiLink
from ami_bridge.asterisk.translate import BY_MANAGER
from ami_bridge.core.orders import Own

MONITOR = "REC_MIXMONITOR"
MUTED = "REC_MUTED"
"""The variable by which the dialplan knows that a recording is silent and must not be restarted."""

VARIABLES = ("REC_CALL", "REC_FILE", MONITOR, "REC_OWNER", MUTED)
"""By which the dialplan knows a channel's recording: those of ``Own``, the channel's uniqueid, and whether it is silent."""

RESTART = "REC_RESTART"
"""The variable without which our key restarts nothing: a caller's telephone may have it too."""

ANSWER = "REC_ANSWER"
SILENT, HEARD, REFUSED = "silent", "heard", "refused"
"""How a recording stands after a question; REFUSED: whoever asked is in no call that they may silence."""


class Controls:
    """Each method raises ExchangeError, or NotPermitted, when the exchange did not do it."""

    def __init__(self, link: AmiLink) -> None:
        self._link = link

    async def mute(self, channel: str, on: bool) -> None:
        """Make the recording on a channel silent, or hear again; its file goes on either way."""
        monitor = value_of(await self._link.do(variable(channel, MONITOR)))
        await self._link.do(mute(channel, monitor, on))
        await self._link.do(set_variable(channel, MUTED, "1" if on else ""))

    async def restart(self, channel: str) -> None:
        """Have the dialplan restart the recording on a channel in a bridge, into the same file. It does so for us alone."""
        await self._link.do(set_variable(channel, MUTED, ""))
        await self._link.do(set_variable(channel, RESTART, "1"))
        await self._link.do(press_again(channel))

    async def detach(self, channel: str, monitor: str, own: Own | None) -> None:
        """Stop a recording that another channel left on this one, and have this one's variables say what is its own.

        ``monitor`` empty: it is the one that the channel's variable names now, which came with it.
        """
        monitor = monitor or value_of(await self._link.do(variable(channel, MONITOR)))
        for name, value in zip(VARIABLES, (*map(str, own), channel, ""), strict=True) if own else ():
            await self._link.do(set_variable(channel, name, value))
        await self._link.do(stop(channel, monitor))

    async def answer(self, asker: str, word: str) -> None:
        """Tell whoever asked how it stands."""
        if asker.startswith(BY_MANAGER):
            await self._link.do(answer(asker.removeprefix(BY_MANAGER), word))
        elif asker:
            await self._link.do(set_variable(asker, ANSWER, word))
