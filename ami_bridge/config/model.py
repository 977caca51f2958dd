"""Every setting, described once. The reference in ``docs/reference.md`` is made from this file."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from ami_bridge.config import kinds
from ami_bridge.config.console import ConsoleServer
from ami_bridge.config.controller import Authority, Controller, Purposes
from ami_bridge.config.endpoints import strangers
from ami_bridge.config.section import Section
from ami_bridge.core.notice import Choice, HoldPolicy, OnFailure, Route
from ami_bridge.core.parties import Direction


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
    configuration: kinds.OptionalPath = Field(Path("/etc/asterisk"), description=(
        "Asterisk's configuration on this host, where the doctor looks. The empty text: Asterisk is on another host."))


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
    floor_mb: int = Field(100, ge=0, description=(
        "When fewer megabytes are free there, no further call is recorded; the route's `on_failure` says whether it is "
        "refused."))


class Keys(Section):
    """What recordings are sealed to: a key for each day of expiry."""

    recipients: kinds.PlainPath = Field(
        Path("/var/lib/ami-bridge/recipients"), description="Folder of the public halves: all that sealing needs.")
    private: kinds.OptionalPath = Field(Path("/var/lib/ami-bridge/keys"), description=(
        "Folder of the private halves; never a part of a backup that keeps old versions. The empty text: on another host."))
    ahead: int = Field(14, ge=1, le=366, description=(
        "How many days of keys are made beyond those that calls of today need, 1 to 366."))
    wait_hours: int = Field(24, ge=1, le=744, description=(
        "When a key is missing, finished calls wait in the spool; after so many hours nothing more is recorded, 1 to 744."))


class Cel(Section):
    """Asterisk's own diary of calls, laid out as in `cel_custom_ami_bridge.conf`: it tells of what we could not hear."""

    file: kinds.OptionalPath = Field(Path("/var/log/asterisk/cel-custom/ami_bridge.csv"), description=(
        "The file. Its lines are removed in their time, like those of `[purge] journals`. The empty text: there is none."))


class Reconciliation(Section):
    """The comparison of calls, tickets, files and register: at start, after each gap, and regularly."""

    every_minutes: int = Field(60, ge=1, le=1440, description="How often, 1 to 1440.")
    monitor: tuple[kinds.PlainPath, ...] = Field((Path("/var/spool/asterisk/monitor"),), strict=False, description=(
        "Folders where Asterisk keeps recordings that are not ours: what appears there is reported."))


class VaultFolder(Section):
    """Finished recordings."""

    directory: kinds.PlainPath = Field(
        Path("/var/lib/ami-bridge/vault"), description="Folder of the sealed recordings and entries.")


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


class Pausing(Section):
    """Silence that an agent asks for: card numbers and other private passages."""

    longest_seconds: int = Field(300, ge=5, le=7200, description=(
        "After so many seconds a paused recording goes on by itself, 5 to 7200."))


class Retention(Section):
    """How long entries live."""

    days: int = Field(31, ge=1, le=3650, description=(
        "What the privacy notice promises: days of 24 hours from the end of the call, 1 to 3650. What was kept before a "
        "change keeps the days that were promised then."))


class Purge(Section):
    """The nightly destruction."""

    cap: int = Field(3, ge=1, le=1000, description=(
        "Refuse a run that would destroy more than so many times the calls of an average day, 1 to 1000."))
    small: int = Field(1000, ge=1, description="A run of so many calls or fewer is never too large.")
    clock: Literal["synchronised", "trusted"] = Field("synchronised", description=(
        "`synchronised`: refuse while the kernel does not hold the clock for synchronised; `trusted`: you look after it."))
    leftovers: tuple[str, ...] = Field((), strict=False, description=(
        "Full paths with `*` of other files that hold callers' data (exports, captures): removed when they are as old as "
        "the recordings may become."))
    journals: tuple[kinds.PlainPath, ...] = Field((), strict=False, description=(
        "CSV files that Asterisk writes a line a call to (CEL, CDR; a time in the line): set aside daily, and each line "
        "removed in its time."))
    overdue_hours: int = Field(26, ge=1, le=744, description="The daemon alarms when the last good run is older, 1 to 744.")


class CertificateFolder(Section):
    """The certificates of destruction."""

    directory: kinds.PlainPath = Field(
        Path("/var/lib/ami-bridge/certificates"), description="Folder of the certificates and the public key.")
    key: kinds.PlainPath = Field(
        Path("/var/lib/ami-bridge/certificate.key"), description="The private key that signs them (Ed25519, made once).")


class AuditTrail(Section):
    """The trail of who looked at what, and did what."""

    directory: kinds.PlainPath = Field(Path("/var/lib/ami-bridge/audit"), description=(
        "Folder where the end of the trail is written down, signed, every hour; copy it to another machine."))
    key: kinds.PlainPath = Field(
        Path("/var/lib/ami-bridge/audit.key"), description="The private key that signs it (Ed25519, made once).")
    keep_days: int = Field(1827, ge=31, le=36525, description=(
        "How long an entry is kept, 31 to 36525 days; five years if not said otherwise."))
    syslog: kinds.OptionalPath = Field(Path("/dev/log"), description=(
        "The socket of this machine's syslog, which is told each signed end too. The empty text: it is not told."))


class AccountKeys(Section):
    """Personal accounts of the people who do their work with recordings."""

    key: kinds.PlainPath = Field(Path("/var/lib/ami-bridge/accounts.key"), description=(
        "The key that seals the secrets of their one-time codes in the register (made once)."))


