"""Where objects are wired together: the only such place."""

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

from agi_scripts.announce import Desk, announce, ready
from ami_bridge.asterisk.ami import AmiSettings
from ami_bridge.asterisk.fastagi import FastAgiLimits, FastAgiServer
from ami_bridge.certificates import Certificates
from ami_bridge.clock import read as read_clock
from ami_bridge.config import Config
from ami_bridge.core import alarms
from ami_bridge.core.accounts import Account
from ami_bridge.core.agi import Script
from ami_bridge.core.alarms import Alarm
from ami_bridge.core.audit import DAEMON
from ami_bridge.core.clock import Clock
from ami_bridge.core.errors import AmiBridgeError, RegisterError, as_ours
from ami_bridge.core.events import Event
from ami_bridge.core.ids import RANDOM_BYTES, uuid7
from ami_bridge.core.notice import HoldPolicy, Policy, Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.steering import SteeringRules
from ami_bridge.core.tickets import Ticket
from ami_bridge.credentials import Codes
from ami_bridge.heads import Heads
from ami_bridge.prompts import PromptStore
from ami_bridge.register import Register
from ami_bridge.services.adopt import Adopt
from ami_bridge.services.agreeing import Agreeing
from ami_bridge.services.alarm import Telling
from ami_bridge.services.certificate_reading import CertificateReading
from ami_bridge.services.configuration_trace import record_configuration
from ami_bridge.services.destroying import Destroying
from ami_bridge.services.diary import Diary
from ami_bridge.services.disclosing import Disclosing
from ami_bridge.services.disclosing import forget as forget_disclosures
from ami_bridge.services.erasing import Erasing
from ami_bridge.services.follow import Follow
from ami_bridge.services.health_reading import HealthReading
from ami_bridge.services.holds import Holding
from ami_bridge.services.intake import Intake
from ami_bridge.services.keeping import Keeping
from ami_bridge.services.keys import keep_ahead
from ami_bridge.services.listen import Listen
from ami_bridge.services.notices import policy
from ami_bridge.services.people import People
from ami_bridge.services.proving import Proving, RefusedTries
from ami_bridge.services.purge import Purge, Rules
from ami_bridge.services.reconcile import Places, Reconcile
from ami_bridge.services.releasing import release_agreed
from ami_bridge.services.report import Report
from ami_bridge.services.request_closing import close_agreed
from ami_bridge.services.request_closing import forget as forget_requests
from ami_bridge.services.request_search import RequestSearch
from ami_bridge.services.rights import Bound, MachineRights, Rights
from ami_bridge.services.search import Search
from ami_bridge.services.steer import Told
from ami_bridge.services.subject_requests import SubjectRequests
from ami_bridge.services.supervising import Supervising
from ami_bridge.services.sweep import Sweep
from ami_bridge.services.trail import Trail
from ami_bridge.services.trail_keeping import TrailForgetting, TrailKeeping, wrong_with_trail
from ami_bridge.services.trail_reading import TrailReading
from ami_bridge.services.verify import Verify
from ami_bridge.services.watch import installed_at
from ami_bridge.services.witness import Witness
from ami_bridge.services.writing_heads import written
from ami_bridge.spool import Spool
from ami_bridge.vault import KeyStore, Vault


@dataclass(frozen=True, slots=True)
class App:
    """Everything the daemon works with, built from one configuration."""

    config: Config
    policy: Policy
    spool: Spool
    vault: Vault
    register: Register
    intake: Intake
    adopt: Adopt


def now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


def new_id(at: datetime) -> UUID:
    """Return a fresh UUIDv7."""
    return uuid7(at, secrets.token_bytes(RANDOM_BYTES))


def build(config: Config) -> App:
    """Return the application; SpoolError or RegisterError when it cannot work. It seals, and has nothing to open with."""
    spool = Spool(config.spool.directory)
    spool.create()
    keys = KeyStore(config.keys.recipients, None)
    keys.create()
    vault = Vault(config.vault.directory, keys)
    vault.create()
    prompts = PromptStore(config.notice.directory, config.notice.played_from)
    current = policy(config, prompts.current())
    register = Register.open(config.register.url)
    intake = Intake(spool, vault, register, now)
    return App(config, current, spool, vault, register, intake, Adopt(spool, current))


def key_store(config: Config) -> KeyStore:
    """Return the keys, their folders made."""
    keys = KeyStore(config.keys.recipients, config.keys.private)
    keys.create()
    return keys


