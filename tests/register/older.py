"""Registers of every earlier version, filled by plain SQL as the programs of those days did.

The columns of a version are written out here and never change: what a released migration made is history.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from alembic import command
from sqlalchemy import Connection, Engine, text

from ami_bridge.core.accounts import Account, Language, Scope
from ami_bridge.core.audit import NOTHING, AuditEntry, Head, Link
from ami_bridge.core.destructions import Intent, Run, RunOutcome, Step
from ami_bridge.core.duties import Duty
from ami_bridge.core.entries import Audio, Entry, Recording, Silence
from ami_bridge.core.findings import Finding, Kind, Outcome
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.holds import Hold
from ami_bridge.core.notice import NoticeProof, Reason
from ami_bridge.core.parties import Agent, Direction, Participant
from ami_bridge.core.recordings import State, Why
from ami_bridge.core.sign_in import Attempts
from ami_bridge.register import schema
from ami_bridge.register.engine import address_of, engine_for, file_of

VERSIONS = schema.REVISIONS
SINCE_CALLS = tuple(version for version in VERSIONS if version >= "0002")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
EXPIRES = LATER + timedelta(days=31)
SHA, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4


def number(n: int) -> UUID:
    return UUID(int=(0x0190_0000_0000 << 80) + (7 << 76) + (2 << 62) + n)


@dataclass
class Kept:
    """All that a register holds, as the program of today reads it."""

    entries: list[Entry] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    trail: list[Link] = field(default_factory=list)
    forgotten: tuple[Head, str] = (NOTHING, "")


def audio(n: int, found: str | None = None) -> Audio:
    return Audio(file=f"2026-12-24/{number(n)}.age", frames=480_000, rate=8000, size=960_044, sha256=SHA, sealed_size=960_400,
                 sealed_sha256=OTHER, found_sha256=found)


def entry(n: int, *recordings: Recording, **changes: Any) -> Entry:
    plain = Entry(id=number(n), exchange="helsinki", direction=Direction.INBOUND, route="service", reason=Reason.ANNOUNCED,
                  origin="agi", caller="+358401234567", callee="0295000000", uniqueid=f"pbx-{n}", linkedid=f"pbx-{n}",
                  started_at=NOON, answered_at=NOON + timedelta(seconds=20), ended_at=LATER, expires_at=EXPIRES, recordings=recordings)
    return replace(plain, **changes)


def proof(pressed: str = "") -> NoticeProof:
    return NoticeProof(prompt="recorded", language="fi", version=3, sha256=SHA, samples=40_000, heard_samples=40_000, at=NOON,
                       witness="daemon", pressed=pressed)


def entries(version: str) -> list[Entry]:
    """One call of each state, and those that only this version and later ones could hold."""
    parties = (Participant(interface="PJSIP/6001", name="Äijälä, Inkeri", joined_at=NOON + timedelta(seconds=20), left_at=LATER),
               Participant(interface="PJSIP/6002", name="", joined_at=NOON + timedelta(minutes=1)))
    found = [
        entry(1, Recording(id=number(101), segment=1, state=State.SEALED, audio=audio(101)),
              Recording(id=number(102), segment=2, state=State.SEALED, audio=audio(102)), participants=parties, notice=proof()),
        entry(2, Recording(id=number(103), segment=1, state=State.RECOVERED, audio=audio(103, OTHER)), notice=proof()),
        entry(3, Recording(id=number(104), segment=1, state=State.NO_AUDIO), notice=proof()),
        entry(4, Recording(id=number(105), segment=1, state=State.MISSING), direction=Direction.OUTBOUND, answered_at=None),
        entry(5, reason=Reason.HUNG_UP_IN_NOTICE, answered_at=None, caller="", uniqueid=""),
    ]
    if version >= "0003":
        found.append(entry(6, reason=Reason.NO_ROOM))
    if version >= "0004":
        found.append(entry(7, reason=Reason.OPTED_OUT, notice=proof("9")))
    if version >= "0006":
        pause = Silence(why=Why.PAUSED, by="PJSIP/6001", began_at=NOON + timedelta(minutes=1), ended_at=NOON + timedelta(minutes=2))
        found.append(entry(8, Recording(id=number(106), segment=1, state=State.SEALED, audio=audio(106)), silences=(pause,)))
    if version >= "0008":
        found.append(entry(9, queue="tuki", participants=(replace(parties[0], team="Palvelu"), parties[1])))
    return found


def accounts() -> list[Account]:
    """By log-in name: somebody locked out with a scope and a clearance, and somebody disabled who could never sign in."""
    return [
        Account(id=number(502), login="maija", name="Maija Mäkinen", language=Language.FINNISH, created_at=NOON,
                duties=frozenset({Duty.LISTENER, Duty.TRAINER}), scope=Scope(frozenset({"Palvelu", "Växel"}), frozenset({"tuki"})),
                password="$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", codes="c2VhbGVk", last_step=59_519_280,
                attempts=Attempts(5, LATER, LATER + timedelta(minutes=15)), clearance_until=NOON + timedelta(days=365)),
        Account(id=number(503), login="seppo", name="Seppo", language=Language.ENGLISH, created_at=NOON, disabled_at=LATER,
                duties=frozenset({Duty.ACCOUNT_ADMINISTRATOR})),
    ]


DETAILS = {3: '{"duty":"listener","scope":3}', 4: '{"by":"agent,number","found":7,"since":"2026-11-01"}', 5: "{}"}
DIGESTS = {2: SHA, 3: "6286677ed78d47cf97719315d154cc046e74e6aa7d746c8e82d2dbbc6ef9565e",
           4: "87e19695c3d0980cdefd63f7111c731757f8f070f345cb3ef3dd697695ff8eab",
           5: "63aea6f4e8de791d1eb84552c51593240e993b0e1e2a07ec642414adc4fcaf88"}
"""As version 0007 wrote them, by the number of the entry."""


def trail() -> list[Link]:
    """What is left of a trail whose first two entries were forgotten."""
    said = [("os:root/maija", "duty-granted", str(number(502)), "", "allowed", "", NOON),
            ("os:seppo", "calls-searched", "", "", "allowed", "", NOON + timedelta(minutes=1)),
            (f"account:{number(502)}", "call-viewed", str(number(1)), "training", "refused", "out-of-scope", LATER)]
    return [Link(AuditEntry(number=n, at=at, actor=actor, action=action, object=on, purpose=purpose, outcome=outcome, reason=reason,
                            detail=json.loads(DETAILS[n])), DIGESTS[n - 1], DIGESTS[n])
            for n, (actor, action, on, purpose, outcome, reason, at) in enumerate(said, 3)]


def kept(version: str) -> Kept:
    """What a register of ``version`` is filled with."""
    team = "Palvelu" if version >= "0008" else ""
    found = Kept(agents=[Agent(key="6001", name="Inkeri Äijälä", team=team, valid_from=NOON)])
    if version >= "0002":
        found.entries = entries(version)
        found.holds = [Hold(id=number(201), call=number(1), exchange="helsinki", expires_at=EXPIRES, reason="dispute", basis="act 1",
                            placed_by="dpo", placed_at=NOON, until=NOON + timedelta(days=90), remind_at=NOON + timedelta(days=80)),
                       Hold(id=number(202), call=number(2), exchange="helsinki", expires_at=EXPIRES, reason="dispute", basis="act 1",
                            placed_by="dpo", placed_at=NOON, until=NOON + timedelta(days=90), remind_at=NOON + timedelta(days=80),
                            released_at=LATER, released_by="dpo")]
        found.intents = [Intent(number=1, key="2026-11-22", whole=True, as_of=NOON, begun_at=NOON, fingerprint="f", calls=4,
                                step=Step.CERTIFIED, files=8, digests=8, digests_sha256=SHA, certificate_sha256=OTHER, finished_at=LATER)]
        found.runs = [Run(started_at=NOON, finished_at=LATER, outcome=RunOutcome.DONE, boot="b", since_boot=12.5)]
    if version >= "0003":
        found.gaps = [Gap(id=number(301), exchange="helsinki", cause=Cause.LINK_LOST, began_at=NOON, ended_at=LATER),
                      Gap(id=number(302), exchange="helsinki", cause=Cause.DAEMON_AWAY, began_at=LATER)]
        kinds = [Kind.AUDIO_MISSING, *([Kind.DIARY_DISAGREES] if version >= "0005" else [])]
        found.findings = [Finding(id=number(400 + n), exchange="helsinki", kind=kind, subject=str(number(4)), outcome=Outcome.REPORTED,
                                  at=NOON, found_at=LATER, call=number(4)) for n, kind in enumerate(kinds)]
    if version >= "0007":
        found.accounts, found.trail = accounts(), trail()
        found.forgotten = Head(number=2, digest=DIGESTS[2], at=NOON), "5167"
    return found


@contextmanager
def filled(url: str, version: str) -> Iterator[Kept]:
    """Make a register of ``version`` in an empty database, fill it, and give what it holds; nobody has it open then."""
    found = kept(version)
    if file := file_of(address_of(url)):
        schema.make_file(file)
    with engine(url) as used, used.begin() as connection:
        bring_to(connection, version)
        if version >= "0002":
            make_partitions(connection)
        fill(connection, found, version)
    yield found


@contextmanager
def engine(url: str) -> Iterator[Engine]:
    used = engine_for(address_of(url))
    try:
        yield used
    finally:
        used.dispose()


def bring_to(connection: Connection, version: str) -> None:
    config = schema.alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def make_partitions(connection: Connection) -> None:
    """As the program has made them since 0002."""
    if connection.dialect.name != "postgresql":
        return
    for table in ("calls", "recordings", "participants", "notice_proofs"):
        connection.execute(text(f"CREATE TABLE {table}_20261224 (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
        connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {table}_20261224 FOR VALUES FROM ('2026-12-24') TO ('2026-12-25')"))


def fill(connection: Connection, found: Kept, version: str) -> None:
    """Write all that ``found`` holds, in the columns that ``version`` had."""
    for agent in found.agents:
        insert(connection, "agents", exchange="", **columns(agent, "key name valid_from valid_to" + since("0008", version, " team")))
    for call in found.entries:
        fill_call(connection, call, version)
    for hold in found.holds:
        insert(connection, "holds", **columns(hold, "id call exchange expires_at reason basis placed_by placed_at until remind_at "
                                              "released_at released_by"))
    for intent in found.intents:
        insert(connection, "destructions", **columns(intent, "number key whole as_of begun_at fingerprint calls step files digests "
                                                     "digests_sha256 unregistered certificate_sha256 finished_at"))
    for run in found.runs:
        insert(connection, "runs", id=1, **columns(run, "started_at finished_at outcome boot since_boot"))
    for gap in found.gaps:
        insert(connection, "gaps", **columns(gap, "id exchange cause began_at ended_at"))
    for finding in found.findings:
        insert(connection, "findings", **columns(finding, "id exchange kind subject call outcome at found_at"))
    if version >= "0007":
        fill_trail(connection, found)
        for account in found.accounts:
            fill_account(connection, account)


def fill_trail(connection: Connection, found: Kept) -> None:
    head, signature = found.forgotten
    insert(connection, "audit_checkpoints", number=head.number, digest=head.digest, at=head.at, signature=signature)
    for link in found.trail:
        insert(connection, "audit_entries", detail=DETAILS[link.entry.number], previous=link.previous, digest=link.digest,
               **columns(link.entry, "number at actor action object purpose outcome reason"))


def fill_account(connection: Connection, account: Account) -> None:
    tries = {"failed": account.attempts.failed, "last_failed_at": account.attempts.last, "locked_until": account.attempts.locked_until}
    insert(connection, "accounts", **tries, **columns(
        account, "id login name language created_at password codes last_step clearance_until disabled_at"))
    for duty in account.duties:
        insert(connection, "account_duties", account=account.id, duty=duty)
    for kind, names in (("team", account.scope.teams), ("queue", account.scope.queues)):
        for name in names:
            insert(connection, "account_scopes", account=account.id, kind=kind, name=name)


def fill_call(connection: Connection, call: Entry, version: str) -> None:
    digits = {"caller_digits": "358401234567" if call.caller else "", "caller_tail": "1234567" if call.caller else "",
              "callee_digits": "295000000", "callee_tail": "5000000", "entry_sha256": OTHER}
    silences = {"silences": f'[{{"why": "paused", "by": "PJSIP/6001", "began_at": "{call.silences[0].began_at.isoformat()}", '
                            f'"ended_at": "{call.silences[0].ended_at.isoformat()}"}}]'} if call.silences else {}
    insert(connection, "calls", **digits, **silences, **columns(
        call, "expiry_day id exchange direction route reason origin caller callee uniqueid linkedid started_at answered_at ended_at expires_at"
              + since("0008", version, " queue")))
    of_call = {"expiry_day": call.expiry_day, "call_id": call.id, "exchange": call.exchange}
    for recording in call.recordings:
        sound = columns(recording.audio, "file frames rate size sha256 sealed_size sealed_sha256 found_sha256") if recording.audio else {}
        insert(connection, "recordings", **of_call, **columns(recording, "id segment state"), **sound)
    for position, party in enumerate(call.participants, 1):
        insert(connection, "participants", **of_call, position=position, **columns(
            party, "interface name joined_at left_at" + since("0008", version, " team")),
            **({"started_at": call.started_at} if version >= "0008" else {}))
    if call.notice:
        insert(connection, "notice_proofs", **of_call, **columns(
            call.notice, "prompt language version sha256 samples heard_samples at witness" + since("0004", version, " pressed")))


def since(first: str, version: str, names: str) -> str:
    """The names of columns that `version` has, if they came with `first`."""
    return names if version >= first else ""


def columns(value: object, names: str) -> Mapping[str, Any]:
    return {name: getattr(value, name) for name in names.split()}


def insert(connection: Connection, table: str, **values: Any) -> None:
    """Write one row: a UUID, a day and an instant as the text in which either database has kept them since 0001."""
    sqlite = connection.dialect.name == "sqlite"

    def plain(value: Any) -> Any:
        if isinstance(value, UUID):
            return value.hex if sqlite else str(value)
        if isinstance(value, datetime):
            return value.isoformat(timespec="microseconds")
        return value if value is None or isinstance(value, int | float | bool) else str(value)

    names = ", ".join(f'"{name}"' for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})"),
                       {name: plain(value) for name, value in values.items()})