class Requests(Section):
    """The requests of callers: for access, erasure or restriction."""

    keep_days: int = Field(1827, ge=31, le=36525, description=(
        "How long it is kept that a request was made, of which kind, and how it ended, 31 to 36525 days after it was "
        "closed; five years if not said otherwise. Who asked is forgotten when it is closed."))


class Alarm(Section):
    """Who is told when something needs a human. Every alarm also stands in the log."""

    command: tuple[str, ...] = Field((), strict=False, description=(
        "A program and its arguments; the alarm's words come on its standard input, its name in `AMI_BRIDGE_ALARM`."))
    mail_to: str = Field("", description="A mail address. Empty: no mail.")
    mail_from: str = Field("ami-bridge@localhost", description="The sender's address.")
    mail_host: kinds.Host = Field("127.0.0.1", description="The mail server.")
    mail_port: kinds.Port = Field(25, description="Its TCP port, 1 to 65535.")


class Metrics(Section):
    """Figures for Prometheus, without personal data."""

    host: kinds.Host = Field("127.0.0.1", description="Address on which the daemon shows them.")
    port: int = Field(9310, ge=0, le=65535, description="Its TCP port; 0: not at all.")


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
    days: int | None = Field(None, ge=1, le=3650, description=(
        "Forget such calls sooner, after so many days. Not set: the days of `[retention]`, which may not be exceeded."))
    on_failure: kinds.Failure = Field(OnFailure.FALLBACK_RECORD, description=(
        "When no script answers: `fallback-record` (the dialplan plays the notice and records by itself), "
        "`refuse` (the call ends), `allow-unrecorded`."))
    choice: kinds.PartyChoice = Field(Choice.NONE, description=(
        "Whether the party decides by a key: `none`, `opt-out` (the key means no recording), `opt-in` (only the key means "
        "one). The notice must say so; when no script answers such a call is not recorded."))
    on_demand: bool = Field(False, description=(
        "Record only when the company's party asks for it by a key (`ami-bridge-record`): the notice is played then."))
    stereo: bool = Field(False, description=(
        "Keep two channels: the recorded party left, whoever they speak with right. Three times the room in the spool."))
    hold: kinds.Holding = Field(HoldPolicy.RECORD, description=(
        "While the party is on hold: `record` (their room and the music are in the recording) or `mute` (it is silent)."))
    choice_key: kinds.Key = Field("9", description="That key: one of 0-9, `*` and `#`.")
    choice_seconds: int = Field(3, ge=1, le=30, description="How long the key is waited for after the notice.")

    @model_validator(mode="after")
    def _callers_are_told(self) -> "RouteRule":
        if self.record and not self.notice and self.direction != (Direction.INTERNAL,):
            raise ValueError('notice may be empty only where direction is "internal" alone: '
                             "no other call is recorded without telling")
        if self.choice is not Choice.NONE and not self.notice:
            raise ValueError("choice needs a notice that tells of it")
        return self


class Config(Section):
    """The whole configuration."""

    exchange: Exchange
    controller: Controller = Controller()
    purposes: Purposes = Purposes()
    authority: Authority = Authority()
    ami: Ami
    agi: Agi
    spool: SpoolFolder = SpoolFolder()
    cel: Cel = Cel()
    reconcile: Reconciliation = Reconciliation()
    keys: Keys = Keys()
    vault: VaultFolder = VaultFolder()
    register_: RegisterDatabase = Field(default=RegisterDatabase(), alias="register")
    notice: Notice = Notice()
    pause: Pausing = Pausing()
    retention: Retention = Retention()
    purge: Purge = Purge()
    certificates: CertificateFolder = CertificateFolder()
    audit: AuditTrail = AuditTrail()
    accounts: AccountKeys = AccountKeys()
    console: ConsoleServer = ConsoleServer()
    requests: Requests = Requests()
    alarm: Alarm = Alarm()
    metrics: Metrics = Metrics()
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
            if rule.days is not None and rule.days > self.retention.days:
                raise ValueError(f"[[route]] {rule.name}, days: {rule.days} is more than the notice promises "
                                 f"([retention] days = {self.retention.days})")
        return self

    @model_validator(mode="after")
    def _endpoints_are_vouched_for(self) -> "Config":
        """Promise N7: nothing leaves for a place that the controller did not vouch to be in the EU or EEA."""
        for setting, host in strangers(self.endpoint_settings(), self.controller.endpoints):
            raise ValueError(f"{setting}: {host} is neither this machine nor among [controller] endpoints. If it is in the "
                             "EU or EEA, list it there; else nothing may go there")
        return self

    def endpoint_settings(self) -> dict[str, str]:
        """Return what names another machine: setting -> host or URL."""
        return {"[register] url": self.register.url, "[ami] host": self.ami.host,
                "[alarm] mail_host": self.alarm.mail_host}

    @property
    def register(self) -> RegisterDatabase:
        """Return the section ``[register]`` (as a field, the name would hide a method of the base class)."""
        return self.register_

    def policy_routes(self) -> tuple[Route, ...]:
        """Return the routes as the notice policy takes them."""
        return tuple(
            Route(name=rule.name, days=rule.days or self.retention.days, directions=rule.direction, contexts=rule.context,
                  dids=rule.did, queues=rule.queue, record=rule.record, notice=rule.notice,
                  languages=rule.languages or self.notice.languages, on_failure=rule.on_failure,
                  choice=rule.choice, choice_key=rule.choice_key, choice_seconds=rule.choice_seconds,
                  on_demand=rule.on_demand, stereo=rule.stereo)
            for rule in self.route
        )


def _file_text(path: Any) -> SecretStr:
    try:
        return SecretStr(Path(path).read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise ValueError(f"secret_file {str(path)!r} cannot be read ({reason})") from None
