"""Whether the people who are there can do the work together: somebody for each duty, and two where two must agree. Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum

from ami_bridge.core.accounts import Account
from ami_bridge.core.duties import Duty, hears
from ami_bridge.core.proposals import APPROVERS


class Lack(StrEnum):
    """What is lacking, so that some work cannot be done, or some person cannot do it."""

    ADMINISTRATOR = "no-account-administrator"
    OFFICER = "no-data-protection-officer"
    SECOND = "no-second-person"
    AUDITOR = "no-auditor"
    SIGN_IN = "cannot-sign-in"
    CLEARANCE = "not-cleared"


def lacks(accounts: Collection[Account], now: datetime) -> dict[Lack, int]:
    """Return what is lacking, and of how many of the accounts; 0 where it is a person who is not there.

    Only who can sign in counts as there. A second person is another than the officer, of a duty that approves.
    """
    open_ones = [one for one in accounts if one.disabled_at is None]
    there = [one for one in open_ones if one.usable]
    unready = len(open_ones) - len(there)
    uncleared = sum(hears(one.duties) and not is_cleared(one, now) for one in open_ones)
    found = dict.fromkeys(_missing(there), 0)
    return found | {lack: count for lack, count in ((Lack.SIGN_IN, unready), (Lack.CLEARANCE, uncleared)) if count}


def is_cleared(account: Account, now: datetime) -> bool:
    """Tell whether somebody's security clearance holds."""
    return account.clearance_until is not None and now < account.clearance_until


def _missing(there: Collection[Account]) -> Iterator[Lack]:
    held = {duty for one in there for duty in one.duties}
    for duty, lack in ((Duty.ACCOUNT_ADMINISTRATOR, Lack.ADMINISTRATOR), (Duty.DATA_PROTECTION_OFFICER, Lack.OFFICER),
                       (Duty.AUDITOR, Lack.AUDITOR)):
        if duty not in held:
            yield lack
    if Duty.DATA_PROTECTION_OFFICER in held and sum(bool(APPROVERS & one.duties) for one in there) < 2:
        yield Lack.SECOND
