"""How a fault is told: by kind and place, for its own words may quote a call; what the system says, as an error of ours."""

import traceback

from ami_bridge.core.errors import AmiBridgeError


def fault(error: BaseException) -> str:
    """Return the kind of a fault, and the line and the function in which it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in line {frames[-1].lineno} of {frames[-1].name}" if frames else type(error).__name__


def said(problem: AmiBridgeError | OSError, what: str) -> AmiBridgeError:
    """Return a problem as one of ours; ``what`` says what failed where the system only says why."""
    if isinstance(problem, AmiBridgeError):
        return problem
    return AmiBridgeError(f"{what} ({problem.strerror or type(problem).__name__})", "See the disk, and who may write there.")
