"""The units of systemd, and what fits them to this machine."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import ami_bridge
from ami_bridge.config import Config
from ami_bridge.register.engine import address_of, file_of
from ami_bridge.services.changes import Change, Deed, Remove, Rights, Write
from ami_bridge.services.exchange_files import is_signed, signed, untouched
from ami_bridge.services.machine import read
from ami_bridge.services.system_user import HOME, USER, run
from ami_bridge.spool import Spool

SHIPPED = Path(ami_bridge.__file__).parent / "units"
ETC = Path("/etc/systemd/system")
PACKAGED = (Path("/usr/lib/systemd/system"), Path("/lib/systemd/system"))
"""Where a distribution's package puts units: those are not written once more."""

TEMPORARY = Path("/etc/tmpfiles.d/ami-bridge.conf")
BOOTED = Path("/run/systemd/system")
PROGRAM = "/opt/ami-bridge/bin/ami-bridge"
DAEMON, CONSOLE = "ami-bridge", "ami-bridge-console"
JOBS = ("ami-bridge-purge", "ami-bridge-verify")
STARTED = ("ami-bridge.service", "ami-bridge-purge.timer", "ami-bridge-verify.timer")
WRITABLE = (Path("/run/ami-bridge"), HOME)
WRITABLE_BY_JOBS = (*WRITABLE, Path("/var/log/asterisk"), Path("/var/spool/asterisk"))
"""What the shipped units may write to."""

_PUBLIC = Rights("root", "root", 0o644)

ASTERISK = """\
# Recordings, diary and logs hold callers' data: closed to everybody else on this machine.
[Service]
UMask=0027
"""


def program() -> Path:
    """Return the command of this installation."""
    return Path(sys.executable).parent / "ami-bridge"


def hidden_program() -> str | None:
    """Return a sentence when the daemon could not start this installation."""
    here = program()
    if here.parts[1:2] in (("root",), ("home",)):
        return f"{here} lies where the units may not look (ProtectHome): install ami-bridge in /opt/ami-bridge."
    return None


def installing(config: Config, unit_of_asterisk: bool, group: str) -> Iterator[Change]:
    """Yield what puts units, drop-ins and the folders of /run in their places, and enables them."""
    changes = list(_files(config, unit_of_asterisk, group))
    yield from changes
    if changes and BOOTED.is_dir():
        yield Deed("Have systemd read its units, and start ours at boot",
                   "Had systemd read its units; ours start at boot", enable)


def removing() -> Iterator[Change]:
    """Yield what takes all of them away again: only files that ``init`` made."""
    found = [path for path in _places() if path.is_file() and is_signed(read(path))]
    if found and BOOTED.is_dir():
        yield Deed("Stop the daemon, its timers and the console", "Stopped the daemon, its timers and the console",
                   lambda: run("systemctl", "disable", "--now", *STARTED, *_console_there()))
    for path in found:
        yield Remove(path, path.parent.parent == ETC)
    if found and BOOTED.is_dir():
        yield Deed("Have systemd read its units", "Had systemd read its units", lambda: run("systemctl", "daemon-reload"))


def enable() -> None:
    """Have systemd know our units and start them at boot."""
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", *STARTED)


def owned(path: Path, text: str) -> Iterator[Write]:
    """Yield what writes a file of ours: nothing when it says so already, or when somebody changed it by hand."""
    wanted = signed(text, "#")
    before = read(path) if path.exists() else None
    if before is None or (untouched(before) and before != wanted):
        yield Write(path=path, before=before, after=wanted, rights=None if before else _PUBLIC)


def changed_by_hand() -> Iterator[str]:
    """Yield a sentence for each of these files that is not as init would have written it, and stays."""
    for path in _places():
        if path.is_file() and not untouched(read(path)):
            yield f"{path} was changed or written by hand: left so. Remove it and run init again to have it anew."


def drop_in_of_daemon(config: Config) -> str:
    """Return what fits the daemon to this machine: secrets handed over by systemd, further folders to write to.

    Wherever they are, it gets to no key that opens, and to none that signs for a destruction.
    """
    barred = (config.keys.private, config.certificates.key, config.accounts.key)
    return _lines(config, places_of_daemon(config), WRITABLE, (path for path in barred if path))


def drop_in_of_jobs(config: Config) -> str:
    """Return the same for the nightly jobs."""
    return _lines(config, places_of_jobs(config), WRITABLE_BY_JOBS)


