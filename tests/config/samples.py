"""Configurations to test with."""

from pathlib import Path

from ami_bridge.config import Config, load

HEAD = """
[exchange]
name = "pbx1"
[ami]
secret = "ami-secret-of-the-tests"
[agi]
secret = "agi-secret-of-the-tests"
"""

ROUTES = """
[[route]]
name = "training-lines"
direction = "inbound"
did = ["09123*", "112"]
notice = "training"
languages = ["sv", "fi"]
[[route]]
name = "support"
context = "from-outside"
queue = ["support", "Support_2"]
on_failure = "refuse"
[[route]]
name = "never"
direction = ["inbound", "outbound"]
did = "+358*"
record = false
[[route]]
name = "colleagues"
direction = "internal"
notice = ""
on_failure = "allow-unrecorded"
[[route]]
name = "star"
did = "*55"
[[route]]
name = "rest"
direction = "outbound"
"""


def from_text(folder: Path, text: str, **environ: str) -> Config:
    """Return the configuration in ``text``, by way of a file, with no environment but the given one."""
    file = folder / "ami-bridge.toml"
    file.write_text(text, "utf-8")
    return load(file, environ)
