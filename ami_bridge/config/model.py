"""Every setting, described once. The reference in ``docs/reference.md`` is made from this file."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from ami_bridge.config import kinds
from ami_bridge.core.notice import OnFailure, Route
from ami_bridge.core.parties import Direction


class Section(BaseModel):
    """A part of the configuration: frozen, exact about types, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True,
                              hide_input_in_errors=True)


class WithSecret(Section):
    """A part that holds a secret, given in place or as the path of a file that holds nothing else."""

    @model_validator(mode="before")
    @classmethod
    def _take_from_file(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "secret_file" not in values:
            return values
        if "secret" in values:
            raise ValueError("give either secret or secret_file, not both")
        return values | {"secret": _file_text(values["secret_file"])}


class Exchange(Section):
    """The telephone exchange whose calls are kept."""

    name: kinds.ExchangeName = Field(
        description="Its name in the register. Must equal `systemname` in asterisk.conf.")


class Controller(Section):
    """Who answers for the recordings."""

    name: str = Field("", description="The organisation, as callers know it.")
    time_zone: kinds.Zone = Field(
        "Europe/Helsinki", description="Times on screen and dates in commands are of this zone. Kept are UTC times.")

    @property
    def zone(self) -> ZoneInfo:
        """Return the controller's time zone."""
        return ZoneInfo(self.time_zone)


class Ami(WithSecret):
    """The manager interface of Asterisk, where the daemon learns what happens to a call."""

    host: kinds.Host = Field("127.0.0.1", description="Address of the manager interface.")
    port: kinds.Port = Field(5038, description="Its TCP port, 1 to 65535.")
    username: kinds.UserName = Field("ami-bridge", description="Our user in manager.conf.")
    secret: kinds.AmiSecret = Field(description="The user's secret.")
    secret_file: kinds.PlainPath | None = Field(None, description="Instead of `secret`: a file that holds it.")
    keepalive: int = Field(5, ge=1, le=600, description="Seconds between two pings, 1 to 600.")


class Agi(WithSecret):
    """Where the dialplan asks what to do with a call."""

    host: kinds.Host = Field("127.0.0.1", description="Address on which the daemon answers FastAGI.")
    port: kinds.Port = Field(4573, description="Its TCP port, 1 to 65535.")
    secret: kinds.AgiSecret = Field(
        description="Shared with the dialplan: 16 to 128 letters, digits, `_` and `-`.")
    secret_file: kinds.PlainPath | None = Field(None, description="Instead of `secret`: a file that holds it.")
    process: kinds.PlainPath = Field(
        Path("/opt/ami-bridge/bin/ami-bridge-agi"),
        description="The program that the dialplan starts when the daemon does not answer.")
    processes: int = Field(10, ge=0, le=1000, description=(
        "How many of these may run at once, 0 to 1000; beyond, the route's `on_failure` applies at once."))


class SpoolFolder(Section):
    """Calls in progress."""

    directory: kinds.PlainPath = Field(
        Path("/run/ami-bridge/spool"), description="Folder of tickets and live audio; best a tmpfs.")


class VaultFolder(Section):
    """Finished recordings."""

    directory: kinds.PlainPath = Field(Path("/var/lib/ami-bridge/vault"), description="Folder of the kept audio files.")


class RegisterDatabase(Section):
    """The retention database."""

    url: kinds.Url = Field("sqlite:////var/lib/ami-bridge/register.db", repr=False, description=(
        "`sqlite:///` and a path, or `postgresql://user@host/name`."))


class Notice(Section):
    """What callers are told."""

    directory: kinds.PlainPath = Field(
        Path("/var/lib/ami-bridge/prompts"), description="Folder of the prompts, all versions.")
    asterisk_directory: kinds.PlainPath | None = Field(
        None, description="The same folder as Asterisk sees it, where that differs. Not set: the same path.")
    languages: kinds.Languages = Field(
        ("fi", "sv", "en"), min_length=1, description="The languages spoken, in the order to fall back.")
    fallback_prompt: kinds.PromptName = Field(
        "recorded", description="The prompt that the dialplan plays by itself where it knows no better.")

    @property
    def played_from(self) -> Path:
        """Return the prompt folder as Asterisk sees it."""
        return self.asterisk_directory or self.directory


class Retention(Section):
    """How long entries live."""

    days: int = Field(31, ge=1, le=3650, description="Days of 24 hours from the end of the call, 1 to 3650.")


class RouteRule(Section):
    """A kind of call and what happens to it. The first route that matches decides; no match: not recorded."""

    name: kinds.RouteName = Field(description="Its name, used once: small letters, digits and `-`.")
    direction: kinds.Directions = Field((), description="`inbound`, `outbound`, `internal`, or a list. Not set: all.")
    context: kinds.Contexts = Field((), description="The admin's dialplan context, or a list. Not set: all.")
    did: kinds.Numbers = Field(
        (), description="The number dialled, or a list; `09123*` means all that begin with 09123. Not set: all.")
    queue: kinds.Contexts = Field((), description="The queue that the call leads to, or a list. Not set: all.")
    record: bool = Field(True, description="Whether such calls are recorded.")
    notice: kinds.NoticeName = Field(
        "recorded", description="The prompt played first. Empty (none) only where `direction` is `internal` alone.")
    languages: kinds.Languages = Field(
        (), description="Languages of the notice, best first. Not set: those of `[notice]`.")
    on_failure: kinds.Failure = Field(OnFailure.FALLBACK_RECORD, description=(
        "When no script answers: `fallback-record` (the dialplan plays the notice and records by itself), "
        "`refuse` (the call ends), `allow-unrecorded`."))

    @model_validator(mode="after")
    def _callers_are_told(self) -> "RouteRule":
        if self.record and not self.notice and self.direction != (Direction.INTERNAL,):
            raise ValueError('notice may be empty only where direction is "internal" alone: '
                             "no other call is recorded without telling")
        return self


class Config(Section):
    """The whole configuration."""

    exchange: Exchange
    controller: Controller = Controller()
    ami: Ami
    agi: Agi
    spool: SpoolFolder = SpoolFolder()
    vault: VaultFolder = VaultFolder()
    register_: RegisterDatabase = Field(default=RegisterDatabase(), alias="register")
    notice: Notice = Notice()
    retention: Retention = Retention()
    route: Annotated[tuple[RouteRule, ...], BeforeValidator(kinds.several)] = ()

    @model_validator(mode="after")
    def _routes_agree(self) -> "Config":
        for name, times in Counter(rule.name for rule in self.route).items():
            if times > 1:
                raise ValueError(f"[[route]] name: {name!r} stands {times} times; each route needs a name of its own")
        for rule in self.route:
            for language in set(rule.languages) - set(self.notice.languages):
                raise ValueError(f"[[route]] {rule.name}, languages: {language!r} is not among [notice] languages "
                                 f"({', '.join(self.notice.languages)})")
        return self

    @property
    def register(self) -> RegisterDatabase:
        """Return the section ``[register]`` (as a field, the name would hide a method of the base class)."""
        return self.register_

    def policy_routes(self) -> tuple[Route, ...]:
        """Return the routes as the notice policy takes them."""
        return tuple(
            Route(name=rule.name, directions=rule.direction, contexts=rule.context, dids=rule.did, queues=rule.queue,
                  record=rule.record, notice=rule.notice, languages=rule.languages or self.notice.languages,
                  on_failure=rule.on_failure)
            for rule in self.route
        )


def _file_text(path: Any) -> SecretStr:
    try:
        return SecretStr(Path(path).read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise ValueError(f"secret_file {str(path)!r} cannot be read ({reason})") from None