def purge(config: Config, register: Register, actor: str, clock: Callable[[], Clock] = read_clock) -> Purge:
    """Return the nightly job, run by an actor; KeyMissing when it cannot work."""
    certificates = Certificates(config.certificates.directory, config.certificates.key)
    certificates.create()
    vault = vault_of(config)
    rules = Rules(exchange=config.exchange.name, days=config.retention.days, cap=config.purge.cap, small=config.purge.small,
                  synchronised=config.purge.clock == "synchronised")
    sweep = Sweep(spool=Spool(config.spool.directory), days=config.retention.days, leftovers=config.purge.leftovers,
                  journals=(*config.purge.journals, *([config.cel.file] if config.cel.file else [])))
    evidence, kept = timedelta(days=config.audit.keep_days), timedelta(days=config.requests.keep_days)
    forgetting = TrailForgetting(register, heads(config), evidence, telling(config))

    def swept(at: datetime) -> dict[str, int]:
        return (sweep(at) | forgetting(at) | forget_requests(register, kept, at)
                | forget_disclosures(register, evidence, at))

    traces, tell = trail(config, register, actor), telling(config)

    def ahead(today: date) -> None:
        try:
            keep_ahead(vault.keys, traces, today, config.retention.days, config.keys.ahead)
        except (AmiBridgeError, OSError) as problem:
            tell(alarms.keys_not_made(as_ours(problem, "keys could not be made ahead")))
            raise

    keeping = trail_keeping(config, register)

    def afterwards() -> None:
        with suppress(RegisterError):  # that the run is not in the trail alarms already
            if wrong := written(keeping):
                tell(wrong)

    return Purge(vault, register, certificates, rules, clock, swept, ahead, traces, afterwards)


def heads(config: Config) -> Heads:
    """Return the heads of the trail."""
    return Heads(config.audit.directory, config.audit.key)


def trail(config: Config, register: Register, actor: str) -> Trail:
    """Return what leaves the traces of an actor; an alarm of it goes out at once."""
    return Trail(register, actor, now, telling(config))


def telling(config: Config) -> Callable[[Alarm], None]:
    """Return what logs and sends an alarm at once."""
    told = Telling(config.alarm, config.exchange.name)

    def tell(alarm: Alarm) -> None:
        told.log(alarm)
        told.send(alarm)

    return tell


def trail_keeping(config: Config, register: Register) -> TrailKeeping:
    """Return what writes down the end of the trail."""
    return TrailKeeping(register, heads(config), config.audit.syslog)


def people(config: Config, register: Register, actor: str) -> People:
    """Return what looks after the accounts on behalf of an account of this machine, which may do all."""
    return People(register, trail(config, register, actor), Codes(config.accounts.key), now, new_id, config.controller.zone)


def accounts_office(config: Config, register: Register, rights: Rights) -> People:
    """Return what looks after the accounts on behalf of somebody who is signed in."""
    return People(register, rights.trail, Codes(config.accounts.key), now, new_id, config.controller.zone, rights)


def proving(config: Config, register: Register, tries: RefusedTries) -> Proving:
    """Return what looks at passwords and codes; ``tries``: this process's refused ones."""
    return Proving(register, Codes(config.accounts.key), now, tries)


def rights(config: Config, register: Register, account: Account) -> Rights:
    """Return what one signed-in person may do."""
    return Rights(account, trail(config, register, f"account:{account.id}"), config.purposes.names, now)


def vault_of(config: Config) -> Vault:
    """Return the vault with its keys, for one who opens what is in it."""
    return Vault(config.vault.directory, key_store(config))


def search(config: Config, register: Register, rights: Rights, now: Callable[[], datetime] = now) -> Search:
    """Return what finds calls for somebody."""
    return Search(register, rights, now, config.controller.zone)


def listen(register: Register, vault: Vault, rights: Rights, now: Callable[[], datetime] = now) -> Listen:
    """Return what shows and plays calls to somebody."""
    return Listen(register, vault, rights, now)


def trail_reading(config: Config, register: Register, rights: Rights) -> TrailReading:
    """Return what reads the trail on behalf of somebody who is signed in."""
    return TrailReading(register, rights, heads(config), now)


def certificate_reading(config: Config, rights: Rights) -> CertificateReading:
    """Return what reads the certificates on behalf of somebody who is signed in."""
    return CertificateReading(Certificates(config.certificates.directory, config.certificates.key), rights)


def health_reading(config: Config, rights: Rights) -> HealthReading:
    """Return what looks how things stand on behalf of somebody who is signed in."""
    return HealthReading(config, rights, now)


def note_configuration(config: Config, register: Register) -> None:
    """Record that the configuration is another than at the last start. RegisterError when that cannot be."""
    record_configuration(config, register, trail(config, register, DAEMON))


def verify(config: Config, register: Register, *, everything: bool) -> Verify:
    """Return what compares register, vault, certificates and trail; of the trail an alarm goes out at once."""
    certificates = Certificates(config.certificates.directory, config.certificates.key)

    def wrong(at: datetime) -> str:
        found = wrong_with_trail(register, heads(config), at)
        if found:
            telling(config)(alarms.trail_broken(found))
        return found

    return Verify(vault_of(config), register, certificates, wrong, everything=everything)


def holding(config: Config, register: Register, actor: str) -> Holding:
    """Return what places holds on behalf of an actor."""
    return Holding(vault_of(config), register, now, new_id, trail(config, register, actor).within)


