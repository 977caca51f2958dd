"""Take out of Asterisk's configuration and of systemd what ``init`` put there; recordings, keys and register stay."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from ami_bridge.asterisk.block import BlockDamaged, has_block, without_block
from ami_bridge.config import Config
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.dialplan_globals import FILE_NAME
from ami_bridge.register.engine import address_of, file_of, place_of
from ami_bridge.services import units
from ami_bridge.services.changes import Change, Remove, Write
from ami_bridge.services.exchange_files import FOLDER, is_signed
from ami_bridge.services.install import PRISTINE, SECRETS, default_place, pristine
from ami_bridge.services.machine import Exchange, read
from ami_bridge.services.setup import generated_file
from ami_bridge.services.system_user import USER, leaving

GOSUB = re.compile(r"^[^;]*\b(recorded-call|recorded-callee)\b")
STAYS = """\
What stays, and is yours to destroy:
  recordings   {vault}
  their keys   {keys}   (destroy these, and no recording or backup of one can be opened any more)
  register     {register}
  certificates {certificates}
  trail        {trail}
  diary        {diary}
  settings     {folder}
The user {user} stays: it owns them. As long as they stay, have 'ami-bridge purge' run every night: nothing does it now.
To be rid of all of it:
  {destroy}"""


def plan(file: Path, exchange: Exchange) -> list[Change]:
    """Compute what is to be changed; ConfigurationError when a block is damaged."""
    return [*units.removing(), *_files(exchange, file), *_link(exchange, file),
            *(leaving(exchange.group) if exchange.group != "root" else ())]


def users_of_ours(exchange: Exchange) -> list[str]:
    """Return where the admin's dialplan still calls ours: file and line number, never the line."""
    found = []
    for path in sorted(exchange.folder.rglob("*.conf")):
        if exchange.folder / FOLDER in path.parents or path.name == FILE_NAME or not path.is_file():
            continue
        found += [f"{path}:{number}" for number, line in enumerate(read(path).split("\n"), 1) if GOSUB.match(line)]
    return found


def what_stays(config: Config, file: Path) -> str:
    """Return where everything lies that is not taken away, and how to destroy it."""
    named = (config.vault.directory, config.keys.private, config.keys.recipients, config.certificates.directory,
             config.certificates.key, config.audit.directory, config.audit.key,
             config.accounts.key, config.spool.directory, config.notice.directory, config.cel.file, *_settings(file))
    places = sorted({shlex.quote(str(place)) for place in named if place})
    address = address_of(config.register.url)
    database, held = place_of(address), file_of(address)
    if held:
        places.append(f"{shlex.quote(str(held))}*")
    return STAYS.format(vault=config.vault.directory, keys=config.keys.private or "on another host", register=database,
                        certificates=config.certificates.directory, trail=config.audit.directory,
                        diary=config.cel.file or "none", user=USER,
                        folder=file.absolute().parent, destroy="rm -rf " + " ".join(places))


def _settings(file: Path) -> tuple[Path, ...]:
    """Return what holds the settings: the machine's own folder, or of a folder of the admin's what ``init`` made there."""
    own = file.absolute()
    made = (own, own.parent / SECRETS, own.parent / PRISTINE, generated_file(own))
    return (own.parent,) if default_place(own) else made


def _files(exchange: Exchange, file: Path) -> Iterator[Change]:
    for path in sorted({path.resolve() for path in exchange.folder.glob("*.conf") if path.is_file()}):
        text = read(path)
        if has_block(text):
            yield from _taken_out(path, text, pristine(file, path))
    ours = exchange.folder / FOLDER
    if ours.is_dir():
        yield from (Remove(path, True) for path in sorted(ours.iterdir()) if path.is_file() and is_signed(read(path)))
    yield from _copies(file)


def _taken_out(path: Path, text: str, copy: Path) -> Iterator[Change]:
    try:
        after = without_block(text)
    except BlockDamaged as error:
        raise ConfigurationError(f"the block of ami-bridge in {path} is damaged: {error}",
                                 f"Take it out by hand; {copy} is the file as it was.") from None
    yield Remove(path) if not after and not copy.exists() else Write(path=path, before=text, after=after)


def _copies(file: Path) -> Iterator[Change]:
    folder = file.absolute().parent / PRISTINE
    if folder.is_dir():
        yield from (Remove(path, True) for path in sorted(folder.iterdir()))


def _link(exchange: Exchange, file: Path) -> Iterator[Change]:
    path = exchange.folder / FILE_NAME
    if path.is_symlink() and path.readlink() == generated_file(file):
        yield Remove(path)
