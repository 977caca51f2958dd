"""What Asterisk's configuration must say for us: files of our own, and one marked block in each of the admin's. Pure.

Where a value of the admin's contradicts, it stays, and a remark says so.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from ami_bridge.asterisk.conf import is_true, of_text, section_line, values
from ami_bridge.config import Config
from ami_bridge.core.versions import filters_by_name

FOLDER = "ami-bridge"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CONTEXT = "recorded-call"
Texts = Callable[[str], str]
"""The text of an admin's file by its name, with its includes, without ours; empty when there is no such file."""

Snippets = Callable[[str], str]
"""The text of a file of the dialplan folder by its name."""


@dataclass(slots=True)
class Wanted:
    """``blocks``: file of the admin's -> lines of our block. ``own``: file in our folder -> text. ``remarks``: sentences."""

    blocks: dict[str, list[str]] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def include(self, file: str, text: str) -> None:
        """Want a file of our own, and that the admin's file of the same name includes it."""
        self.own[file] = text
        self.blocks[file] = [f'#include "{FOLDER}/{file}"']


def wanted(config: Config, version: str, texts: Texts, snippets: Snippets) -> Wanted:
    """Return all that Asterisk's configuration must say."""
    found = Wanted()
    _name(found, config, texts("asterisk.conf"))
    _manager(found, config, version, texts("manager.conf"), snippets("manager_ami_bridge.conf"))
    _dialplan(found, texts("extensions.conf"), snippets("extensions_recording.conf"))
    _features(found, texts("features.conf"), snippets("features_ami_bridge.conf"))
    _diary(found, texts("cel.conf"), snippets("cel_ami_bridge.conf"))
    _columns(found, texts("cel_custom.conf"), snippets("cel_custom_ami_bridge.conf"))
    _records(found, texts("cdr.conf"))
    return found


def signed(text: str, sign: str = ";") -> str:
    """Return a file of ours with a first line by which ``untouched`` knows whether anybody changed it since."""
    return (f"{sign} Made by ami-bridge init, which writes it anew while nobody has changed it. Sum: "
            f"{_sum(text)}\n{text}")


def is_signed(text: str) -> bool:
    """Tell whether a file was made by ``init``, changed since or not."""
    return bool(_SIGNED.match(text))


def untouched(text: str) -> bool:
    """Tell whether a file made by ``init`` is as it was made."""
    found = _SIGNED.match(text)
    return bool(found) and found[1] == _sum(text.partition("\n")[2])  # type: ignore[index]


_SIGNED = re.compile(r". Made by ami-bridge init, .* Sum: ([0-9a-f]{16})\n")


def _sum(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _name(found: Wanted, config: Config, text: str) -> None:
    options, name = values(text, "options"), config.exchange.name
    if is_true(options.get("autosystemname", "no")) and "systemname" not in options:
        return
    there = options.get("systemname", "")
    if not there:
        found.blocks["asterisk.conf"] = [section_line(text, "options"), f"systemname = {name}"]
    elif there != name:
        found.remarks.append(f"asterisk.conf calls this exchange {there}, [exchange] name calls it {name}: make them equal.")


def _manager(found: Wanted, config: Config, version: str, text: str, snippet: str) -> None:
    user = config.ami.username
    if of_text(text).has(user):
        found.remarks.append(f"manager.conf has a user [{user}] already: it was left as it is, and must have the rights and "
                             "the secret of ours.")
        return
    general = list(_manager_general(found, values(text, "general")))
    lines = [section_line(text, "general"), *general, ""] if general else []
    found.include("manager.conf", "\n".join([*lines, manager_user(config, version, snippet)]))


def _manager_general(found: Wanted, there: dict[str, str]) -> Iterator[str]:
    address = there.get("bindaddr", "")
    if not is_true(there.get("enabled", "no")):
        yield from ("enabled = yes", "bindaddr = 127.0.0.1")
        if address and address not in LOOPBACK:
            found.remarks.append(f"manager.conf was off, with bindaddr = {address}: it is on now, at 127.0.0.1 only.")
    elif address not in LOOPBACK:
        found.remarks.append(f"manager.conf listens at {address or 'every address'}: left so; our user may come from this "
                             "machine only.")
    if "timestampevents" not in there:
        yield "timestampevents = yes"
    elif not is_true(there["timestampevents"]):
        found.remarks.append("manager.conf says timestampevents = no: left so; the times of events are then those at which "
                             "they were heard.")


def manager_user(config: Config, version: str, snippet: str) -> str:
    """Return our section of manager.conf: the shipped rights with the configured name, secret and address."""
    lines = snippet[snippet.index("[ami-bridge]"):].splitlines()
    if not filters_by_name(version):
        lines = [line for line in lines if not line.startswith((";", "eventfilter"))]
    lines[0] = f"[{config.ami.username}]"
    text = "\n".join(lines) + "\n"
    text = text.replace("CHANGE-ME", config.ami.secret.get_secret_value())
    if config.ami.host not in LOOPBACK:
        text = text.replace("permit = 127.0.0.1/255.255.255.255", f"permit = {config.ami.host}/255.255.255.255")
    return text


def _dialplan(found: Wanted, text: str, snippet: str) -> None:
    if of_text(text).has(CONTEXT):
        found.remarks.append(f"The dialplan has a context [{CONTEXT}] already: it was left as it is.")
    else:
        found.own["extensions_recording.conf"] = snippet
        found.blocks["extensions.conf"] = [f'#include "{FOLDER}/extensions_recording.conf"']


def _features(found: Wanted, text: str, snippet: str) -> None:
    taken = {value.partition(",")[0]: key for section in ("featuremap", "applicationmap")
             for key, value in values(text, section).items()}
    lines = []
    for key, value in values(snippet, "applicationmap").items():
        pressed = value.partition(",")[0]
        if key in taken.values():
            found.remarks.append(f"features.conf has {key} already: it was left as it is.")
        elif pressed in taken:
            found.remarks.append(f"features.conf gives the key {pressed} to {taken[pressed]}: ours, {key}, was left out. "
                                 "Give it another key in [applicationmap].")
        else:
            lines.append(f"{key} => {value}")
    if lines:
        found.include("features.conf", "\n".join([section_line(text, "applicationmap"), *lines, ""]))


def _diary(found: Wanted, text: str, snippet: str) -> None:
    there, ours = values(text, "general"), values(snippet, "general")
    if "enable" in there and not is_true(there["enable"]):
        found.remarks.append("cel.conf says enable = no: left so; what happens while the daemon is away then stays unknown.")
        del ours["enable"]
    if there.get("dateformat"):
        found.remarks.append("cel.conf sets dateformat: left so; the daemon reads seconds since 1970, which is what "
                             "Asterisk writes without it.")
    lines = [f"{key} = {value}" for key, value in ours.items()]
    found.include("cel.conf", "\n".join([section_line(text, "general"), *lines, ""]))


def _columns(found: Wanted, text: str, snippet: str) -> None:
    ((file, columns),) = values(snippet, "mappings").items()
    if file in values(text, "mappings"):
        found.remarks.append(f"cel_custom.conf writes {file} already: it was left as it is.")
    else:
        found.include("cel_custom.conf", "\n".join([section_line(text, "mappings"), f"{file} => {columns}", ""]))


def _records(found: Wanted, text: str) -> None:
    if is_true(values(text, "general").get("batch", "no")):
        found.remarks.append("cdr.conf says batch = yes: left so; what waits in memory is lost when Asterisk is killed.")
