"""The doctor: looks at everything a recorded call needs, and says what is wrong and what to do. It changes nothing."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ami_bridge.config import Config, load, outdated
from ami_bridge.core.errors import AmiBridgeError
from ami_bridge.dialplan_globals import render
from ami_bridge.services import doctor_diary, doctor_exchange, doctor_places, doctor_retention, doctor_rivals
from ami_bridge.services.findings import Finding, Status, error, ok, warning
from ami_bridge.services.notices import current_policy, policy_from_json, store
from ami_bridge.services.setup import generated_file
from ami_bridge.spool import Spool

__all__ = ["Finding", "Status", "examine"]

MOUNTS = Path("/proc/mounts")
EVERYBODY = 0o007
SCARCE, USED_UP = 500 << 20, 50 << 20
"""Bytes free in the spool: an hour of one call is about 58 MB."""

MADE_BY_INIT = "Run 'ami-bridge init'."


def examine(file: Path) -> list[Finding]:
    """Return all findings; only the first when the configuration itself cannot be used."""
    try:
        config = load(file)
    except AmiBridgeError as problem:
        return [_as_finding("configuration", problem)]
    findings = [warning("configuration", f"{file}: {sentence}", "Correct that line; until then the old name works.")
                for sentence in outdated(file)] or [ok("configuration", f"{file} is whole")]
    for name, check in CHECKS.items():
        try:
            findings += check(config)
        except AmiBridgeError as problem:
            findings.append(_as_finding(name, problem))
        except OSError as problem:
            findings.append(error(name, f"{problem.filename} cannot be looked at ({problem.strerror})",
                                  "Run the doctor as the daemon's user."))
    return [*findings, dialplan_file(config, generated_file(file))]


def spool_folder(config: Config) -> Iterator[Finding]:
    """Look at the spool: there, ours alone, in memory, with room."""
    spool = Spool(config.spool.directory)
    folders = (spool.root, spool.tickets, spool.live)
    absent = [folder for folder in folders if not folder.is_dir()]
    if absent:
        yield error("spool", f"the folder {absent[0]} is not there", MADE_BY_INIT)
        return
    shut = [folder for folder in folders if not os.access(folder, os.W_OK | os.X_OK)]
    if shut:
        yield error("spool", f"this user cannot write in {shut[0]}", "Run as the daemon's user, or mend its owner.")
    elif spool.root.stat().st_mode & EVERYBODY:
        yield error("spool", f"{spool.root} is open to everybody on this machine", f"Run 'chmod o= {spool.root}'.")
    else:
        yield ok("spool", f"{spool.root} is there and writable")
    yield in_memory(spool.root, filesystem_of(spool.root, MOUNTS.read_text("utf-8")))
    yield room(shutil.disk_usage(spool.root).free)


def filesystem_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system that holds ``folder``, from the text of /proc/mounts; the last mount counts."""
    places = [line.split(" ")[1:3] for line in mounts.splitlines() if line.count(" ") >= 2]
    holding = [(len(place), number, kind) for number, (place, kind) in enumerate(places)
               if folder.resolve().is_relative_to(place.replace("\\040", " "))]
    return max(holding)[2] if holding else "unknown"


def in_memory(folder: Path, filesystem: str) -> Finding:
    """Judge the spool's file system: unsealed audio should not reach a disk."""
    if filesystem in ("tmpfs", "ramfs"):
        return ok("spool-memory", f"{folder} is in memory ({filesystem})")
    return warning("spool-memory", f"{folder} is on {filesystem}: audio of calls in progress reaches the disk unsealed",
                   "Put [spool] directory on a tmpfs, such as /run.")


def room(free: int) -> Finding:
    """Judge the free bytes of the spool."""
    said = f"{free >> 20} MB free"
    if free >= SCARCE:
        return ok("spool-room", said)
    remedy = "Make the tmpfs larger, or look why finished calls are not taken in."
    return (error if free < USED_UP else warning)("spool-room", said, remedy)


