"""Who runs this command: the account of this machine, and the one it was entered from.

Three sources: the real user of the process (the kernel's word); ``/proc/self/loginuid``, the user who once signed in, which
no ``sudo`` or ``su`` changes (the kernel's word too, where PAM sets it: pam_loginuid(8)); ``SUDO_USER``, which whoever has
the rights of the account could set as they like. So the account stands first, and where it was entered from after it.
"""

import os
import pwd
from pathlib import Path

from ami_bridge.core.audit import ACTOR

LOGIN_UID = Path("/proc/self/loginuid")
NOBODY_SIGNED_IN = 2**32 - 1


def invoker() -> str:
    """Return the actor for the trail: ``os:maija``, or ``os:ami-bridge/maija`` for an account entered from another."""
    account, origin = _name(os.getuid()), _signed_in() or os.environ.get("SUDO_USER", "")
    actor = f"os:{account}/{origin}" if origin and origin != account else f"os:{account}"
    return actor if ACTOR.fullmatch(actor) else f"os:uid-{os.getuid()}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _signed_in() -> str:
    try:
        uid = int(LOGIN_UID.read_text("ascii"))
    except (OSError, ValueError):
        return ""
    return "" if uid == NOBODY_SIGNED_IN else _name(uid)
