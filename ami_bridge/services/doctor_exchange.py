"""The doctor's look at the exchange and at the daemon that answers it: real connections, briefly."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

from ami_bridge.asterisk.ami import AmiSettings
from ami_bridge.asterisk.examining import examined
from ami_bridge.config import Config
from ami_bridge.core.agi import quote
from ami_bridge.core.versions import loses_second_voice
from ami_bridge.services import doctor_dialplan, doctor_manager, doctor_versions
from ami_bridge.services.findings import Finding, error, ok, warning

PATIENCE = 3.0


def manager(config: Config) -> Iterator[Finding]:
    """Look whether our manager user may log in, and whether it is the exchange that the configuration names."""
    ami = config.ami
    try:
        socket.create_connection((ami.host, ami.port), PATIENCE).close()
    except OSError as problem:
        yield error("ami", f"the manager port {ami.port} of {ami.host} does not answer ({problem.strerror or 'no answer'})",
                    "Start Asterisk; in manager.conf set enabled = yes and the same port.")
        return
    wanted = doctor_dialplan.globals_wanted(config)
    seen = asyncio.run(examined(settings_of(config, "user"), doctor_dialplan.CONTEXTS, wanted))
    yield ok("ami", f"{ami.username} may log in at {ami.host}:{ami.port}")
    if seen.version:
        yield named(seen.name, config.exchange.name)
        yield hears_everybody(seen.version)
        yield from doctor_versions.known(seen.version, datetime.now(UTC).date())
    yield steers(seen.may_mute)
    yield from doctor_manager.rights(seen.actions)
    yield from doctor_manager.events(seen.hears, seen.timestamped)
    yield from doctor_dialplan.loaded(seen, wanted)


def settings_of(config: Config, events: str) -> AmiSettings:
    """Return how the doctor logs in: as the daemon does, with less patience. ``events``: the classes to hear."""
    ami = config.ami
    return AmiSettings(host=ami.host, port=ami.port, username=ami.username, secret=ami.secret.get_secret_value(),
                       events=events, connect_patience=PATIENCE, action_patience=PATIENCE)


def steers(may_act: bool) -> Finding:
    """Judge whether recordings in progress can be silenced and begun anew."""
    if may_act:
        return ok("steering", "our manager user may silence recordings")
    return warning("steering", "our manager user may not act on calls: no recording can be paused, and whoever was not "
                   "told is recorded", "Give it write = reporting,call,user in manager.conf, then 'manager reload'.")


def named(system: str, configured: str) -> Finding:
    """Judge the exchange's own name against the configured one."""
    if system == configured:
        return ok("exchange", f"its name is {configured}")
    said = f"its name is {system}" if system else "it has no name"
    return error("exchange", f"{said}, but [exchange] name is {configured}",
                 f"Set systemname = {configured} in asterisk.conf and restart Asterisk, or correct [exchange] name.")


def hears_everybody(version: str) -> Finding:
    """Judge Asterisk's version by the known defect of Debian's builds."""
    if loses_second_voice(version):
        return warning("asterisk", f"{version} is a Debian build that drops voices after a transfer: recordings begin anew "
                       "for each new agent, a third of a second is lost; parties with two codecs may not hear each other",
                       "Use a build without Debian's patch 2016_opus_plc.")
    return ok("asterisk", f"version {version}")


def fastagi(config: Config) -> Iterator[Finding]:
    """Look whether our daemon answers the dialplan: asks it what an outbound call asks first."""
    agi = config.agi
    host = "127.0.0.1" if agi.host == "0.0.0.0" else agi.host  # noqa: S104 - what to connect to, not to bind
    request = f"agi_network: yes\nagi_network_script: ready\nagi_arg_1: {agi.secret.get_secret_value()}\n\n"
    try:
        with socket.create_connection((host, agi.port), PATIENCE) as line:
            line.settimeout(PATIENCE)
            line.sendall(request.encode())
            answered = line.recv(256).startswith(b"EXEC " + quote("MSet").encode())
            line.sendall(b"200 result=0\n")
    except TimeoutError:
        answered = False
    except ConnectionRefusedError:
        yield error("fastagi", f"nobody listens on {host}:{agi.port}", "Start the daemon: systemctl start ami-bridge")
        return
    except OSError as problem:
        yield error("fastagi", f"{host}:{agi.port} does not answer ({problem.strerror})", "See [agi] host and port.")
        return
    if answered:
        yield ok("fastagi", f"the daemon answers on {host}:{agi.port}")
    else:
        yield error("fastagi", f"what listens on {host}:{agi.port} is not our daemon, or has another secret",
                    "Restart the daemon; see [agi] port and secret.")
