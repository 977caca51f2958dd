"""Set up a machine: each thing is made where it is not there yet, so that doing it again changes nothing."""

import re
import secrets
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ami_bridge.certificates import Certificates
from ami_bridge.config import Config
from ami_bridge.config.kinds import plain_path
from ami_bridge.config.template import template
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.credentials import Codes
from ami_bridge.dialplan_globals import FILE_NAME, render
from ami_bridge.heads import Heads
from ami_bridge.services.keys import make_ahead
from ami_bridge.services.notices import publish, speak_shipped
from ami_bridge.spool import Spool, write_durably
from ami_bridge.vault import KeyStore, Vault

SECRET_BYTES = 32
DIALPLAN_PLACES = (Path(__file__).parents[2] / "dialplan", Path(sysconfig.get_path("data")) / "share/ami-bridge/dialplan")
DIALPLAN_FOLDER = next((place for place in DIALPLAN_PLACES if (place / "extensions_recording.conf").is_file()),
                       DIALPLAN_PLACES[-1])
"""What Asterisk runs and merges: in a checkout, else where the wheel put it."""

NEXT = """\
What is left for you, in Asterisk's configuration folder:
  1. asterisk.conf, [options]:   systemname = {exchange}
  2. manager.conf:               append {dialplan}/manager_ami_bridge.conf
                                 with the user [{username}]; its secret stands in {file}, [ami]
  3. extensions.conf:            #include {dialplan}/extensions_recording.conf
     which includes {generated}: link or copy it into Asterisk's configuration folder
  4. before the Dial() or Queue() of each entry point, one line:
       same => n,Gosub(recorded-call,s,1(inbound))            calls from outside
       same => n,Gosub(recorded-call,s,1(inbound,support))    calls from outside to the queue "support"
       same => n,Gosub(recorded-call,s,1(internal))           calls between extensions
       same => n,Gosub(recorded-call,s,1(outbound))           calls to outside; add U(recorded-callee) to their Dial()
  5. cel.conf, cel_custom.conf:   merge {dialplan}/cel_ami_bridge.conf and cel_custom_ami_bridge.conf;
                                 let the daemon's user read {diary}
  6. features.conf:              merge {dialplan}/features_ami_bridge.conf: the keys to pause, to ask for a recording,
                                 and the daemon's own
  7. asterisk -rx 'core restart when convenient', then start ami-bridge and ask: ami-bridge doctor
Asterisk must be able to read {generated} and the prompts, and to write the spool's folders live and legs."""


def write_configuration(file: Path, directory: Path | None, name: str = "") -> Iterator[str]:
    """Write a new configuration with fresh secrets where there is none; yield what was made."""
    if file.exists():
        return
    values: dict[str, dict[str, str | int]] = {
        "exchange": {"name": name or exchange_name(socket.gethostname())}, "ami": {"secret": new_secret()},
        "agi": {"secret": new_secret(), **process_program()}, **_places(directory)}
    try:
        file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        write_durably(file, template(values).encode())
    except OSError as error:
        raise ConfigurationError(f"the configuration {file} cannot be written ({error.strerror})",
                                 "Choose another place with --config, or run as root.") from None
    yield f"Wrote the configuration {file}"


def set_up(config: Config, file: Path, now: datetime) -> Iterator[str]:
    """Make what the configuration names and is not there; yield what was made, as it is made."""
    yield from _folders(config)
    yield from _keys(config, now)
    yield from _register(config)
    if write_dialplan(config, file):
        yield f"Wrote the generated dialplan {generated_file(file)}"
    with tempfile.TemporaryDirectory() as scratch:
        for prompt in speak_shipped(config, Path(scratch), now):
            yield f"Spoke the notice {prompt.name} in {prompt.language}; replace it with 'ami-bridge notice add'"
    if publish(config):
        yield f"Published the notice policy in {config.spool.directory}"


def generated_file(file: Path) -> Path:
    """Return where the generated dialplan lies: beside the configuration."""
    return file.absolute().parent / FILE_NAME


