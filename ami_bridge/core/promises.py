"""The clauses of the privacy notice, and for each what shows that it is kept: a table of checks. Pure.

A check is one line: what is looked at, and the function from what was seen to the verdict. What no program can see says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from ami_bridge.core import promise_people as people
from ami_bridge.core import promise_verdicts as judge
from ami_bridge.core.promise_declared import DECLARED, VERBS
from ami_bridge.core.promise_evidence import Accounts, Late, Rest, Said, Staff, Unseen, Verdict, broken, kept, many, unclear

CLAUSES = {
    "N1": "callers are told at the start of the call if it is recorded",
    "N2": "purposes: as configured, and no other",
    "N3": "training material is anonymised by reasonable means",
    "N4": "stored: audio, direction, time, duration, numbers, name of the agent; nothing more",
    "N5": "no profiling, no automated decisions",
    "N6": "no disclosure but where the law or the controller allows it",
    "N7": "no transfer outside the EU/EEA",
    "N8": "kept for the days promised, then removed automatically",
    "N9": "protected from unauthorised viewing, alteration and destruction",
    "N10": "rights are granted by duty, through personal accounts",
    "N11": "a caller may inspect the data of their own call",
    "N12": "a caller may complain to the supervisory authority; contacts are given",
}
"""What the notice promises, in short."""

def _by_verbs(promise: str, verbs: Iterable[str]) -> Said:
    """Judge a promise that holds because none of our verbs breaks it: as long as all were looked at."""
    return people.unknown_verb(verbs) or kept(f"{promise} ({len(VERBS)} verbs are declared)")


def _scoring(tables: Any, verbs: Iterable[str]) -> Said:
    said = judge.columns(tables, DECLARED)
    return said if said.verdict is not Verdict.KEPT else _by_verbs("no verb, table or column scores or rates anybody", verbs)


def _keys(seen: Late | None) -> Said:
    if seen is None:
        return unclear("the private keys are on another host", "Run 'ami-bridge keys list' there: no past day may be left.")
    return judge.late(seen, "private key of a day")


def _timer(planned: bool) -> Said:
    if not planned:
        return unclear("nothing that starts the purge every night was found",
                       "Start ami-bridge-purge.timer, or see what starts it; the daemon alarms when it did not run.")
    return kept("the purge is started every night")


def _modes(seen: Iterable[str]) -> Said:
    found = list(seen)
    if found:
        return broken(f"open to others: {', '.join(found[:3])}" + (f" and {len(found) - 3} more" if len(found) > 3 else ""),
                      "Take the rights from others (chmod o=; private keys: chmod go=).")
    return kept("spool, vault, register, keys and configuration are closed to others")


def _rest(seen: Iterable[Rest]) -> Said:
    found = list(seen)
    plain = [one.place for one in found if one.lies == "plain"]
    if plain:
        return unclear(f"not sealed by us, and no encrypted disk was found under it: {', '.join(plain)}",
                       "See that the disk is encrypted (LUKS); best keep the spool on a tmpfs.")
    away = [one.place for one in found if one.lies == "away"]
    if away:
        return unclear(f"on another machine: {', '.join(away)}", "See that the disk there is encrypted.")
    return kept("what is not sealed lies in memory or on an encrypted disk")


def _certificates(seen: tuple[int, tuple[str, ...]]) -> Said:
    issued, problems = seen
    if problems:
        return broken(problems[0], "Run 'ami-bridge certificate verify', and compare with the backup of the certificates.")
    return kept(f"{many(issued, 'certificate')} of destruction, signed and chained" if issued
                else "nothing was destroyed yet")


def _accounts(seen: Accounts) -> Said:
    keys = ", ".join(seen.keys) if seen.keys is not None else "on another host"
    register = ", ".join(seen.register) if seen.register is not None else "those of its database server"
    return unclear(f"rights are those of the operating system. Read the private keys: {keys}. Read the register: {register}",
                   "See that each account is one person's or one service's, and that nobody else becomes root.")


def _trail(seen: tuple[int, str]) -> Said:
    entries, problem = seen
    if problem:
        return broken(problem, "Run 'ami-bridge audit verify', and find out who has all rights on the database.")
    return kept(f"the trail of {many(entries, 'action')} is whole" if entries else "the trail is empty")


def _duties(seen: Staff) -> Said:
    if seen.mixed:
        return broken(f"{many(seen.mixed, 'account')} with duties that nobody may hold together",
                      "Run 'ami-bridge account list', and revoke one: nobody both listens and grants, keeps or audits.")
    if not seen.accounts:
        return unclear("there is no personal account yet", "Run 'ami-bridge account add' for each person.")
    cleared = f"; {seen.uncleared} of them not cleared, and so refused" if seen.uncleared else ", all of them cleared"
    return kept(f"{many(seen.accounts, 'personal account')}: {seen.hearing} may hear recordings"
                f"{cleared if seen.hearing else ''}")


def _by_hand(reason: str, look: str, seen: Any) -> Said:
    return unclear(reason, look)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of evidence for a clause: what was looked at, the verdict, why, and what a person must look at or do."""

    clause: str
    about: str
    verdict: Verdict
    reason: str
    look: str = ""


