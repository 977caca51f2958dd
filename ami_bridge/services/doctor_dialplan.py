"""The doctor's look at the dialplan as Asterisk has loaded it: asked over AMI, which our class ``reporting`` allows."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ami_bridge.asterisk.conf import read
from ami_bridge.asterisk.examining import Examined
from ami_bridge.config import Config
from ami_bridge.dialplan_globals import CONTEXT, global_lines
from ami_bridge.services.findings import Finding, error, ok, warning

NAME = "dialplan-loaded"
CONTEXTS = ("recorded-call", "recorded-callee", "recorded-call-begin", "recorded-call-ended", "recorded-call-diary",
            "recorded-call-doctor", CONTEXT)
"""One of each part of extensions_recording.conf, and the generated one."""

RELOAD = "run asterisk -rx 'dialplan reload'."


ENTERS = re.compile(r"\bGosub\w*\(.*\brecorded-call\s*,", re.I)
OURS = "recorded-call"


def entry_points(config: Config, folder: Path) -> Iterator[Finding]:
    """Look whether any line of extensions.conf leads into our dialplan. What AEL, Lua or a database add is not seen."""
    if not (folder / "extensions.conf").exists():
        return
    others = (own for name, own in read(folder, "extensions.conf").sections.items() if not name.startswith(OURS))
    lines = sum(bool(ENTERS.search(line.value)) for own in others for line in own)
    if lines:
        yield ok("entry-points", f"{lines} lines of extensions.conf lead into our dialplan")
    else:
        yield warning("entry-points", "no line of extensions.conf leads into our dialplan: no call is recorded",
                      "Put Gosub(recorded-call,s,1(inbound)) before Dial() or Queue() of each entry point.")


def globals_wanted(config: Config) -> dict[str, str]:
    """Return the global variables that the generated dialplan sets."""
    pairs = (line.partition("=") for line in global_lines(config) if "=" in line)
    return {name: value for name, _, value in pairs}


def loaded(seen: Examined, wanted: Mapping[str, str]) -> Iterator[Finding]:
    """Judge which of our contexts are loaded, and whether the variables are ours. Their values are not told."""
    absent = [context for context, there in seen.contexts.items() if not there]
    other = [name for name, value in wanted.items() if seen.globals.get(name, value) != value]
    if not seen.contexts:
        yield warning(NAME, "our manager user may not ask what dialplan is loaded", "Give it write = reporting,call,user.")
    elif len(absent) == len(CONTEXTS):
        yield error(NAME, "Asterisk has loaded nothing of our dialplan: no call is recorded",
                    f"#include extensions_recording.conf in extensions.conf, then {RELOAD}")
    elif absent:
        yield error(NAME, f"Asterisk has not loaded {', '.join(absent)}",
                    f"See that both of our files are there whole and of this version, then {RELOAD}")
    elif wanted and not seen.globals:
        yield warning(NAME, "our manager user may not ask for the dialplan's variables",
                      "Give it write = reporting,call,user.")
    elif other:
        yield error(NAME, f"Asterisk works with another {', '.join(other)} than we do",
                    f"See that it includes the generated dialplan, then {RELOAD}")
    else:
        yield ok(NAME, "Asterisk has loaded our dialplan, with the values of our configuration")
