"""The doctor's look at Asterisk's own configuration: what else records, or could stop us; and whether our keys are there.

Sources (Asterisk 22): the samples of features.conf, queues.conf, confbridge.conf and asterisk.conf; facts 7, 18, 35, 36.
The files are read as text: what a database adds is not seen.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ami_bridge.asterisk import conf
from ami_bridge.config import Config
from ami_bridge.services.findings import Finding, error, ok, warning

MOST = 200
"""Files of Asterisk's configuration that are read."""

OURS = re.compile(r"^\[recorded-call[^\]]*\](?:\n(?!\[).*)*", re.M)
"""Our own contexts, whose MixMonitor is no rival."""

NAME = "rivals"


class Rival(NamedTuple):
    """A line that means another recorder: in which file (a pattern), how it looks, what it does, what to do.

    ``says``: how bad it is.
    """

    file: str
    line: re.Pattern[str]
    does: str
    remedy: str
    says: Callable[[str, str, str], Finding] = warning


ANY_STOPPED = re.compile(r"\bStopMixMonitor\s*(?:\(\s*\)|$)", re.I | re.M)
STOPS_ANY = "recordings are stopped without saying which"
NAME_IT = "Give StopMixMonitor the id of its own recording: without, it stops ours (it is begun anew, with a gap)."
DEAF = "Where Debian built Asterisk, from version 20 on, agents' voices may be missing from ours while another records too."

RIVALS = (
    Rival("features*.conf", re.compile(r"^\s*automixmon\s*=>?\s*\S", re.M),
          "one-touch recording (automixmon) makes files past us",
          "Remove the line: on calls that pass our entry points it is switched off, on others it records without a notice."),
    Rival("features*.conf", re.compile(r"^\s*automon\s*=>?\s*\S", re.M), "one-touch recording (automon) makes files past us",
          "Remove the line."),
    Rival("queues*.conf", re.compile(r"^\s*monitor-format\s*=>?\s*\S", re.M), "a queue records by itself (monitor-format)",
          "Remove the line: the call is recorded twice, and one recording is never forgotten. " + DEAF),
    Rival("confbridge*.conf", re.compile(r"^\s*record_conference\s*=>?\s*(?:yes|true|on|1)\b", re.M | re.I),
          "conferences are recorded (record_conference)", "Set record_conference = no."),
    Rival("asterisk.conf", re.compile(r"^\s*cache_record_files\s*=>?\s*(?:yes|true|on|1)\b", re.M | re.I),
          "recordings are written elsewhere and moved at their end (cache_record_files)",
          "Set cache_record_files = no: a crash loses the whole recording, none is begun anew, and all seem to stall.",
          error),
    Rival("extensions*.conf", re.compile(r"\b(?:Mix)?Monitor\s*\(", re.I), "the dialplan starts a recording of its own",
          "Remove MixMonitor and Monitor from it, or see that no such call passes our entry points. " + DEAF),
    Rival("extensions*.conf", ANY_STOPPED, STOPS_ANY, NAME_IT),
    Rival("features*.conf", ANY_STOPPED, STOPS_ANY, NAME_IT),
    Rival("features*.conf", re.compile(r"\b(?:Mix)?Monitor\b", re.I), "a key starts a recording of its own",
          "Remove the line."),
)
KEYS = {"ami-bridge-again": "a new agent's voice may be missing, and a recording that another stopped is not begun anew",
        "ami-bridge-pause": "agents cannot pause a recording by a key",
        "ami-bridge-record": "agents cannot ask for a recording by a key"}


def rivals(config: Config) -> Iterator[Finding]:
    """Warn of each file that another recorder is set up in, and of keys of ours that are not there."""
    folder = config.exchange.configuration
    if folder is None:
        return
    if not folder.is_dir():
        yield warning(NAME, f"there is no folder {folder}", "Name Asterisk's in [exchange] configuration, or none there.")
        return
    try:
        texts = {path: read(path) for path, _ in zip(files_of(folder), range(MOST), strict=False)}
    except OSError as problem:
        yield warning(NAME, f"{problem.filename or folder} cannot be read ({problem.strerror})", "Run the doctor as root.")
        return
    found = [*recorders(texts), *keys(texts)]
    yield from found or [ok(NAME, f"nothing in {folder} records past us")]


def files_of(folder: Path) -> list[Path]:
    """Return the files of Asterisk's configuration, with those elsewhere that features.conf and extensions.conf include."""
    files = dict.fromkeys(sorted(folder.rglob("*.conf")))
    for name in ("features.conf", "extensions.conf"):
        if (folder / name) in files:
            files |= dict.fromkeys(conf.read(folder, name).files)
    return list(files)


def recorders(texts: dict[Path, str]) -> Iterator[Finding]:
    """Tell of other recorders in files, given as texts without comments."""
    for path, text in texts.items():
        for rival in RIVALS:
            if path.match(rival.file) and rival.line.search(text):
                yield rival.says(NAME, f"{path}: {rival.does}", rival.remedy)


def keys(texts: dict[Path, str]) -> Iterator[Finding]:
    """Warn of keys of ours that no features.conf knows."""
    features = "\n".join(text for path, text in texts.items() if path.match("features*.conf"))
    for name, lacking in KEYS.items():
        if not re.search(rf"^\s*{name}\s*=>?\s*\S", features, re.M):
            yield warning(NAME, f"features.conf does not know {name}: {lacking}",
                          "Merge features_ami_bridge.conf into it, then 'module reload features'.")


def read(path: Path) -> str:
    """Return a file's text without comments and without our own contexts."""
    text = re.sub(r"(?<!\\);.*", "", path.read_text("utf-8", errors="replace"))
    return OURS.sub("", text)