class Check(NamedTuple):
    """One line of evidence: for which clause, what is looked at, and how it is judged."""

    clause: str
    about: str
    judged: Callable[[Any], Said]

    def line(self, seen: Any) -> Line:
        """Return the line. Evidence that could not be had leaves the promise unclear, never kept."""
        said = unclear(seen.reason, seen.look) if isinstance(seen, Unseen) else self.judged(seen)
        return Line(clause=self.clause, about=self.about, verdict=said.verdict, reason=said.reason, look=said.look)


CHECKS = (
    Check("N1", "proofs", judge.proofs),
    Check("N1", "proved-prompts", judge.proved),
    Check("N1", "prompts", judge.prompts),
    Check("N1", "rogue-recordings", judge.rogue),
    Check("N2", "purposes", judge.purposes),
    Check("N2", "listening", people.looks),
    Check("N3", "copies", partial(_by_hand, "ami-bridge makes no training copies",
                                  "See that whoever makes some by other means anonymises them.")),
    Check("N4", "columns", partial(judge.columns, declared=DECLARED)),
    Check("N4", "whole", judge.whole),
    Check("N4", "losses", judge.losses),
    Check("N4", "hearing", judge.hearing),
    Check("N5", "scoring", lambda seen: _scoring(*seen)),
    Check("N5", "other-programs", partial(_by_hand, "what other programs do with 'calls --json' or the database is not seen",
                                          "See that nobody's account (N10) feeds a program that profiles.")),
    Check("N6", "exits", partial(_by_verbs, "no verb sends recordings or entries; the console hands out what is listed")),
    Check("N6", "disclosures", people.left),
    Check("N7", "recipients", people.recipients),
    Check("N7", "endpoints", judge.endpoints),
    Check("N7", "storage", judge.storage),
    Check("N8", "entries", partial(judge.late, what="call of the register")),
    Check("N8", "sealed-files", partial(judge.late, what="file of the vault")),
    Check("N8", "keys", _keys),
    Check("N8", "holds", partial(judge.late, what="hold")),
    Check("N8", "spool", partial(judge.late, what="file of the spool")),
    Check("N8", "leftovers", partial(judge.late, what="leftover", remedy="Run 'ami-bridge purge'; see [purge] leftovers.")),
    Check("N8", "journals", partial(judge.late, what="journal",
                                    remedy="Run 'ami-bridge purge'; see [purge] journals and [cel].")),
    Check("N8", "runs", judge.runs),
    Check("N8", "timer", _timer),
    Check("N8", "days", judge.days),
    Check("N8", "elsewhere", judge.elsewhere),
    Check("N9", "sealed", judge.sealed),
    Check("N9", "permissions", _modes),
    Check("N9", "at-rest", _rest),
    Check("N9", "traffic", judge.ways),
    Check("N9", "certificates", _certificates),
    Check("N9", "trail", _trail),
    Check("N9", "backup", partial(_by_hand, "backups are made by others", (
        "See that register, vault and certificates are in one that is tried, and the private keys in none that keeps old "
        "versions."))),
    Check("N10", "accounts", _accounts),
    Check("N10", "duties", _duties),
    Check("N10", "supervision", people.supervision),
    Check("N11", "requests", people.asked),
    Check("N11", "search", partial(judge.trial, what="the search for a call by number",
                                   remedy="Run 'ami-bridge doctor', then 'ami-bridge verify'.")),
    Check("N11", "opening", partial(judge.trial, what="opening the newest recording and its entry",
                                    remedy="Run 'ami-bridge verify --all', and restore what does not open.")),
    Check("N11", "holding", partial(judge.trial, what="asking for the holds", remedy="Run 'ami-bridge doctor'.")),
    Check("N12", "contacts", judge.contacts),
    Check("N12", "published", judge.published),
)
"""All checks, by clause."""


def all_kept(lines: Iterable[Line]) -> bool:
    """Tell whether no line says that a promise is not kept."""
    return all(line.verdict is not Verdict.BROKEN for line in lines)


def verdict_of(lines: Iterable[Line]) -> Verdict:
    """Return the verdict on a clause from its lines: the worst."""
    found = {line.verdict for line in lines}
    return next(verdict for verdict in (Verdict.BROKEN, Verdict.UNCLEAR, Verdict.KEPT) if verdict in found)
