"""How a fault of ours is told: by kind and place. Its own words may quote a call."""

import traceback


def fault(error: BaseException) -> str:
    """Return the kind of a fault, and the line and the function in which it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in line {frames[-1].lineno} of {frames[-1].name}" if frames else type(error).__name__