def write_dialplan(config: Config, file: Path) -> bool:
    """Write the generated dialplan; False when it was so already."""
    path, content = generated_file(file), render(config).encode()
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        write_durably(path, content)
    except OSError as error:
        raise ConfigurationError(f"the generated dialplan {path} cannot be written ({error.strerror})",
                                 "Run it as a user who may, or print it with 'ami-bridge dialplan'.") from None
    return True


def next_steps(config: Config, file: Path) -> str:
    """Return what the admin does next. It names where secrets stand, never a secret."""
    return NEXT.format(exchange=config.exchange.name, username=config.ami.username, file=file.absolute(),
                       dialplan=DIALPLAN_FOLDER, diary=config.cel.file,
                       generated=generated_file(file))


def exchange_name(host: str) -> str:
    """Return a name for the exchange made of the machine's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", host)[:64] or "pbx"


def new_secret() -> str:
    """Return a fresh secret of 32 random bytes."""
    return secrets.token_urlsafe(SECRET_BYTES)


def _folders(config: Config) -> Iterator[str]:
    spool, prompts = Spool(config.spool.directory), config.notice.directory
    keys = KeyStore(config.keys.recipients, config.keys.private)
    vault = Vault(config.vault.directory, keys)
    if not (spool.tickets.is_dir() and spool.live.is_dir()):
        spool.create()
        yield f"Made the spool {spool.root}"
    try:
        if not vault.root.is_dir():
            vault.create()
            yield f"Made the vault {vault.root}"
        if not keys.recipients.is_dir():
            keys.create()
            yield f"Made the key folders {keys.recipients}" + (f" and {keys.private}" if keys.private else "")
        if not prompts.is_dir():
            prompts.mkdir(mode=0o755, parents=True)
            yield f"Made the prompt folder {prompts}"
    except OSError as error:
        raise ConfigurationError(f"the folder {error.filename} cannot be made ({error.strerror})",
                                 "Check [vault], [keys] and [notice] and who may write there.") from None


def _keys(config: Config, now: datetime) -> Iterator[str]:
    store = KeyStore(config.keys.recipients, config.keys.private)
    if store.private:
        made = make_ahead(store, now.date(), config.retention.days, config.keys.ahead)
        if made:
            yield f"Made {len(made)} keys, for the days of expiry until {made[-1]}"
    certificates = Certificates(config.certificates.directory, config.certificates.key)
    if not config.certificates.key.exists():
        certificates.create()
        yield f"Made the key that signs certificates of destruction, {config.certificates.key}"
    if not config.audit.key.exists():
        Heads(config.audit.directory, config.audit.key).create()
        yield f"Made the key that signs the trail, {config.audit.key}"
    if not config.accounts.key.exists():
        Codes(config.accounts.key).create()
        yield f"Made the key that seals one-time codes, {config.accounts.key}"


def _register(config: Config) -> Iterator[str]:
    """Make the register where there is none. An older one is refused: only 'register upgrade' changes it."""
    from ami_bridge.register import Register, upgrading

    if upgrading.plan(config.register.url).found is not None:
        Register.open(config.register.url).close()
        return
    register = Register.create(config.register.url)
    register.close()
    yield f"Made the register {register.place}"


def _places(directory: Path | None) -> dict[str, dict[str, str | int]]:
    if directory is None:
        return {}
    try:
        root = plain_path(directory.absolute())
    except ValueError as error:
        raise ConfigurationError(f"--directory {error}") from None
    return {"spool": {"directory": str(root / "spool")}, "vault": {"directory": str(root / "vault")},
            "register": {"url": f"sqlite:///{root / 'register.db'}"}, "notice": {"directory": str(root / "prompts")},
            "keys": {"recipients": str(root / "recipients"), "private": str(root / "keys")},
            "certificates": {"directory": str(root / "certificates"), "key": str(root / "certificate.key")},
            "audit": {"directory": str(root / "audit"), "key": str(root / "audit.key")},
            "accounts": {"key": str(root / "accounts.key")}}


def process_program() -> dict[str, str]:
    """Return where this installation keeps the process AGI; nothing where the default must do."""
    program = Path(sys.executable).parent / "ami-bridge-agi"
    return {"process": str(program)} if program.exists() and re.fullmatch(r"/[A-Za-z0-9_./-]+", str(program)) else {}
