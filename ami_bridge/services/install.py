"""Install on a machine with an Asterisk: all that an admin would do by hand, as changes that can be shown first."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ami_bridge.asterisk.block import BlockDamaged, with_block
from ami_bridge.asterisk.conf import included, is_true, values
from ami_bridge.config import DEFAULT_PATH, Config, load
from ami_bridge.config.loading import from_environment, merged
from ami_bridge.config.problems import sentences
from ami_bridge.config.template import template
from ami_bridge.core.errors import ConfigurationError, RegisterError
from ami_bridge.dialplan_globals import FILE_NAME, render
from ami_bridge.prompts import shipped_texts
from ami_bridge.services import units
from ami_bridge.services.changes import Change, Deed, Rights, Write, folder, link
from ami_bridge.services.exchange_files import FOLDER, LOOPBACK, Wanted, signed, untouched, wanted
from ami_bridge.services.machine import Exchange, expanded, read
from ami_bridge.services.notices import store
from ami_bridge.services.setup import DIALPLAN_FOLDER, exchange_name, generated_file, new_secret, process_program
from ami_bridge.services.system_user import HOME, USER, joining
from ami_bridge.spool import Spool

SECRETS, PRISTINE = "secrets", "pristine"
DIARY = "cel-custom/ami_bridge.csv"
PRIVATE = 0o640


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be changed, in order: ``before`` our own side is set up, and ``after``. ``remarks`` for the admin."""

    config: Config
    before: tuple[Change, ...]
    after: tuple[Change, ...]
    remarks: tuple[str, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return all changes."""
        return self.before + self.after


def plan(file: Path, exchange: Exchange, name: str = "") -> Plan:
    """Compute what is to be changed, and change nothing.

    ``name``: the exchange's, for a new configuration. ConfigurationError when something stands in the way.
    """
    group = USER if exchange.group == "root" else exchange.group
    config, configuration = _configuration(file, exchange, name)
    asked = wanted(config, exchange.version, lambda name: expanded(exchange.folder, name), _snippet)
    rights = Rights("root", group, PRIVATE)
    before = (*joining(group), *_folders(config, file, group, exchange), *configuration,
              *_generated(config, file, rights))
    there = exchange.folder / FILE_NAME
    copied = there.exists() and not there.is_symlink()
    after = (*_exchange_files(asked, exchange, file, rights), *(() if copied else link(there, generated_file(file))),
             *units.installing(config, exchange.unit, group))
    remarks = [*asked.remarks, *_edited(asked, exchange), *units.changed_by_hand(), *filter(None, [units.hidden_program()])]
    if copied:
        remarks.append(f"{there} is a file, not a link: left so; write it anew after each change of routes.")
    return Plan(config=config, before=before, after=after, remarks=tuple(remarks))


def admins_file(exchange: Exchange, name: str) -> Path:
    """Return the file that takes our block; links are followed.

    Where a front end makes the file anew, it is the one that it includes for the admin's own lines, ``..._custom.conf``.
    """
    custom = exchange.folder / name.replace(".conf", "_custom.conf")
    path = exchange.folder / name
    includes = {included(line) for line in read(path).split("\n")} if path.is_file() else set()
    if name != "cel.conf" and custom.name in includes and custom.is_file():
        path = custom
    return path.resolve()


def pristine(file: Path, of: Path) -> Path:
    """Return where the copy of an admin's file lies, as it was before it was first changed."""
    return file.absolute().parent / PRISTINE / str(of).strip("/").replace("/", "%")


def _configuration(file: Path, exchange: Exchange, name: str) -> tuple[Config, list[Change]]:
    """The configuration that is there; else a new one, with its secrets in files of their own."""
    if file.exists():
        return load(file), []
    secrets = {section: new_secret() for section in ("ami", "agi")}
    chosen = _values(file, exchange, name)
    text = template(chosen)
    rights = Rights("root", USER, PRIVATE)
    writes: list[Change] = [
        Write(path=file.parent / SECRETS / section, before=None, after=secret + "\n", rights=rights, secret=True)
        for section, secret in secrets.items()]
    return _drafted(text, secrets), [*writes, Write(path=file, before=None, after=text, rights=rights)]


def _drafted(text: str, secrets: Mapping[str, str]) -> Config:
    """The configuration that a text will be when its secrets are in their files."""
    content: dict[str, Any] = merged(tomllib.loads(text), from_environment(os.environ))
    for section, secret in secrets.items():
        del content[section]["secret_file"]
        content[section]["secret"] = secret
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError("what was found out makes no configuration: " + "; ".join(sentences(error, content, set())),
                                 "Say it otherwise: --name, --asterisk.") from None
    named = {section: tomllib.loads(text)[section]["secret_file"] for section in secrets}
    return config.model_copy(update={section: getattr(config, section).model_copy(update={"secret_file": Path(path)})
                                     for section, path in named.items()})


def _values(file: Path, exchange: Exchange, name: str) -> dict[str, dict[str, str | int]]:
    """What a new configuration says beyond the defaults: what was found out about this machine."""
    general = values(expanded(exchange.folder, "manager.conf"), "general")
    found: dict[str, dict[str, str | int]] = {
        "exchange": {"name": name or exchange.systemname or exchange_name(os.uname().nodename)},
        "ami": {"secret_file": str(file.absolute().parent / SECRETS / "ami")},
        "agi": {"secret_file": str(file.absolute().parent / SECRETS / "agi"), **process_program()}}
    if general.get("port", "5038") != "5038" and general["port"].isdigit():
        found["ami"]["port"] = int(general["port"])
    address = general.get("bindaddr", "")
    on = is_true(general.get("enabled", "no"))
    if on and address and address not in (*LOOPBACK, "0.0.0.0", "::"):  # noqa: S104 - what the admin's AMI is bound to
        found["ami"]["host"] = address
    if exchange.folder != Path("/etc/asterisk"):
        found["exchange"]["configuration"] = str(exchange.folder)
    if exchange.logs != Path("/var/log/asterisk"):
        found["cel"] = {"file": str(exchange.logs / DIARY)}
    return found


def _folders(config: Config, file: Path, group: str, exchange: Exchange) -> Iterator[Change]:
    ours = file.absolute().parent
    yield from folder(ours, Rights("root", USER, 0o751))
    yield from folder(ours / SECRETS, Rights("root", USER, 0o750))
    yield from folder(ours / PRISTINE, Rights("root", "root", 0o700))
    yield from folder(HOME, Rights(USER, USER, 0o2751))
    yield from folder(config.notice.directory, Rights(USER, group, 0o2750))
    if config.spool.directory.parent.name == USER:
        yield from folder(config.spool.directory.parent, Rights(USER, USER, 0o711))
    yield from folder(config.spool.directory, Rights(USER, group, 0o2770))
    if config.cel.file and not config.cel.file.parent.is_dir():
        yield from folder(config.cel.file.parent, Rights(exchange.user, group, 0o2770))


def _generated(config: Config, file: Path, rights: Rights) -> Iterator[Write]:
    path, text = generated_file(file), render(config)
    before = read(path) if path.exists() else None
    if before != text or not rights.of(path):
        yield Write(path=path, before=before, after=text, rights=rights)


def _exchange_files(asked: Wanted, exchange: Exchange, file: Path, rights: Rights) -> Iterator[Change]:
    ours = exchange.folder / FOLDER
    yield from folder(ours, Rights("root", rights.group, 0o750))
    for name, text in asked.own.items():
        path, wanted_text = ours / name, signed(text)
        before = read(path) if path.exists() else None
        if before is None or (untouched(before) and before != wanted_text):
            yield Write(path=path, before=before, after=wanted_text, rights=rights)
    for name, lines in asked.blocks.items():
        yield from _block(admins_file(exchange, name), lines, file, rights)


def _block(path: Path, lines: list[str], file: Path, rights: Rights) -> Iterator[Change]:
    before = read(path) if path.exists() else None
    try:
        after = with_block(before or "", lines)
    except BlockDamaged as error:
        raise ConfigurationError(f"the block of ami-bridge in {path} is damaged: {error}",
                                 f"Take it out by hand; {pristine(file, path)} is the file as it was.") from None
    if before == after:
        return
    copy = pristine(file, path)
    if before is not None and not copy.exists():
        keep = Write(path=copy, before=None, after=before, rights=Rights("root", "root", 0o600))
        yield Deed(f"Keep a copy of {path}", f"Kept a copy of {path}", keep.carry_out)
    yield Write(path=path, before=before, after=after, rights=rights if before is None else None)


def _edited(asked: Wanted, exchange: Exchange) -> Iterator[str]:
    for name in asked.own:
        path = exchange.folder / FOLDER / name
        if path.exists() and not untouched(read(path)):
            yield f"{path} was changed by hand: left so. Remove it and run init again to have it anew."


def _snippet(name: str) -> str:
    return (DIALPLAN_FOLDER / name).read_text("utf-8")


def unmade(config: Config) -> Iterator[str]:
    """Yield what setting up our own side would make, in words."""
    wanted_places = {"the spool": config.spool.directory / "tickets", "the vault": config.vault.directory,
                     "the keys": config.keys.recipients, "the key that signs certificates": config.certificates.key,
                     "the key that signs the trail": config.audit.key,
                     "the key that seals one-time codes": config.accounts.key,
                     "the folder of the prompts": config.notice.directory}
    yield from (f"Make {what} {place}" for what, place in wanted_places.items() if not place.exists())
    if not register_exists(config):
        yield "Make the register"
    if missing_prompts(config):
        yield "Speak the notices that come with ami-bridge, in each language that lacks one"
    if not Spool(config.spool.directory).policy.exists():
        yield "Publish the notice policy"


def register_exists(config: Config) -> bool:
    """Tell whether the register is there, whatever its version."""
    from ami_bridge.register import Register
    from ami_bridge.register.engine import address_of, file_of

    try:
        Register.open(config.register.url).close()
    except RegisterError:
        file = file_of(address_of(config.register.url))
        return file is not None and file.exists()
    return True


def missing_prompts(config: Config) -> bool:
    """Tell whether a notice that comes with ami-bridge is missing in a configured language."""
    there = {(prompt.name, prompt.language) for prompt in store(config).current()}
    return any(key not in there and key[1] in config.notice.languages for key in shipped_texts())


def default_place(file: Path) -> bool:
    """Tell whether a configuration is the machine's own, not one of a trial."""
    return file.absolute() == DEFAULT_PATH