def drop_in_of_console(config: Config) -> str:
    """Return the same for the console, which gets to no sound of a call in progress, wherever the spool is."""
    spool = Spool(config.spool.directory)
    return _lines(config, places_of_console(config), (HOME,), (spool.live, spool.legs_folder))


def places_of_daemon(config: Config) -> Iterator[Path]:
    """Yield the folders that the daemon writes to."""
    yield from (config.vault.directory, config.spool.directory, config.audit.directory)
    if file := file_of(address_of(config.register.url)):
        yield file.parent


def places_of_jobs(config: Config) -> Iterator[Path]:
    """Yield the folders that the nightly jobs write to, where they destroy and where they make keys."""
    yield from places_of_console(config)
    yield from (config.spool.directory, config.audit.directory)
    if config.cel.file:
        yield config.cel.file.parent
    yield from (journal.parent for journal in config.purge.journals)
    yield from (Path(pattern.partition("*")[0].rpartition("/")[0] or "/") for pattern in config.purge.leftovers)


def places_of_console(config: Config) -> Iterator[Path]:
    """Yield the folders that the console writes to: where calls are held, destroyed at a caller's wish, and looked for."""
    yield from (config.vault.directory, config.keys.recipients, config.certificates.directory,
                config.certificates.key.parent)
    if config.keys.private:
        yield config.keys.private
    if file := file_of(address_of(config.register.url)):
        yield file.parent


def temporary(config: Config, group: str) -> str:
    """Return the folders that are made at each start of the machine, before Asterisk. Source: tmpfiles.d(5)."""
    spool = config.spool.directory
    lines = [f"d {spool.parent} 0711 {USER} {USER} -"]
    lines += [f"d {folder} 2770 {USER} {group} -" for folder in (spool, spool / "tickets", spool / "live", spool / "legs")]
    return "".join(f"{line}\n" for line in lines)


def _files(config: Config, unit_of_asterisk: bool, group: str) -> Iterator[Write]:
    if not any((folder / "ami-bridge.service").exists() for folder in PACKAGED):
        for unit in sorted((*SHIPPED.glob("*.service"), *SHIPPED.glob("*.timer"))):
            yield from owned(ETC / unit.name, unit.read_text("utf-8").replace(PROGRAM, str(program())))
    yield from owned(_drop_in_of(DAEMON), drop_in_of_daemon(config))
    for job in JOBS:
        yield from owned(_drop_in_of(job), drop_in_of_jobs(config))
    yield from owned(_drop_in_of(CONSOLE), drop_in_of_console(config))
    if unit_of_asterisk:
        yield from owned(_drop_in_of("asterisk"), ASTERISK)
    if config.spool.directory.is_relative_to("/run") and len(config.spool.directory.parts) > 3:
        yield from owned(TEMPORARY, temporary(config, group))


def _places() -> Iterator[Path]:
    yield from (ETC / unit.name for unit in sorted((*SHIPPED.glob("*.service"), *SHIPPED.glob("*.timer"))))
    yield from (_drop_in_of(service) for service in (DAEMON, *JOBS, CONSOLE, "asterisk"))
    yield TEMPORARY


def _console_there() -> Iterator[str]:
    """The console's unit, unless what is installed is from before it: systemd refuses all when it does not know one."""
    unit = f"{CONSOLE}.service"
    if any((folder / unit).exists() for folder in (ETC, *PACKAGED)):
        yield unit


def _drop_in_of(service: str) -> Path:
    return ETC / f"{service}.service.d" / "10-ami-bridge.conf"


def _lines(config: Config, written: Iterable[Path], shipped: tuple[Path, ...], barred: Iterable[Path] = ()) -> str:
    """A drop-in; ``written``: what must be written to, ``shipped``: what the unit lets be written to by itself.

    ``barred``: what must not be got to.
    """
    lines = [f"LoadCredential={name}:{file}" for name, file in _secret_files(config)]
    lines += [f"Environment=AMI_BRIDGE__{name.upper()}__SECRET_FILE=%d/{name}" for name, _ in _secret_files(config)]
    further = {str(place) for place in written if not any(place.is_relative_to(folder) for folder in shipped)}
    lines += [f"ReadWritePaths=-{place}" for place in sorted(further)]
    if shut := " ".join(f"-{path}" for path in barred):
        lines.append(f"InaccessiblePaths={shut}")
    return "".join(f"{line}\n" for line in ["[Service]", *lines])


def _secret_files(config: Config) -> list[tuple[str, Path]]:
    found = (("ami", config.ami.secret_file), ("agi", config.agi.secret_file))
    return [(name, file) for name, file in found if file]