def machine_rights(config: Config, register: Register, actor: str) -> MachineRights:
    """Return the rights of whoever runs a command of this machine."""
    return MachineRights(trail(config, register, actor))


def agreeing(register: Register, rights: Bound, clock: Callable[[], datetime] = now) -> Agreeing:
    """Return what two persons agree by, on behalf of one of them."""
    return Agreeing(register, rights, clock, new_id, (release_agreed, close_agreed))


def keeping(register: Register, vault: Vault, rights: Rights, clock: Callable[[], datetime] = now) -> Keeping:
    """Return what works with holds on behalf of a signed-in person."""
    holding = Holding(vault, register, clock, new_id, rights.trail.within)
    return Keeping(register, holding, rights, agreeing(register, rights, clock))


def disclosing(register: Register, vault: Vault, rights: Rights, clock: Callable[[], datetime] = now) -> Disclosing:
    """Return the register of what leaves, on behalf of a signed-in person."""
    holding = Holding(vault, register, clock, new_id, rights.trail.within)
    return Disclosing(register, vault, holding, rights, agreeing(register, rights, clock), new_id)


@dataclass(frozen=True, slots=True)
class Bureau:
    """What answers callers, on behalf of one signed-in person."""

    requests: SubjectRequests
    search: RequestSearch
    erasing: Erasing
    supervising: Supervising
    agreeing: Agreeing


def bureau(config: Config, register: Register, vault: Vault, rights: Rights, clock: Callable[[], datetime] = now) -> Bureau:
    """Return what answers callers, on behalf of a signed-in person."""
    agreed, zone = agreeing(register, rights, clock), config.controller.zone
    holding = Holding(vault, register, clock, new_id, rights.trail.within)
    certificates = Certificates(config.certificates.directory, config.certificates.key)
    destroying = Destroying(vault, register, certificates, config.exchange.name, config.retention.days, clock)
    return Bureau(
        requests=SubjectRequests(register, vault, rights, agreed, zone, clock, new_id),
        search=RequestSearch(register, vault, holding, rights, zone, clock, time.sleep),
        erasing=Erasing(register, vault, agreed, destroying),
        supervising=Supervising(register, vault, rights, clock, new_id), agreeing=agreed)


def follow(app: App, on_closed: Callable[[UUID], None], told: Told) -> Follow:
    """Return the follower of the exchange's events."""
    muted = frozenset(rule.name for rule in app.config.route if rule.hold is HoldPolicy.MUTE)
    rules = SteeringRules(longest=app.config.pause.longest_seconds)
    return Follow(app.spool, on_closed, rules, muted, told)


def report(app: App, on_finding: Callable[[], None]) -> Report:
    """Return what keeps gaps and findings."""
    return Report(app.register, app.config.exchange.name, now, new_id, on_finding)


def reconcile(app: App, report: Report, take: Callable[[Iterable[Event]], None], ask: Callable[[], None]) -> Reconcile:
    """Return the comparison; ``take`` is told what the diary says of a gap, ``ask`` has the channels listed anew."""
    config = app.config
    diary = Diary(config.cel.file, app.spool.diary) if config.cel.file else None
    places = Places(spool=app.spool, vault=app.vault, register=app.register, policy=app.policy,
                    monitor=config.reconcile.monitor, installed=installed_at(config, now()))
    witness = Witness(Diary(config.cel.file, app.spool.witness), app.register, report, now) if config.cel.file else None
    return Reconcile(places, diary, report, take, now, ask, witness)


def ami_settings(config: Config) -> AmiSettings:
    """Return how to reach the manager interface."""
    ami = config.ami
    return AmiSettings(host=ami.host, port=ami.port, username=ami.username, secret=ami.secret.get_secret_value(),
                       keepalive=ami.keepalive)


def fastagi(app: App, on_unrecorded: Callable[[UUID], None], passed: Callable[[Direction, Reason], object]) -> FastAgiServer:
    """Return the FastAGI server; ``on_unrecorded`` is told (in any thread) each call that has only an entry to come,
    ``passed`` (on the event loop) each that leaves none, and why.

    A caller who seems to have left in the notice is not among them: perhaps only the script was given up.
    """

    def keep(ticket: Ticket) -> None:
        app.spool.write_ticket(ticket)
        if ticket.recording is None and ticket.reason is not Reason.HUNG_UP_IN_NOTICE:
            on_unrecorded(ticket.call)

    desk = Desk(app.policy, keep, now, new_id, partial(app.spool.obstacle, app.policy.floor), passed)
    agi = app.config.agi
    scripts: dict[str, Script] = {"announce": partial(announce, desk), "ready": ready}
    limits = FastAgiLimits(workers=0 if app.spool.in_memory() else FastAgiLimits().workers)
    return FastAgiServer(agi.host, agi.port, agi.secret.get_secret_value(), scripts, limits=limits)
