"""The doctor's look at our manager user: its rights, what it hears, and how manager.conf treats it.

Rights to act are asked of Asterisk itself (ListCommands); rights to hear stand in manager.conf alone. Sources: Asterisk 22
``configs/samples/manager.conf.sample``, ``main/manager.c``; facts 49-57.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ami_bridge.asterisk.conf import Conf, read
from ami_bridge.asterisk.translate import WANTED
from ami_bridge.config import Config
from ami_bridge.config.endpoints import is_loopback
from ami_bridge.core.rights import READ, WRITE, Verdict, granted, judge_read, judge_write
from ami_bridge.services.findings import Finding, error, ok, warning

RELOAD = "in manager.conf, then run asterisk -rx 'manager reload'."
GIVE_WRITE = f"Set write = {','.join(WRITE)} for our user {RELOAD}"
GIVE_READ = f"Set read = {','.join(READ)} for our user {RELOAD}"
ENOUGH = 5000
"""Milliseconds for which Asterisk should bear with a slow reader; its own 100 cut the link under load (fact 49)."""

OTHERS = 0o007
SECRET = re.compile(r"^\s*secret\s*=", re.I | re.M)
NAMED = re.compile(r"\bname\((\w+)\)", re.I)
OLD_KIND, EXCLUDES = "eventfilter", "action(exclude)"


def rights(actions: Mapping[str, str]) -> Iterator[Finding]:
    """Judge what our user may do, from the actions that Asterisk says it may send."""
    classes = granted(actions)
    if not actions:
        yield warning("ami-rights", "Asterisk does not tell what our manager user may do", GIVE_WRITE)
        return
    yield from judged("ami-rights", judge_write(classes), GIVE_WRITE) or [
        ok("ami-rights", f"our manager user may do what it needs ({', '.join(sorted(classes))}), and no more")]


def judged(name: str, verdict: Verdict, remedy: str) -> list[Finding]:
    """Return a finding for what is lacking, for what is dangerous, and for what is needless."""
    findings = []
    if verdict.lacking:
        lost = "; ".join(f"{one} ({what})" for one, what in verdict.lacking.items())
        findings.append(error(name, f"our manager user lacks the class {lost}", remedy))
    if verdict.dangerous:
        allows = "; ".join(f"{one} (it can {what})" for one, what in verdict.dangerous.items())
        findings.append(error(name, f"our manager user has the dangerous class {allows}", remedy))
    if verdict.needless:
        findings.append(warning(name, f"our manager user has more than it needs: {', '.join(verdict.needless)}", remedy))
    return findings


def events(hears: bool, timestamped: bool) -> Iterator[Finding]:
    """Judge whether a user event of ours came back, and whether it told its time."""
    if not hears:
        yield error("ami-events", "our manager user does not hear what our dialplan says: a recording's end is noticed late",
                    f"Give it the class user to read and to write, and let UserEvent through {RELOAD}")
    elif not timestamped:
        yield warning("ami-events", "events do not tell their time: what is late is taken for what happened later",
                      f"Set timestampevents = yes in [general] {RELOAD}")
    else:
        yield ok("ami-events", "our events are heard, and tell their time")


def manager_conf(config: Config, folder: Path) -> Iterator[Finding]:
    """Look into manager.conf, as far as it concerns our user."""
    conf, user = read(folder, "manager.conf"), config.ami.username
    yield address(conf)
    yield closed(conf.files)
    if not conf.has(user):
        yield error("manager-conf", f"there is no [{user}] in manager.conf", "Append manager_ami_bridge.conf to it.")
        return
    for look in OF_USER:
        yield from look(conf, user)


def address(conf: Conf) -> Finding:
    """Judge where the manager interface listens: numbers and names go over it in the clear."""
    bound = conf.last("general", "bindaddr", "0.0.0.0")  # noqa: S104 - Asterisk's own default
    if is_loopback(bound.strip("[]")):
        return ok("ami-address", f"the manager interface listens on {bound} only")
    said = f"the manager interface listens on {bound}, where callers' numbers and our secret pass in the clear"
    remedy = f"Set bindaddr = 127.0.0.1 in [general] {RELOAD}"
    return (warning if conf.yes("general", "tlsenable") else error)("ami-address", said, remedy)


def closed(files: list[Path]) -> Finding:
    """Judge whether only Asterisk's group can read the secrets."""
    open_to_all = [file for file in files if file.stat().st_mode & OTHERS]
    shared = [file for file in open_to_all if SECRET.search(file.read_text("utf-8", errors="replace"))]
    if shared:
        return error("manager-conf", f"{shared[0]} holds secrets and is open to everybody on this machine",
                     f"Run 'chmod o= {shared[0]}'.")
    return ok("manager-conf", "no file of manager.conf that holds secrets is open to others")


def heard(conf: Conf, user: str) -> Iterator[Finding]:
    """Judge the classes that our user hears."""
    classes = {one.strip().lower() for value in conf.all(user, "read") for one in value.split(",")} - {""}
    yield from judged("ami-hears", judge_read(classes), GIVE_READ) or [
        ok("ami-hears", f"our manager user hears what it needs ({', '.join(sorted(classes))}), and no more")]


def patience(conf: Conf, user: str) -> Iterator[Finding]:
    """Judge for how long Asterisk bears with our being slow."""
    text = conf.last(user, "writetimeout", "100")
    milliseconds = int(text) if text.isdecimal() else 0
    if milliseconds >= ENOUGH:
        yield ok("ami-timeout", f"Asterisk waits {milliseconds} ms for us")
    else:
        yield warning("ami-timeout", f"Asterisk cuts the link when we are busy for {text} ms, and events are lost",
                      f"Set writetimeout = 10000 for our user {RELOAD}")


def filters(conf: Conf, user: str) -> Iterator[Finding]:
    """Judge the event filters: those of the old kind can be fooled, those of the new must let through all that we need."""
    keys = [key for key in conf.keys(user) if key.lower().startswith(OLD_KIND + "(")]
    barred = named_in(key for key in keys if EXCLUDES in key.lower())
    chosen = named_in(key for key in keys if EXCLUDES not in key.lower())
    needed = {name.decode() for name in WANTED}
    lacking = sorted(needed - chosen | needed & barred if chosen else needed & barred)
    if conf.all(user, OLD_KIND):
        yield error("ami-filter", "an event filter of the old kind is set: a caller's name can make it drop what we need",
                    f"Take the eventfilter lines of manager_ami_bridge.conf instead, or none {RELOAD}")
    elif lacking:
        yield error("ami-filter", f"the event filters keep {', '.join(lacking)} from us",
                    f"Take all eventfilter lines of manager_ami_bridge.conf {RELOAD}")
    else:
        yield ok("ami-filter", "the event filters let through what we need" if chosen else "there are no event filters")


OF_USER: tuple[Callable[[Conf, str], Iterator[Finding]], ...] = (heard, patience, filters)


def named_in(keys: Iterable[str]) -> set[str]:
    """Return the events that filters of the new kind name."""
    return {found[1] for key in keys for found in NAMED.finditer(key)}
