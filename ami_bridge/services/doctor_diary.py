"""The doctor's look at Asterisk's diary (CEL): it must be written, in our columns, where the daemon may read it."""

import os
from collections.abc import Iterator
from pathlib import Path

from ami_bridge.asterisk.cel import noted
from ami_bridge.config import Config
from ami_bridge.services.findings import Finding, error, ok, warning

LAST_LINES = 1 << 16
WITHOUT = "what happens while the daemon or its link is away stays unknown"
SET_UP = ("Merge cel_ami_bridge.conf into cel.conf (without dateformat) "
          "and cel_custom_ami_bridge.conf into cel_custom.conf, "
          "then run asterisk -rx 'core reload'.")


def diary(config: Config) -> Iterator[Finding]:
    """Look at the file of ``[cel]``."""
    file = config.cel.file
    if file is None:
        yield warning("diary", f"no diary of Asterisk is named: {WITHOUT}", "Set [cel] file.")
    elif not file.exists():
        yield warning("diary", f"{file} is not there: {WITHOUT}", SET_UP)
    elif not os.access(file, os.R_OK):
        yield error("diary", f"this user cannot read {file}: {WITHOUT}",
                    "Let the daemon's user read it, by the group of the folder and of the file.")
    elif (line := last_line(file)) and noted(line) is None:
        yield error("diary", f"{file} has other columns than ours", SET_UP)
    else:
        yield ok("diary", f"{file} can be read")


def last_line(file: Path) -> str:
    """Return the last whole line of a file; empty when there is none."""
    with file.open("rb") as lines:
        lines.seek(max(0, file.stat().st_size - LAST_LINES))
        whole = lines.read().decode("utf-8", "replace").split("\n")[:-1]
    return whole[-1] if whole else ""
