"""One tree of errors. Each says what failed, on what, and what to do now.

The class carries the exit code of the command; the table of codes is in ``docs/reference.md``.
"""


class AmiBridgeError(Exception):
    """Something ami-bridge cannot go on with. ``mistake``: a word for what somebody did wrong who can mend it themselves."""

    exit_code = 1

    def __init__(self, what: str, hint: str = "", *, mistake: str = "") -> None:
        super().__init__(what)
        self.hint, self.mistake = hint, mistake

    def __str__(self) -> str:
        what = super().__str__()
        return f"{what}. {self.hint}" if self.hint else what


class ConfigurationError(AmiBridgeError):
    """The configuration cannot be used as it stands."""

    exit_code = 3


class SpoolError(AmiBridgeError):
    """The spool directory cannot be used, or another daemon holds it."""

    exit_code = 4


class RegisterError(AmiBridgeError):
    """The retention database cannot be used: absent, too old, too new, locked."""

    exit_code = 5


class ExchangeError(AmiBridgeError):
    """The telephone exchange refuses or does not answer."""

    exit_code = 6


class AuthenticationRefused(ExchangeError):
    """The exchange refuses our manager user. Trying again soon cannot help."""


class NotPermitted(ExchangeError):
    """The exchange knows our manager user, and does not let it do this."""


class AudioError(AmiBridgeError):
    """A sound file is missing, damaged or of the wrong format."""

    exit_code = 7


class NotFound(AmiBridgeError):
    """What was asked for is not there."""

    exit_code = 8


class KeyMissing(AmiBridgeError):
    """A key is not there, or cannot be read: what it seals cannot be sealed or opened."""

    exit_code = 9


class PurgeRefused(AmiBridgeError):
    """The destruction did not begin, because it might destroy too early or too much. A human decides."""

    exit_code = 10


class Busy(AmiBridgeError):
    """Another process does the same work at this moment."""

    exit_code = 11


class TrailError(AmiBridgeError):
    """What somebody wants to see or do cannot be recorded in the trail, so it is not shown or done."""

    exit_code = 12


class NotAllowed(AmiBridgeError):
    """The duties of accounts forbid it."""

    exit_code = 13


class PeerError(AmiBridgeError):
    """The other end of a conversation broke the protocol or went away."""


class AgiSyntaxError(PeerError):
    """A line of the AGI conversation is not AGI."""


class AgiHangup(PeerError):
    """The channel hung up, or the exchange closed the conversation."""


def as_ours(problem: AmiBridgeError | OSError, what: str) -> AmiBridgeError:
    """Return a problem as one of ours; ``what`` says what failed where the system only says why."""
    if isinstance(problem, AmiBridgeError):
        return problem
    return AmiBridgeError(f"{what} ({problem.strerror or type(problem).__name__})", "See the disk, and who may write there.")
