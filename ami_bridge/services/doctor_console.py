"""The doctor's look at the console: does it answer, with which certificate, and are the people there whom it needs."""

import grp
import os
import pwd
from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from ami_bridge import __version__
from ami_bridge.asterisk.process import Identity
from ami_bridge.config import Config
from ami_bridge.config.console import ConsoleServer
from ami_bridge.core.accounts import Account
from ami_bridge.core.staffing import Lack, lacks
from ami_bridge.credentials import Codes
from ami_bridge.services.certificate_pair import PAIR, why_not
from ami_bridge.services.console_call import Answer, knock
from ami_bridge.services.findings import Finding, error, ok, warning
from ami_bridge.services.system_user import USER

NAME, CERTIFICATE, STAFF, CODES = "console", "console-certificate", "console-staff", "console-codes"
SOON = timedelta(days=30)
EVERYBODY, GROUP = 0o007, 0o070
RESTART = "systemctl restart ami-bridge-console"
GIVE = "Run 'ami-bridge account grant LOGIN {}' for somebody who can sign in."
SAID = {
    Lack.ADMINISTRATOR: ("nobody who can sign in may look after accounts", GIVE.format("account-administrator")),
    Lack.OFFICER: ("nobody who can sign in may answer callers who ask", GIVE.format("data-protection-officer")),
    Lack.SECOND: ("there is no second person to approve what the data-protection officer proposes: nothing can be handed "
                  "out, no hold released", GIVE.format("retention-officer")),
    Lack.AUDITOR: ("nobody who can sign in may read the trail", GIVE.format("auditor")),
    Lack.SIGN_IN: ("{} open without a password or one-time codes: nobody can sign in with it",
                   "Run 'ami-bridge account password LOGIN' and 'account codes LOGIN', or 'account disable LOGIN'."),
    Lack.CLEARANCE: ("{} may hear recordings by duty, without a valid security clearance: refused",
                     "Run 'ami-bridge account clearance LOGIN --until DATE' when it was renewed, or revoke the duty."),
}
"""What is said of each lack, and what to do."""


def console(config: Config) -> Iterator[Finding]:
    """Look at the console. Without accounts nobody can use it, so it need not run."""
    from ami_bridge.register import Register

    answer, now = knock(config.console), datetime.now(UTC)
    with closing(Register.open(config.register.url)) as register, register.reading() as work:
        accounts = work.accounts.all()
    yield answers(answer, bool(accounts))
    if config.console.certificate and config.console.key:
        yield from certificate(config.console, answer, now)
    yield from staff(accounts, now, answer.ours)
    yield from codes(accounts, Codes(config.accounts.key))


def answers(answer: Answer, used: bool) -> Finding:
    """Judge whether it answers; ``used``: there are accounts."""
    if not answer.answered:
        said = f"nobody listens on {answer.address}"
        return warning(NAME, said, "Run 'systemctl enable --now ami-bridge-console', or see its log.") if used else ok(
            NAME, f"{said}, and there are no accounts: it is not in use")
    if not answer.ours:
        return warning(NAME, f"what listens on {answer.address} is not the console, or does not know its name",
                       "See [console] host, port and names.")
    if answer.version != __version__:
        return warning(NAME, f"the console on {answer.address} is still version {answer.version}", f"Run '{RESTART}'.")
    return ok(NAME, f"answers on {answer.address}")


def certificate(console: ConsoleServer, answer: Answer, now: datetime) -> Iterator[Finding]:
    """Judge the certificate and its key: they belong together, hold on, and the key is closed to others."""
    file, key = console.certificate, console.key
    assert file and key
    wrong = why_not(file, key)
    if wrong:
        yield error(CERTIFICATE, wrong, PAIR)
        return
    found = x509.load_pem_x509_certificates(file.read_bytes())[0]
    faults = [*lasts(found, now), *unnamed(found, console.names), *open_to_others(key), *unread((file, key))]
    if answer.certificate and answer.certificate != found.fingerprint(SHA256()).hex():
        faults.append(warning(CERTIFICATE, f"the console still shows another certificate than {file}", f"Run '{RESTART}'."))
    ends = found.not_valid_after_utc
    yield from faults or [ok(CERTIFICATE, f"holds until {ends:%Y-%m-%d}, and its key is closed to others")]


