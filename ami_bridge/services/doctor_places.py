"""The doctor's look at what others keep of the callers: logs, diaries, recordings. Found by name; never opened."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ami_bridge.config import Config
from ami_bridge.services.findings import Finding, ok, warning

LOGS, SPOOL = Path("/var/log/asterisk"), Path("/var/spool/asterisk")
CORES = (Path("/var/lib/systemd/coredump"), Path("/var/spool/asterisk"), Path("/var/lib/asterisk"), Path("/tmp"),  # noqa: S108
         Path("/var/tmp"))  # noqa: S108
"""Where memory, and the network, is written down by whoever looks for a fault."""

MOST = 10_000
"""Files counted under one place; that there are more than so many needs no better number."""


@dataclass(frozen=True, slots=True)
class Place:
    """Files that hold callers' data: a pattern below a folder (``**``: any depth), what they hold, what to do."""

    pattern: str
    holds: str
    remedy: str

    @property
    def names_calls(self) -> bool:
        """Tell whether numbers may stand in the files' own names: those of recordings and captures."""
        return self.pattern.endswith("**") or self.pattern in CAPTURES_OF


CAPTURES_OF = ("*.pcap", "*.pcap[0-9]*", "*.pcapng", "*.cap")
ROTATE = "Rotate it daily and keep {kept} old files at most (logrotate)"
JOURNAL = "Name it in [purge] journals, or turn it off in {file}."
LEFTOVERS = "Stop what writes there, or name it in [purge] leftovers, as \"{folder}/*\"."
SQLITE = "Turn cdr_sqlite3_custom and cel_sqlite3_custom off (modules.conf, noload), then remove the file."
IN_LOGS = (
    Place("queue_log*", "numbers of callers", ROTATE + ", or set queue_log = no in logger.conf."),
    Place("full*", "numbers and names of callers", ROTATE + ", and log no verbose messages."),
    Place("messages*", "numbers of callers", ROTATE + "."),
    Place("verbose*", "numbers and names of callers", ROTATE + ", and log no verbose messages."),
    Place("debug*", "numbers and names of callers", ROTATE + ", and log no debug messages."),
    Place("cdr-csv/*.csv*", "a line a call", JOURNAL.format(file="cdr.conf")),
    Place("cdr-custom/*.csv*", "a line a call", JOURNAL.format(file="cdr_custom.conf")),
    Place("cel-custom/*.csv*", "several lines a call", JOURNAL.format(file="cel_custom.conf")),
    Place("cdr.db", "a row a call", SQLITE),
    Place("master.db", "a row a call", SQLITE),
)
IN_SPOOL = (
    Place("monitor/**", "voices of callers, in the clear", LEFTOVERS),
    Place("recording/**", "voices of callers, in the clear", LEFTOVERS),
    Place("meetme/**", "voices of callers, in the clear", LEFTOVERS),
    Place("dictate/**", "voices of callers, in the clear", LEFTOVERS),
    Place("fax/**", "letters of callers", LEFTOVERS),
    Place("voicemail/**", "voices and numbers of callers", LEFTOVERS + " Agree first how long messages may stay."),
)
CORES_OF = ("core", "core.[0-9]*", "core*asterisk*")
CORE = ("whatever was in Asterisk's memory: voices, numbers, names",
             "Remove it, and turn core dumps off (dumpcore = no in asterisk.conf, LimitCORE=0 in its unit).")

CAPTURE = ("the network as it was captured: calls whole, with numbers and voices",
           "Remove it as soon as the fault is found (tcpdump, sngrep, pjsip set logger pcap).")


def places(config: Config, logs: Path = LOGS, spool: Path = SPOOL, cores: Iterable[Path] = CORES) -> Iterator[Finding]:
    """Warn of each place that holds callers' data and that no run of ours clears."""
    looked = [(logs, place) for place in IN_LOGS] + [(spool, place) for place in IN_SPOOL] + [
        (one, Place(pattern, *CORE)) for one in cores for pattern in CORES_OF] + [
        (one, Place(pattern, *CAPTURE)) for one in (logs, *cores) for pattern in CAPTURES_OF]
    findings = [finding for folder, place in looked for finding in look(config, folder, place)]
    yield from dict.fromkeys(findings) or [ok("places", f"nothing else with callers' data was found in {logs} and {spool}")]


def look(config: Config, folder: Path, place: Place) -> Iterator[Finding]:
    """Look at one place."""
    shut = next((one for one in (folder, (folder / place.pattern).parent) if _shut(one)), None)
    if shut:
        yield warning("places", f"{shut} cannot be looked into by this user", "Run the doctor as root.")
        return
    found = [path for path in files(folder, place) if not cleared(config, path)]
    if found:
        folder_of = found[0].parent if "**" not in place.pattern else folder / place.pattern.partition("/")[0]
        remedy = place.remedy.format(kept=max(config.retention.days - 2, 0), folder=folder_of)
        subject = counted(found, folder_of) if place.names_calls else many(found)
        yield warning("places", f"{subject} {place.holds}", remedy)


def files(folder: Path, place: Place) -> list[Path]:
    """Return the files of a place that hold anything, some of them when there are very many."""
    found = []
    for path in _walk(folder, place.pattern):
        if _has_content(path):
            found.append(path)
        if len(found) > MOST:
            break
    return sorted(found)


def cleared(config: Config, path: Path) -> bool:
    """Tell whether the purge clears a file already: a journal (also what was set aside of it), or a leftover."""
    journals = any(path == journal or (path.name.startswith(f"{journal.name}.") and path.parent == journal.parent)
                   for journal in config.purge.journals)
    return journals or any(fnmatch(str(path), pattern) for pattern in config.purge.leftovers)


def counted(found: list[Path], folder: Path) -> str:
    """Return the subject of the sentence, with its verb; no file is named."""
    count = f"more than {MOST}" if len(found) > MOST else str(len(found))
    return f"{folder}: {count} {'file holds' if len(found) == 1 else 'files hold'}"


def many(found: list[Path]) -> str:
    """Return the subject of the sentence, with its verb."""
    if len(found) == 1:
        return f"{found[0]} holds"
    count = f"more than {MOST}" if len(found) > MOST else str(len(found) - 1)
    return f"{found[0]} and {count} more hold"


def _shut(folder: Path) -> bool:
    return os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK)  # noqa: PTH112 - pathlib's raises where it may not look


def _walk(folder: Path, pattern: str) -> Iterator[Path]:
    if not pattern.endswith("**"):
        yield from folder.glob(pattern)
        return
    for where, _, names in os.walk(folder / pattern.removesuffix("/**")):
        yield from (Path(where) / name for name in names)


def _has_content(path: Path) -> bool:
    try:
        return not path.is_symlink() and path.is_file() and path.stat().st_size > 0
    except OSError:
        return False