def register_open(config: Config) -> Iterator[Finding]:
    """Look whether the register opens and has our version."""
    from ami_bridge.register import Register

    register = Register.open(config.register.url)
    register.close()
    yield ok("register", f"{register.place} answers and has the right version")


def prompts_whole(config: Config) -> Iterator[Finding]:
    """Look whether each route's notice is there in its languages, and unharmed."""
    prompts = store(config)
    there = {(version.name, version.language) for version in prompts.newest()}
    wanted = [(f"route {route.name}", route.notice, route.languages) for route in config.policy_routes()
              if route.record and route.notice]
    wanted.append(("a refused call", "unavailable", config.notice.languages[:1]))
    faults = [fault for who, name, languages in wanted for fault in missing(who, name, languages, there)]
    faults += [error("prompts", problem, "Add it again with 'ami-bridge notice add', or run 'ami-bridge notice publish'.")
               for problem in prompts.check()]
    yield from faults or [ok("prompts", f"{len(there)} notices are there and whole")]


def missing(who: str, name: str, languages: tuple[str, ...], there: set[tuple[str, str]]) -> Iterator[Finding]:
    """Yield what is missing of one notice: an error where no language is left to fall back on."""
    absent = [language for language in languages if (name, language) not in there]
    remedy = f"Run 'ami-bridge notice add FILE --name {name} --language LANGUAGE'."
    if len(absent) == len(languages):
        yield error("prompts", f"the notice {name} for {who} is there in no language: such calls are not recorded", remedy)
    elif absent:
        yield warning("prompts", f"the notice {name} for {who} is missing in {', '.join(absent)}", remedy)


def policy_published(config: Config) -> Iterator[Finding]:
    """Look whether the scripts read the policy that follows from configuration and prompts."""
    spool = Spool(config.spool.directory)
    remedy = "Run 'ami-bridge notice publish' and restart the daemon."
    try:
        published = policy_from_json(spool.policy.read_text("utf-8"))
    except OSError as problem:
        yield error("policy", f"{spool.policy} cannot be read ({problem.strerror})", remedy)
        return
    if published == current_policy(config):
        yield ok("policy", "the published notice policy is the configured one")
    else:
        yield error("policy", "the published notice policy is not the configured one", remedy)


def dialplan_file(config: Config, file: Path) -> Finding:
    """Look whether the generated dialplan beside the configuration follows from it."""
    remedy = "Run 'ami-bridge dialplan --write', see that Asterisk includes that file, then 'dialplan reload' there."
    try:
        same = file.read_text("utf-8") == render(config)
    except OSError as problem:
        return error("dialplan", f"{file} cannot be read ({problem.strerror})", remedy)
    return ok("dialplan", f"{file} is up to date") if same else error("dialplan", f"{file} is out of date", remedy)


def sound_tools(config: Config) -> Iterator[Finding]:
    """Look for the programs that make prompts."""
    for program, purpose in (("sox", "to add a notice"), ("espeak-ng", "to speak the notices that come with ami-bridge")):
        if shutil.which(program):
            yield ok(program, "is installed")
        else:
            yield warning(program, f"is not installed; it is needed {purpose}", f"Run 'apt install {program}' (Debian).")


CHECKS: dict[str, Callable[[Config], Iterator[Finding]]] = {
    "spool": spool_folder,
    "register": register_open,
    "purge": doctor_retention.forgetting,
    "private-keys": doctor_retention.private_keys,
    "vault": doctor_retention.vault,
    "certificates": doctor_retention.certificates,
    "clock": doctor_retention.clock,
    "prompts": prompts_whole,
    "policy": policy_published,
    "ami": doctor_exchange.manager,
    "fastagi": doctor_exchange.fastagi,
    "diary": doctor_diary.diary,
    "tools": sound_tools,
    "rivals": doctor_rivals.rivals,
    "places": doctor_places.places,
}


def _as_finding(name: str, problem: AmiBridgeError) -> Finding:
    return error(name, str(problem.args[0]), problem.hint)
