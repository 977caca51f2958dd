"""The table of the notice's promises, and each judgement: kept, not kept, not checkable, always with its reason."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from ami_bridge.cli import VERBS as PROGRAM
from ami_bridge.core.entries import Entry
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.promise_declared import DECLARED, OF_CALLS, VERBS
from ami_bridge.core.promise_evidence import (
    Accounts,
    Days,
    Endpoint,
    Hearing,
    Kept,
    Late,
    Prompts,
    Proved,
    Rest,
    Runs,
    Sealed,
    Staff,
    Storage,
    Texts,
    Told,
    Trial,
    Tried,
    Unseen,
    Verdict,
    Way,
    Whole,
    many,
)
from ami_bridge.core.promise_people import Asked, Left, Looks, Supervision
from ami_bridge.core.promises import CHECKS, CLAUSES, Line, all_kept, verdict_of
from ami_bridge.register import trail_tables
from ami_bridge.register.tables import metadata

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEPT, BROKEN, UNCLEAR = Verdict.KEPT, Verdict.BROKEN, Verdict.UNCLEAR
BY_ABOUT = {check.about: check for check in CHECKS}
PROMPT = ("recorded", "fi", 1, "a" * 64, 9600)


def told(reason: Reason = Reason.ANNOUNCED, direction: Direction = Direction.INBOUND, prompt=PROMPT, whole: bool = True,
         calls: int = 1) -> Told:
    return Told(reason=reason, direction=direction, prompt=prompt, whole=whole, calls=calls)


INTERNAL = told(Reason.NOTICE_NOT_REQUIRED, Direction.INTERNAL, None, False, 2)
MORE_COLUMNS = {**DECLARED, "calls": DECLARED["calls"] | {"mood"}}
LESS_COLUMNS = {**DECLARED, "calls": DECLARED["calls"] - {"direction"}}
DAY = timedelta(days=1)


def runs(last: datetime | None, installed: datetime = NOW - DAY) -> Runs:
    return Runs(last=last, installed=installed, patience=timedelta(hours=26), now=NOW)


def endpoint(here: bool, vouched: bool) -> Endpoint:
    return Endpoint(setting="[ami] host", host="pbx.example", here=here, vouched=vouched)


JUDGED = [
    ("proofs", [], KEPT, "no recording"),
    ("proofs", [told(calls=3), INTERNAL], KEPT, "5 recorded calls: 3 heard the notice to its last sample, 2 internal"),
    ("proofs", [told(calls=3), told(prompt=None, whole=False)], BROKEN, "1 of 4 recorded calls without proof of notice"),
    ("proofs", [told(whole=False)], BROKEN, "not heard to its end"),
    ("proofs", [told(Reason.NOTICE_NOT_REQUIRED, Direction.INBOUND, None, False)], BROKEN, "without notice, and not internal"),
    ("proofs", [told(Reason.OPTED_OUT)], BROKEN, "that should not have been"),
    ("proved-prompts", Proved(named=0), KEPT, "no proof"),
    ("proved-prompts", Proved(named=1), KEPT, "1 version of notices"),
    ("proved-prompts", Proved(named=1, unknown=("recorded version 1 in fi",)), BROKEN, "the store lacks it"),
    ("proved-prompts", Proved(named=1, changed=("recorded version 1 in fi",)), BROKEN, "not the one that callers heard"),
    ("prompts", Prompts(there=2), KEPT, "2 notices"),
    ("prompts", Prompts(there=2, lacking=("recorded in sv (route in)",)), BROKEN, "recorded in sv"),
    ("prompts", Prompts(there=2, harmed=("x.wav was changed since it was added",)), BROKEN, "x.wav was changed"),
    ("rogue-recordings", 0, KEPT, "no recording"),
    ("rogue-recordings", 2, BROKEN, "2 recordings that another program made"),
    ("purposes", Texts(there=2), KEPT, "2 purposes"),
    ("purposes", Texts(there=2, missing=("[purposes] sv",)), BROKEN, "[purposes] sv"),
    ("listening", (VERBS, Looks()), KEPT, "nobody looked"),
    ("listening", (VERBS, Looks(asked=3)), KEPT, "3 looks at calls, each for a purpose"),
    ("listening", (VERBS, Looks(asked=3, typed=1)), UNCLEAR, "1 look at calls from the command line without a purpose, of before it asked for one"),
    ("listening", (VERBS, Looks(asked=3, foreign=2)), UNCLEAR, "2 looks at calls, for a purpose that is not configured now"),
    ("listening", (VERBS, Looks(asked=3, bare=2, typed=1)), BROKEN, "2 looks at calls by personal accounts, without a purpose"),
    ("listening", (VERBS | {"play"}, Looks()), UNCLEAR, "the verb play is not among those declared"),
    ("copies", None, UNCLEAR, "no training copies"),
    ("columns", Kept(DECLARED), KEPT, "exactly as declared"),
    ("columns", Kept(MORE_COLUMNS), BROKEN, "calls.mood is not declared"),
    ("columns", Kept(LESS_COLUMNS), BROKEN, "calls.direction is not there"),
    ("columns", Kept({**DECLARED, "scores": frozenset({"caller"})}), BROKEN, "scores.caller is not declared"),
    ("whole", Whole(registered=4), KEPT, "4 sealed files"),
    ("whole", Whole(registered=4, absent=1), BROKEN, "1 sealed file registered and not in the vault"),
    ("whole", Whole(registered=4, stray=2), BROKEN, "2 files in the vault of no entry"),
    ("losses", 0, KEPT, "no sound was lost"),
    ("losses", 1, BROKEN, "the sound of 1 call was lost"),
    ("hearing", Hearing(None, True), KEPT, "is heard"),
    ("hearing", Hearing(NOW, True), UNCLEAR, "since 2026-11-25 12:00 UTC"),
    ("hearing", Hearing(None, False), UNCLEAR, "does not run"),
    ("scoring", (Kept(DECLARED), VERBS), KEPT, "scores or rates"),
    ("scoring", (Kept(DECLARED), VERBS | {"rate"}), UNCLEAR, "the verb rate"),
    ("scoring", (Kept(MORE_COLUMNS), VERBS), BROKEN, "calls.mood"),
    ("other-programs", None, UNCLEAR, "other programs"),
    ("exits", VERBS, KEPT, "no verb sends recordings"),
    ("exits", VERBS | {"send"}, UNCLEAR, "the verb send"),
    ("disclosures", Left(), KEPT, "nothing was handed out"),
    ("disclosures", Left(files=2), KEPT, "2 files handed out, each with its recipient"),
    ("disclosures", Left(files=2, alone=1), BROKEN, "1 file handed out that no second person agreed to"),
    ("disclosures", Left(files=2, bare=1), BROKEN, "without recipient or statute"),
    ("disclosures", Left(files=2, unlisted=3), BROKEN, "3 files handed out in the trail, and not in the register"),
    ("recipients", frozenset(), KEPT, "nothing was handed out"),
    ("recipients", frozenset({"SE", "FI"}), KEPT, "went to FI, SE"),
    ("recipients", frozenset({"FI", "US"}), BROKEN, "to US, outside the EU/EEA"),
    ("endpoints", [endpoint(True, False)], KEPT, "on this machine"),
    ("endpoints", [endpoint(False, True)], KEPT, "vouches for pbx.example"),
    ("endpoints", [endpoint(False, False)], BROKEN, "pbx.example is not vouched for"),
    ("storage", [], KEPT, "disks of this machine"),
    ("storage", [Storage(folder="[vault] directory", kind="nfs4", host="nas", vouched=True)], KEPT, "vouches for nas"),
    ("storage", [Storage(folder="[vault] directory", kind="nfs4", host="nas", vouched=False)], BROKEN, "lies on nas (nfs4)"),
    *((about, Late(0), KEPT, "past its time") for about in ("entries", "sealed-files", "keys", "holds", "spool", "leftovers",
                                                            "journals")),
    *((about, Late(2, NOW), BROKEN, "past its time and still here: 2 ") for about in (
        "entries", "sealed-files", "keys", "holds", "spool", "leftovers", "journals")),
    ("keys", None, UNCLEAR, "on another host"),
    ("runs", runs(NOW - DAY), KEPT, "2026-11-24 12:00"),
    ("runs", runs(None), KEPT, "not overdue"),
    ("runs", runs(NOW - 2 * DAY), BROKEN, "no good run since 2026-11-23"),
    ("runs", runs(None, NOW - 2 * DAY), BROKEN, "no good run yet"),
    ("timer", True, KEPT, "every night"),
    ("timer", False, UNCLEAR, "nothing that starts the purge"),
    ("days", Days(promised=31, furthest=31), KEPT, "31 days"),
    ("days", Days(promised=31, longer=("sales",)), BROKEN, "routes sales"),
    ("days", Days(promised=14, furthest=31), UNCLEAR, "14 days are promised, and a call is kept for 31 more"),
    ("elsewhere", 0, KEPT, "nothing else"),
    ("elsewhere", 3, UNCLEAR, "3 places"),
    ("sealed", Sealed(files=0, looked=0), KEPT, "empty"),
    ("sealed", Sealed(files=4, looked=2), KEPT, "4 files in the vault, all named as sealed; the beginning of 2"),
    ("sealed", Sealed(files=4, looked=2, bare=1, folder="/vault/2026-12-24"), BROKEN, "1 file in the vault not sealed, one in /vault"),
    ("permissions", [], KEPT, "closed to others"),
    ("permissions", ["/a", "/b", "/c", "/d"], BROKEN, "open to others: /a, /b, /c and 1 more"),
    ("at-rest", [Rest("spool", "memory"), Rest("register", "encrypted")], KEPT, "in memory or on an encrypted disk"),
    ("at-rest", [Rest("spool", "plain"), Rest("register", "encrypted")], UNCLEAR, "under it: spool"),
    ("at-rest", [Rest("register", "away")], UNCLEAR, "on another machine: register"),
    ("traffic", [], KEPT, "stays on this machine"),
    ("traffic", [Way(what="register", host="db", safe=True)], KEPT, "by TLS"),
    ("traffic", [Way(what="register", host="db", safe=False)], BROKEN, "in the clear: register (db)"),
    ("traffic", [Way(what="ami", host="pbx", safe=None)], UNCLEAR, "not encrypted by us: ami (pbx)"),
    ("certificates", (0, ()), KEPT, "nothing was destroyed"),
    ("certificates", (3, ()), KEPT, "3 certificates"),
    ("certificates", (3, ("certificate 000002 has a wrong signature",)), BROKEN, "000002"),
    ("backup", None, UNCLEAR, "backups"),
    ("accounts", Accounts(keys=("ami-bridge", "root"), register=None), UNCLEAR, "Read the private keys: ami-bridge, root"),
    ("accounts", Accounts(keys=None, register=("root",)), UNCLEAR, "on another host. Read the register: root"),
    ("duties", Staff(accounts=0), UNCLEAR, "no personal account"),
    ("duties", Staff(accounts=3), KEPT, "3 personal accounts: 0 may hear recordings"),
    ("duties", Staff(accounts=3, hearing=2), KEPT, "2 may hear recordings, all of them cleared"),
    ("duties", Staff(accounts=3, hearing=2, uncleared=1), KEPT, "1 of them not cleared, and so refused"),
    ("duties", Staff(accounts=3, hearing=2, mixed=1), BROKEN, "1 account with duties that nobody may hold together"),
    ("supervision", Supervision(auditors=0, read_at=NOW, now=NOW), UNCLEAR, "nobody who can sign in may read"),
    ("supervision", Supervision(auditors=1, read_at=None, now=NOW), UNCLEAR, "nobody has read the trail yet"),
    ("supervision", Supervision(auditors=1, read_at=NOW - 93 * DAY, now=NOW), UNCLEAR, "nobody has read the trail since 2026-08-24"),
    ("supervision", Supervision(auditors=1, read_at=NOW - DAY, now=NOW), KEPT, "last read on 2026-11-24"),
    ("requests", Asked(), KEPT, "no request of a caller waits"),
    ("requests", Asked(waiting=2), KEPT, "2 requests of callers waiting, none of them late"),
    ("requests", Asked(waiting=2, late=1, since=NOW), BROKEN, "1 request of callers not answered in time, since 2026-11-25"),
    ("trail", (0, ""), KEPT, "empty"),
    ("trail", (5, ""), KEPT, "5 actions is whole"),
    ("trail", (5, "entry 3 was removed"), BROKEN, "entry 3 was removed"),
    *((about, Trial(Tried.WORKED), KEPT, "worked") for about in ("search", "opening", "holding")),
    *((about, Trial(Tried.FAILED, "it broke"), BROKEN, "failed: it broke") for about in ("search", "opening", "holding")),
    ("search", Trial(Tried.NOTHING), UNCLEAR, "nothing to try"),
    ("opening", Trial(Tried.APART), UNCLEAR, "another host"),
    ("contacts", Texts(there=7), KEPT, "7 settings"),
    ("contacts", Texts(there=7, missing=("[controller] address",)), BROKEN, "[controller] address"),
    ("contacts", Texts(there=7, foreign=("se",)), UNCLEAR, "no texts in se"),
    ("published", None, UNCLEAR, "published"),
    ("published", (), KEPT, "what the configuration says"),
    ("published", ("sv",), BROKEN, "sv"),
]


@pytest.mark.parametrize(("about", "seen", "verdict", "words"), JUDGED)
def test_each_judgement_follows_from_what_is_seen_and_says_why(about: str, seen: object, verdict: Verdict, words: str) -> None:
    line = BY_ABOUT[about].line(seen)
    assert line.verdict is verdict and words in line.reason, line
    assert bool(line.look) == (verdict is not Verdict.KEPT), "what is not kept, or not checkable, says what to do"


def test_every_check_is_judged_above_and_every_clause_has_checks_in_order() -> None:
    assert {about for about, *_ in JUDGED} == set(BY_ABOUT) and len(BY_ABOUT) == len(CHECKS)
    assert list(dict.fromkeys(check.clause for check in CHECKS)) == list(CLAUSES) == [f"N{n}" for n in range(1, 13)]


def test_evidence_that_could_not_be_had_is_never_taken_for_a_promise_kept() -> None:
    for check in CHECKS:
        line = check.line(Unseen("the register does not answer", "See why."))
        assert (line.verdict, line.reason, line.look) == (UNCLEAR, "the register does not answer", "See why.")


def test_the_worst_line_decides() -> None:
    lines = [Line(clause="N1", about="x", verdict=verdict, reason="r") for verdict in (KEPT, UNCLEAR, BROKEN)]
    assert verdict_of(lines) is BROKEN and verdict_of(lines[:2]) is UNCLEAR and verdict_of(lines[:1]) is KEPT
    assert all_kept(lines[:2]) and not all_kept(lines)


def test_what_is_declared_is_what_our_tables_are() -> None:
    ours = {table.name: frozenset(table.columns.keys()) for table in metadata.tables.values()}
    assert trail_tables.accounts.name in ours
    assert ours == {name: columns for name, columns in DECLARED.items() if name != "alembic_version"}


def test_a_sealed_entry_holds_nothing_that_is_not_declared() -> None:
    below = {"participants", "notice", "recordings"}
    assert {field.name for field in fields(Entry)} - below <= OF_CALLS["calls"]


def test_every_verb_of_the_program_was_looked_at() -> None:
    assert set(PROGRAM) <= VERBS


def test_counts_take_their_plural() -> None:
    assert (many(1, "file of the vault"), many(2, "file of the vault"), many(0, "call")) == (
        "1 file of the vault", "2 files of the vault", "0 calls")
