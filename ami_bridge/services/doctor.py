"""The doctor: looks at all that a recorded call needs, says what is wrong and what to do. What it tries leaves nothing."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ami_bridge.config import Config, load, outdated
from ami_bridge.core.errors import AmiBridgeError
from ami_bridge.core.faults import fault
from ami_bridge.dialplan_globals import render
from ami_bridge.services import (
    doctor_asterisk,
    doctor_backends,
    doctor_call,
    doctor_console,
    doctor_dialplan,
    doctor_diary,
    doctor_exchange,
    doctor_manager,
    doctor_places,
    doctor_register,
    doctor_retention,
    doctor_rivals,
    doctor_spool,
)
from ami_bridge.services.doctor_asterisk import in_configuration
from ami_bridge.services.findings import Finding, Status, error, ok, warning
from ami_bridge.services.notices import current_policy, policy_from_json, store
from ami_bridge.services.setup import generated_file
from ami_bridge.spool import Spool

__all__ = ["Finding", "Status", "counted", "examine"]

Check = Callable[[Config], Iterable[Finding]]


def examine(file: Path, call: bool | None = False) -> list[Finding]:
    """Return all findings; only the first when the configuration itself cannot be used.

    ``call``: whether to place the test call; None: where this user may.
    """
    try:
        config = load(file)
    except AmiBridgeError as problem:
        return [_as_finding("configuration", problem)]
    findings = [warning("configuration", f"{file}: {sentence}", "Correct that line; until then the old name works.")
                for sentence in outdated(file)] or [ok("configuration", f"{file} is whole")]
    for name, check in {**CHECKS, "dialplan": lambda config: [dialplan_file(config, generated_file(file))]}.items():
        findings += guarded(name, check, config)
    if call is not False:
        findings += guarded(doctor_call.NAME, lambda config: doctor_call.test_call(config, insist=call is True), config)
    return findings


def guarded(name: str, check: Check, config: Config) -> list[Finding]:
    """Return what a check finds. One that fails is a finding too: its own words are not told, they may name a caller."""
    findings: list[Finding] = []
    try:
        findings.extend(check(config))
    except AmiBridgeError as problem:
        findings.append(_as_finding(name, problem))
    except OSError as problem:
        what = f"{problem.filename or 'something'} cannot be looked at ({problem.strerror or type(problem).__name__})"
        findings.append(error(name, what, "Run the doctor as the daemon's user, or as root."))
    except Exception as problem:  # noqa: BLE001 - one check that fails shall not silence the others
        findings.append(error(name, f"could not be looked at ({fault(problem)})", "This is a bug: report it."))
    return findings


def counted(findings: list[Finding]) -> str:
    """Return how many errors, warnings and good things there are, in words."""
    count = Counter(one.status for one in findings)
    return f"{_many(count[Status.ERROR], 'error')}, {_many(count[Status.WARNING], 'warning')}, {count[Status.OK]} ok"


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


def places_of_asterisk(config: Config) -> Iterator[Finding]:
    """Look at what others keep, where this Asterisk keeps it."""
    exchange = doctor_asterisk.found(config)
    yield from doctor_places.places(config, exchange.logs, exchange.spool)


CHECKS: dict[str, Check] = {
    "spool": doctor_spool.spool_folder,
    "asterisk-user": doctor_spool.asterisk_user,
    "register": doctor_register.register_open,
    "purge": doctor_retention.forgetting,
    "private-keys": doctor_retention.private_keys,
    "vault": doctor_retention.vault,
    "certificates": doctor_retention.certificates,
    "clock": doctor_retention.clock,
    "prompts": prompts_whole,
    "policy": policy_published,
    "ami": doctor_exchange.manager,
    "manager-conf": in_configuration("manager-conf", doctor_manager.manager_conf),
    "entry-points": in_configuration("entry-points", doctor_dialplan.entry_points),
    "fastagi": doctor_exchange.fastagi,
    "diary": doctor_diary.diary,
    "tools": sound_tools,
    "rivals": doctor_rivals.rivals,
    "places": places_of_asterisk,
    "console": doctor_console.console,
    "backends": in_configuration("backends", doctor_backends.backends),
}


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + "s" * (count != 1)


def _as_finding(name: str, problem: AmiBridgeError) -> Finding:
    return error(name, str(problem.args[0]), problem.hint)
