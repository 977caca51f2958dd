"""One function a check: from what was seen to the verdict, its reason, and what a person must do. Pure."""

from collections.abc import Iterable, Mapping

from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.promise_evidence import (
    Days,
    Endpoint,
    Hearing,
    Kept,
    Late,
    Prompts,
    Proved,
    Runs,
    Said,
    Sealed,
    Storage,
    Texts,
    Told,
    Trial,
    Tried,
    Way,
    Whole,
    broken,
    kept,
    many,
    unclear,
)

PURGE = "Run 'ami-bridge purge', and see why it did not run."
VERIFY = "Run 'ami-bridge verify': it names each file, and what to do."
FINDINGS = "See 'ami-bridge findings'."
NOT_TOLD = "See 'ami-bridge calls --json' for the calls without a proof; the controller decides what becomes of them."


def proofs(seen: Iterable[Told]) -> Said:
    """Judge whether every recorded call was told of it to the last sample, or is internal."""
    told = list(seen)
    if not told:
        return kept("no recording is kept")
    total = sum(one.calls for one in told)
    for wrong, what in ((_without_proof, "without proof of notice"), (_cut, "with a notice not heard to its end"),
                        (_untold, "without notice, and not internal"),
                        (_unwanted, "that should not have been")):
        count = sum(one.calls for one in told if wrong(one))
        if count:
            return broken(f"{count} of {many(total, 'recorded call')} {what}", NOT_TOLD)
    internal = sum(one.calls for one in told if one.reason is Reason.NOTICE_NOT_REQUIRED)
    return kept(f"{many(total, 'recorded call')}: {total - internal} heard the notice to its last sample, "
                f"{internal} internal without one")


def _without_proof(one: Told) -> bool:
    return one.reason is Reason.ANNOUNCED and one.prompt is None


def _cut(one: Told) -> bool:
    return one.reason is Reason.ANNOUNCED and one.prompt is not None and not one.whole


def _untold(one: Told) -> bool:
    return one.reason is Reason.NOTICE_NOT_REQUIRED and one.direction is not Direction.INTERNAL


def _unwanted(one: Told) -> bool:
    return one.reason not in (Reason.ANNOUNCED, Reason.NOTICE_NOT_REQUIRED)


def proved(seen: Proved) -> Said:
    """Judge whether what callers heard can still be played to an auditor."""
    if seen.changed:
        return broken(f"{', '.join(seen.changed)}: the sound is not the one that callers heard", "Restore it from a backup.")
    if seen.unknown:
        return broken(f"{', '.join(seen.unknown)}: callers heard it, and the store lacks it", "Restore it from a backup.")
    if not seen.named:
        return kept("no proof is kept")
    return kept(f"{many(seen.named, 'version')} of notices named by proofs, all in the store and unharmed")


def prompts(seen: Prompts) -> Said:
    """Judge the current notices: there in every language of every route, and unharmed."""
    if seen.harmed:
        return broken(seen.harmed[0], "Add it again with 'ami-bridge notice add', or run 'ami-bridge notice publish'.")
    if seen.lacking:
        return broken(f"not there: {', '.join(seen.lacking)}", "Run 'ami-bridge notice add FILE --name NAME --language L'.")
    return kept(f"{many(seen.there, 'notice')} there and unharmed, in every language of every route")


def rogue(count: int) -> Said:
    """Judge recordings that are not ours: their callers were told nothing by us."""
    if count:
        return broken(f"{many(count, 'recording')} that another program made", FINDINGS)
    return kept("no recording of another program was found")


def losses(count: int) -> Said:
    """Judge calls that were to be recorded and have no sound."""
    return broken(f"the sound of {many(count, 'call')} was lost", FINDINGS) if count else kept("no sound was lost")


def hearing(seen: Hearing) -> Said:
    """Judge whether the exchange is heard now: what happens in a gap is known when it was compared."""
    if seen.gap_since:
        return unclear(f"the exchange has not been heard since {seen.gap_since:%Y-%m-%d %H:%M} UTC",
                       "Look at 'ami-bridge status'; check again when the gap is closed.")
    if not seen.running:
        return unclear("the daemon does not run: nobody hears the exchange", "Start it, and check again.")
    return kept("the exchange is heard: no gap is open")


def purposes(seen: Texts) -> Said:
    """Judge whether the purposes are said in each language."""
    if seen.missing:
        return broken(f"not configured: {', '.join(seen.missing)}", "Set them in [purposes].")
    return kept(f"{many(seen.there, 'purpose')} configured, in each language that we have texts in")


def contacts(seen: Texts) -> Said:
    """Judge the settings by which a caller finds the controller and the authority."""
    if seen.missing:
        return broken(f"not configured: {', '.join(seen.missing)}", "Set them: the notice needs them (GDPR article 13).")
    if seen.foreign:
        return unclear(f"configured; but ami-bridge has no texts in {', '.join(seen.foreign)}",
                       "See that the notice in these languages names controller and authority.")
    return kept(f"{many(seen.there, 'setting')} configured: controller, contacts, officer, authority")


def columns(seen: Kept, declared: Mapping[str, frozenset[str]]) -> Said:
    """Judge whether the database keeps exactly what is declared."""
    more = sorted(_names(seen.columns) - _names(declared))
    less = sorted(_names(declared) - _names(seen.columns))
    if more or less:
        what = [f"{name} is not declared" for name in more] + [f"{name} is not there" for name in less]
        return broken("; ".join(what[:3]), "See who changed the database; the register holds what it was made for, no more.")
    count = sum(map(len, seen.columns.values()))
    return kept(f"{many(len(seen.columns), 'table')}, {many(count, 'column')}: exactly as declared")