def lasts(found: x509.Certificate, now: datetime) -> Iterator[Finding]:
    """Judge how long a certificate holds on."""
    ends = found.not_valid_after_utc
    if ends <= now:
        yield error(CERTIFICATE, f"ended on {ends:%Y-%m-%d}: browsers refuse the console", f"Renew it, then '{RESTART}'.")
    elif ends <= now + SOON:
        yield warning(CERTIFICATE, f"ends on {ends:%Y-%m-%d}", f"Renew it, then '{RESTART}'.")


def unnamed(found: x509.Certificate, names: Collection[str]) -> Iterator[Finding]:
    """Yield each of ``[console] names`` that the certificate does not name."""
    absent = [name for name in names if not covers(found, name)]
    if absent:
        yield warning(CERTIFICATE, f"does not name {', '.join(absent)}: browsers refuse the console by that name",
                      "Get a certificate for each of [console] names, or take the name out.")


def covers(found: x509.Certificate, name: str) -> bool:
    """Tell whether a certificate is for a host. Source: RFC 9525, section 6.3 (a wildcard stands for one first label)."""
    try:
        held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ip_address(name) in held.get_values_for_type(x509.IPAddress)
    except ValueError:
        hosts = {host.lower() for host in held.get_values_for_type(x509.DNSName)}
        return bool(hosts & {name.lower(), f"*.{name.lower().partition('.')[2]}"})


def open_to_others(key: Path) -> Iterator[Finding]:
    """Judge the mode of the private key: for its owner, and for the group of the service's user at the most."""
    found = key.stat()
    of_the_service = found.st_gid in (0, _own_group())
    if found.st_mode & EVERYBODY or (found.st_mode & GROUP and not of_the_service):
        yield error(CERTIFICATE, f"{key} is open to others: they can pass for the console",
                    f"Run 'chgrp {USER} {key}' and 'chmod 0640 {key}'; get a new one when somebody may have read it.")


def unread(files: Collection[Path]) -> Iterator[Finding]:
    """Yield the files that the service's user does not get to."""
    who = _service()
    bars = [(file, who.stopped_at(file.resolve(), os.R_OK)) for file in files] if who else []
    for file, bar in bars:
        if bar:
            barred = "" if bar == file else f": {bar} is in the way"
            yield error(CERTIFICATE, f"the user {USER} cannot read {file}{barred}",
                        "Put a copy where it can, by owner, group and mode.")


def staff(accounts: Collection[Account], now: datetime, running: bool) -> Iterator[Finding]:
    """Judge the people: somebody for each duty, two to agree, and all able to do what is theirs."""
    if not accounts:
        if running:
            yield warning(STAFF, "there are no accounts: nobody can sign in", "Run 'ami-bridge account add'.")
        return
    found = lacks(accounts, now)
    faults = [warning(STAFF, SAID[lack][0].format(_many(count)), SAID[lack][1]) for lack, count in found.items()]
    yield from faults or [ok(STAFF, f"{_many(len(accounts))}: somebody for each duty, and a second person to approve")]


def codes(accounts: Collection[Account], key: Codes) -> Iterator[Finding]:
    """Open the one-time codes of all accounts that are not shut with the key that should have sealed them."""
    kept = [(one.id, one.codes) for one in accounts if one.disabled_at is None and one.codes]
    count, problem = key.unreadable(kept)
    if problem:
        yield error(CODES, f"{_many(count)} cannot sign in: {problem.args[0]}", problem.hint)
    elif kept:
        yield ok(CODES, f"{key.key} opens the one-time codes of {_many(len(kept))}")


def _many(count: int) -> str:
    return f"{count} account" + "s" * (count != 1)


def _service() -> Identity | None:
    """The user that the console runs as; None where there is none, on a machine of a trial."""
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return None
    return Identity(user.pw_uid, user.pw_gid, frozenset(os.getgrouplist(USER, user.pw_gid)))


def _own_group() -> int:
    try:
        return grp.getgrnam(USER).gr_gid
    except KeyError:
        return 0
