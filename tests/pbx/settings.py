"""What one instance of Asterisk is configured with, and the files that say so."""

import random
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

CONF = Path(__file__).parent / "conf"
AGENTS = ("6001", "6002", "6003")
PBX_HOST, TRUNK_HOST, AGENT_CALLING_HOST = "127.0.0.1", "127.0.0.2", "127.0.0.3"
# left empty, because Asterisk logs an error for each one that is missing
UNUSED_CONF = ("acl.conf", "ccss.conf", "geolocation.conf", "pjproject.conf", "statsd.conf", "udptl.conf")
RTP_PORTS = 4000  # two for each channel, two channels for each call: 1000 calls at once

Address = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The loopback ports of one instance."""

    sip: int
    ami: int
    trunk: int
    agents: Mapping[str, int]
    rtp_first: int

    @classmethod
    def free(cls) -> "Ports":
        """Ports nobody holds now. RTP ranges may overlap: Asterisk passes over a port in use."""
        sip, trunk, *agents = (free_port(socket.SOCK_DGRAM) for _ in range(2 + len(AGENTS)))
        return cls(sip=sip, ami=free_port(socket.SOCK_STREAM), trunk=trunk,
                   agents=dict(zip(AGENTS, agents, strict=True)), rtp_first=random.randrange(10_000, 28_000, 500))


def free_media_ports(host: str, count: int) -> int:
    """The first of so many UDP ports in a row, even, that nobody holds at `host` now; above what Asterisk takes for its own."""
    while True:
        first = random.randrange(33_000, 60_000, count)
        try:
            with ExitStack() as stack:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((host, port))
        except OSError:
            continue
        return first


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The admin's choices for one instance.

    `dialplan` is text for extensions.conf after `includes`, each file of which is #included by its path; `globals`
    become global dialplan variables. `codecs` is an allow= line, `ami_write` the write classes of the AMI user `bridge`.
    `more` is text to add at the end of files, by their names ("queues.conf").
    """

    dialplan: str
    includes: Sequence[Path] = ()
    globals: Mapping[str, str] = field(default_factory=dict)
    codecs: str = "alaw,ulaw"
    ami_write: str = "reporting,call"
    more: Mapping[str, str] = field(default_factory=dict)
    systemname: str = "pbxtest"
    secret: str = field(default_factory=lambda: secrets.token_hex(12))


def write_configuration(home: Path, run: Path, root: Path, settings: Settings, ports: Ports) -> Path:
    """Write a complete configuration into `home`/etc and return that folder."""
    etc = home / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    modules = _modules_folder(root)
    values = {
        "HOME": home, "REPOSITORY": Path(__file__).resolve().parents[2], "ETC": etc, "RUN": run, "LOGS": home / "log", "MODULES": "/" + str(modules.relative_to(root)),
        "SYSTEMNAME": settings.systemname, "SECRET": settings.secret, "AMI_WRITE": settings.ami_write,
        "CODECS": settings.codecs, "SIP_PORT": ports.sip, "AMI_PORT": ports.ami, "TRUNK_PORT": ports.trunk,
        "RTP_FIRST": ports.rtp_first, "RTP_LAST": ports.rtp_first + RTP_PORTS - 1,
        **{f"PORT_{agent}": port for agent, port in ports.agents.items()},
    }
    for source in CONF.glob("*.conf"):
        _write(etc / source.name, Template(source.read_text()).substitute(values) + settings.more.get(source.name, ""))
    for name in UNUSED_CONF:
        _write(etc / name, "")
    _write(etc / "modules.conf", _modules_conf(modules))
    _write(etc / "extensions.conf", extensions_conf(settings))
    return etc


def extensions_conf(settings: Settings) -> str:
    """The text of extensions.conf: globals, then the includes, then the admin's own contexts."""
    lines = ["[general]", "static = yes", "writeprotect = yes", "", "[globals]"]
    lines += [f"{name} = {value}" for name, value in settings.globals.items()]
    lines += ["", *(f'#include "{path.resolve()}"' for path in settings.includes), "", settings.dialplan, ""]
    return "\n".join(lines)


def _modules_folder(root: Path) -> Path:
    return next(path.parent for path in root.glob("usr/lib/**/app_dial.so"))


def _modules_conf(folder: Path) -> str:
    wanted = [line for line in (CONF / "modules.txt").read_text().splitlines() if not line.startswith("#")]
    present = [name for name in " ".join(wanted).split() if (folder / f"{name}.so").exists()]
    return "\n".join(["[modules]", "autoload = no", *(f"load = {name}.so" for name in present), ""])


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o640)