def _names(tables: Mapping[str, frozenset[str]]) -> set[str]:
    return {f"{table}.{column}" for table, names in tables.items() for column in names}


def whole(seen: Whole) -> Said:
    """Judge whether register and vault hold the same."""
    if seen.absent:
        return broken(f"{many(seen.absent, 'sealed file')} registered and not in the vault", VERIFY)
    if seen.stray:
        return broken(f"{many(seen.stray, 'file')} in the vault of no entry", VERIFY)
    return kept(f"{many(seen.registered, 'sealed file')} registered, all in the vault, and no other")


def endpoints(seen: Iterable[Endpoint]) -> Said:
    """Judge where register, mail and manager interface are."""
    found = list(seen)
    strange = [one for one in found if not (one.here or one.vouched)]
    if strange:
        return broken(f"{strange[0].setting}: {strange[0].host} is not vouched for",
                      "List it in [controller] endpoints, or leave it.")
    away = [f"{one.host} ({one.setting})" for one in found if not one.here]
    if away:
        return kept(f"the controller vouches for {', '.join(away)}; all others are this machine")
    return kept("register, mail server and manager interface are on this machine")


def storage(seen: Iterable[Storage]) -> Said:
    """Judge folders of ours that lie on another machine."""
    found = list(seen)
    for one in found:
        if not one.vouched:
            return broken(f"{one.folder} lies on {one.host} ({one.kind}), which is not vouched for",
                          "If it is in the EU or EEA, list that host in [controller] endpoints; else nothing may lie there.")
    if found:
        return kept(f"the controller vouches for {', '.join(sorted({one.host for one in found}))}, where folders lie")
    return kept("all folders are on disks of this machine")


def late(seen: Late, what: str, remedy: str = PURGE) -> Said:
    """Judge what must have gone by now."""
    if seen.count:
        since = f", since {seen.since:%Y-%m-%d %H:%M} UTC" if seen.since else ""
        return broken(f"past its time and still here: {many(seen.count, what)}{since}", remedy)
    return kept(f"no {what} is past its time")


def runs(seen: Runs) -> Said:
    """Judge whether the nightly job ran in time."""
    if seen.now - (seen.last or seen.installed) > seen.patience:
        since = f"since {seen.last:%Y-%m-%d %H:%M} UTC" if seen.last else "yet"
        return broken(f"the purge has had no good run {since}", PURGE)
    return kept(f"the last good run of the purge ended at {seen.last:%Y-%m-%d %H:%M} UTC" if seen.last
                else "the purge has not run yet, and is not overdue")


def days(seen: Days) -> Said:
    """Judge the days of retention against what is kept."""
    if seen.longer:
        return broken(f"kept longer than promised: routes {', '.join(seen.longer)}",
                      "Set their days to no more than [retention] days.")
    if seen.furthest > seen.promised:
        return unclear(f"{seen.promised} days are promised, and a call is kept for {seen.furthest:.0f} more",
                       "See that [retention] days was larger when that call came, as its caller was told.")
    return kept(f"{seen.promised} days are promised, and nothing is kept longer")


def elsewhere(count: int) -> Said:
    """Judge the places of other programs that hold callers' data, as the doctor counts them."""
    if count:
        return unclear(f"{many(count, 'place')} outside our folders that no run of ours clears, or that are shut",
                       "Run 'ami-bridge doctor' as root: its lines 'places' name them. See that all of it goes in time.")
    return kept("nothing else with callers' data was found on this machine")


def sealed(seen: Sealed) -> Said:
    """Judge whether all that lies in the vault is sealed."""
    if seen.bare:
        return broken(f"{many(seen.bare, 'file')} in the vault not sealed, one in {seen.folder}",
                      "Nothing of ours puts it there: see what it is, and remove it.")
    if not seen.files:
        return kept("the vault is empty")
    return kept(f"{many(seen.files, 'file')} in the vault, all named as sealed; the beginning of {seen.looked} was read")


def ways(seen: Iterable[Way]) -> Said:
    """Judge whether callers' data is protected on its way."""
    found = list(seen)
    bare = [f"{one.what} ({one.host})" for one in found if one.safe is False]
    if bare:
        return broken(f"goes in the clear: {', '.join(bare)}", "Ask for TLS: sslmode=verify-full in the URL.")
    others = [f"{one.what} ({one.host})" for one in found if one.safe is None]
    if others:
        return unclear(f"is not encrypted by us: {', '.join(others)}", "See that a tunnel protects it (WireGuard, IPsec).")
    return kept("what we say to others stays on this machine, or goes by TLS")


def trial(seen: Trial, what: str, remedy: str) -> Said:
    """Judge what was tried."""
    match seen.how:
        case Tried.FAILED:
            return broken(f"{what} failed: {seen.why}", remedy)
        case Tried.APART:
            return unclear(f"{what} cannot be tried: {seen.how}", "Run this check where the private keys are.")
        case Tried.NOTHING:
            return unclear(f"{what}: {seen.how}", "Check again when a call is registered.")
        case _:
            return kept(f"{what} worked")
