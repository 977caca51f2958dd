"""Accounts, their duties and the sign-in; and that everything leaves a trace without a secret or a name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlparse
from uuid import UUID
from zoneinfo import ZoneInfo

import pyotp
import pytest

from ami_bridge.core.accounts import Language, Scope
from ami_bridge.core.audit import Link
from ami_bridge.core.duties import Duty, Why
from ami_bridge.core.errors import ConfigurationError, KeyMissing, NotAllowed, NotFound, RegisterError
from ami_bridge.core.sign_in import DEVICE_FOR, LOCKED_FOR, PLACE_EVERY, PLACES, Word
from ami_bridge.credentials import Codes
from ami_bridge.heads import Heads
from ami_bridge.register import Register
from ami_bridge.register.audit import Audit
from ami_bridge.services import proving
from ami_bridge.services.people import People
from ami_bridge.services.proving import Proved, Proving, RefusedTries
from ami_bridge.services.rights import Refused, Rights
from ami_bridge.services.trail import Trail
from ami_bridge.services.trail_reading import TrailReading
from ami_bridge.services.watch import ask

HELSINKI = ZoneInfo("Europe/Helsinki")
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"


@dataclass
class Office:
    """A register with accounts, and a clock."""

    register: Register
    root: Path
    now: datetime = START
    ids: Iterator[int] = field(default_factory=lambda: iter(range(1, 100)))
    tries: RefusedTries = field(default_factory=RefusedTries)

    @property
    def codes(self) -> Codes:
        codes = Codes(self.root / "accounts.key")
        codes.create()
        return codes

    @property
    def people(self) -> People:
        trail = Trail(self.register, "os:admin", lambda: self.now, lambda alarm: None)
        return People(self.register, trail, self.codes, lambda: self.now, lambda at: UUID(int=next(self.ids)), HELSINKI)

    def proving(self) -> Proving:
        return Proving(self.register, self.codes, lambda: self.now, self.tries)

    def ready(self, login: str = "maija") -> str:
        """Make an account that can sign in; return the secret of its codes."""
        self.people.add(login, "Maija Meikäläinen", Language.FINNISH)
        self.people.set_password(login, PASSWORD)
        address = urlparse(self.people.set_codes(login))
        assert address.scheme == "otpauth" and address.path.endswith(f":{login}")
        return parse_qs(address.query)["secret"][0]

    def sign_in(self, code: str, password: str = PASSWORD, login: str = "maija") -> Word:
        found = self.proving().sign_in(login, password, code)
        assert (found.account is not None) is (found.word is Word.WELCOME)
        return found.word

    def trail(self) -> list[tuple[str, ...]]:
        with self.register.reading() as work:
            entries = [place.entry for place in work.audit.places() if isinstance(place, Link)]
        return [(one.actor, one.action, one.object, one.outcome, one.reason) for one in entries]


@pytest.fixture
def office(url: str, tmp_path: Path) -> Iterator[Office]:
    with closing(Register.open(url)) as register:
        yield Office(register, tmp_path)


def test_an_account_is_made_changed_and_listed_and_each_leaves_a_trace(office: Office) -> None:
    people = office.people
    made = people.add("maija", "Maija\u202e Meikäläinen", Language.SWEDISH)
    assert (made.name, made.duties, made.password) == ("Maija Meikäläinen", frozenset(), "")
    people.grant("maija", Duty.LISTENER, Scope(frozenset({"support"}), frozenset({"q1"})))
    assert people.grant("maija", Duty.TRAINER).scope.teams == {"support"}
    people.set_clearance("maija", START + timedelta(days=400))
    people.disable("maija")
    (found,) = people.all()
    assert found.duties == {Duty.LISTENER, Duty.TRAINER} and found.scope.queues == {"q1"}
    assert found.clearance_until == START + timedelta(days=400) and found.disabled_at == START
    assert people.enable("maija").disabled_at is None and people.set_clearance("maija", None).clearance_until is None
    assert people.revoke("maija", Duty.LISTENER).scope.teams == {"support"}
    assert people.revoke("maija", Duty.TRAINER).scope == Scope()
    assert [action for _, action, *_ in office.trail()] == [
        "account-added", "duty-granted", "duty-granted", "clearance-set", "account-disabled", "accounts-listed",
        "account-enabled", "clearance-set", "duty-revoked", "duty-revoked"]
    assert {(actor, outcome) for actor, _, _, outcome, _ in office.trail()} == {("os:admin", "allowed")}


def test_nobody_is_given_what_nobody_may_hold_and_the_refusal_is_recorded(office: Office) -> None:
    made = office.people.add("maija", "Maija", Language.FINNISH)
    office.people.grant("maija", Duty.ACCOUNT_ADMINISTRATOR)
    with pytest.raises(NotAllowed, match="nobody who hears recordings"):
        office.people.grant("maija", Duty.LISTENER)
    assert office.trail()[-1] == ("os:admin", "duty-granted", str(made.id), "refused", "no-listening-with-it")
    assert office.people.all()[0].duties == {Duty.ACCOUNT_ADMINISTRATOR}


def test_what_is_not_there_cannot_be_changed(office: Office) -> None:
    office.people.add("maija", "Maija", Language.FINNISH)
    with pytest.raises(ConfigurationError, match="already"):
        office.people.add("maija", "Another", Language.FINNISH)
    with pytest.raises(NotFound, match="is not listener"):
        office.people.revoke("maija", Duty.LISTENER)
    with pytest.raises(NotFound, match="no such account"):
        office.people.disable("pekka")
    with pytest.raises(ConfigurationError):
        office.people.set_password("maija", "short")
    assert [reason for *_, reason in office.trail()] == ["", "wrong-request", "not-found", "not-found"]


def test_signing_in_takes_a_password_and_a_fresh_code(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    assert office.sign_in(totp.at(office.now), "wrong horse battery") is Word.WRONG_PASSWORD
    office.now += timedelta(minutes=1)
    assert office.sign_in("000000" if totp.at(office.now) != "000000" else "000001") is Word.WRONG_CODE
    office.now += timedelta(minutes=1)
    code = totp.at(office.now - timedelta(seconds=30))
    assert office.sign_in(code) is Word.WELCOME, "half a minute late is in time"
    assert office.sign_in(code) is Word.CODE_USED, "nobody who looked over a shoulder gets in"
    office.now += timedelta(minutes=5)
    assert office.sign_in(code) is Word.WRONG_CODE
    tried = [(outcome, reason) for _, action, _, outcome, reason in office.trail() if action == "signed-in"]
    assert tried == [("refused", "wrong-password"), ("refused", "wrong-code"), ("allowed", ""), ("refused", "code-used"),
                     ("refused", "wrong-code")]


def test_who_cannot_sign_in(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    assert office.sign_in(totp.at(office.now), login="correct horse battery") is Word.UNKNOWN
    assert office.trail()[-1] == ("nobody", "signed-in", "", "refused", "unknown")
    office.people.disable("maija")
    assert office.sign_in(totp.at(office.now)) is Word.DISABLED
    office.people.add("pekka", "Pekka", Language.FINNISH)
    assert office.sign_in("123456", login="pekka") is Word.NO_PASSWORD
    assert office.sign_in("123456", "", login="pekka") is Word.NO_PASSWORD
    office.people.set_password("pekka", PASSWORD)
    assert office.sign_in("123456", login="pekka") is Word.NO_CODES


ODD = ["maija\0", "\0", "\ud800", "Maija", "maija ", "x" * 41, "maija\n"]


@pytest.mark.parametrize("name", ODD)
def test_what_can_be_no_login_name_is_unknown_on_each_database_and_takes_as_long(
        office: Office, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    totp, hashed = pyotp.TOTP(office.ready()), []

    def is_password(kept: str, password: str) -> bool:
        hashed.append((kept, password))
        return False

    monkeypatch.setattr(proving, "is_password", is_password)
    assert office.sign_in(totp.at(office.now), login=name) is Word.UNKNOWN
    assert hashed == [("", PASSWORD)] and office.trail()[-1] == ("nobody", "signed-in", "", "refused", "unknown")


def test_an_actor_who_can_be_none_is_the_auditors_mistake_on_each_database(office: Office) -> None:
    office.ready("arto")
    office.people.grant("arto", Duty.AUDITOR)
    reading = TrailReading(office.register, rights_of(office, "arto"), Heads(office.root, office.root / "key"), lambda: office.now)
    for name in ODD:
        with pytest.raises(ConfigurationError, match="no such person"):
            reading.actor(name)
    assert reading.actor("arto").startswith("account:") and reading.actor("os:root") == "os:root" and reading.actor("") == ""


def test_five_failures_lock_and_a_right_password_does_not_help_until_it_is_over_or_unlocked(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    for _ in range(5):
        assert office.sign_in("", "wrong horse battery") is Word.WRONG_PASSWORD
        office.now += timedelta(seconds=20)
    assert office.sign_in(totp.at(office.now)) is Word.LOCKED
    office.now += LOCKED_FOR
    assert office.sign_in(totp.at(office.now)) is Word.WELCOME
    for _ in range(5):
        office.sign_in("", "wrong horse battery")
        office.now += timedelta(seconds=20)
    assert office.sign_in(totp.at(office.now)) is Word.LOCKED
    office.people.unlock("maija")
    assert office.sign_in(totp.at(office.now)) is Word.WELCOME


def test_a_locked_account_is_alarmed_of_while_it_lasts_and_one_that_is_shut_is_not(office: Office) -> None:
    office.ready()
    for expected in (0, 0, 0, 0, 0, 1):
        assert ask(office.register, office.now).locked == expected
        office.sign_in("", "wrong horse battery")
        office.now += timedelta(seconds=20)
    assert ask(office.register, office.now + 4 * LOCKED_FOR).locked == 0
    assert ask(office.register, office.now).locked == 1
    office.people.disable("maija")
    assert ask(office.register, office.now).locked == 0


def several(office: Office) -> list[int]:
    """How many tries the trail tells of together, entry by entry."""
    with office.register.reading() as work:
        entries = [place.entry for place in work.audit.places() if isinstance(place, Link)]
    return [dict(one.detail)["found"] for one in entries if one.reason == "several"]


def test_tries_of_unknown_names_do_not_fill_the_trail_and_are_counted(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    before = len(office.trail())
    for _ in range(PLACES + 30):
        assert office.sign_in("123456", login="a.stranger") is Word.UNKNOWN
    assert len(office.trail()) == before + PLACES and several(office) == []
    office.now += PLACE_EVERY
    assert office.sign_in(totp.at(office.now)) is Word.WELCOME
    assert several(office) == [30] and office.trail()[-1][-2:] == ("allowed", "")
    assert "stranger" not in repr(office.trail())


def test_tries_at_a_locked_account_do_not_fill_the_trail_and_none_is_lost_when_the_console_stops(office: Office) -> None:
    office.ready()
    before = len(office.trail())
    for _ in range(PLACES + 5):
        office.sign_in("123456", password="wrong horse battery")
    assert len(office.trail()) == before + PLACES + 1, "the one whose password was looked at besides"
    office.tries.record(office.register, office.now)
    assert several(office) == [4]
    office.tries.record(office.register, office.now)
    assert several(office) == [4]


def test_a_register_that_fails_once_loses_none_of_the_tries_that_were_gathered(
        office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    totp = pyotp.TOTP(office.ready())
    device = knock(office, totp).device
    office.now += timedelta(minutes=5)
    for _ in range(PLACES + 5):
        office.sign_in("123456", login="a.stranger")
    office.now += PLACE_EVERY
    with monkeypatch.context() as patch:
        patch.setattr(Audit, "leave", away)
        for act in (lambda: office.sign_in("123456", login="a.stranger"), lambda: knock(office, totp, device, "wrong horse battery"),
                    lambda: office.tries.record(office.register, office.now)):
            with pytest.raises(RegisterError):
                act()
    assert knock(office, totp, device).word is Word.WELCOME, "nor does a try count that nobody was answered"
    assert several(office) == [5]


def away(*given: object) -> object:
    raise RegisterError("the register is away")


def test_without_the_key_of_the_codes_nobody_is_told_who_has_an_account(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.ready()
    (office.root / "accounts.key").unlink()
    proving = Proving(office.register, Codes(office.root / "accounts.key"), lambda: office.now, office.tries)
    assert proving.sign_in("maija", PASSWORD, "123456") == Proved(Word.KEY_MISSING)
    assert office.trail()[-1][-2:] == ("refused", "key-missing") and "accounts.key" in caplog.text


def knock(office: Office, totp: pyotp.TOTP, device: str = "", password: str = PASSWORD) -> Proved:
    return office.proving().sign_in("maija", password, totp.at(office.now), device)


def lock_out(office: Office, times: int = 6) -> None:
    """What a stranger can do who knows no more than a log-in name."""
    for _ in range(times):
        office.sign_in("000000", "wrong horse battery")
        office.now += timedelta(seconds=20)


def test_strangers_do_not_lock_out_a_browser_that_has_signed_in_before(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    device = knock(office, totp).device
    lock_out(office)
    assert knock(office, totp).word is Word.LOCKED, "elsewhere"
    again = knock(office, totp, device)
    assert again.word is Word.WELCOME and again.device
    assert knock(office, totp, again.device).word is Word.CODE_USED, "it is worth nothing without a code"
    office.now += timedelta(seconds=60)
    assert knock(office, totp).word is Word.LOCKED, "that somebody signed in gives the strangers no new tries"


def test_a_browser_that_has_signed_in_before_has_no_more_tries_than_any(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    device = knock(office, totp).device
    words = []
    for _ in range(6):
        office.now += timedelta(seconds=30)
        words.append(knock(office, totp, device, "wrong horse battery").word)
    assert words == [Word.WRONG_PASSWORD] * 5 + [Word.LOCKED] and knock(office, totp, device).word is Word.LOCKED
    office.now += timedelta(seconds=30)
    assert knock(office, totp).word is Word.WELCOME, "of the account, none of its tries has failed"


@pytest.mark.parametrize("way", ["unlock", "set_password", "give_password"])
def test_a_browser_that_is_locked_is_unlocked_with_its_account_by_another_process(office: Office, way: str) -> None:
    totp = pyotp.TOTP(office.ready())
    device = knock(office, totp).device
    for _ in range(5):
        office.now += timedelta(seconds=30)
        knock(office, totp, device, "wrong horse battery")
    office.now += timedelta(seconds=30)
    assert knock(office, totp, device).word is Word.LOCKED
    given = {"unlock": lambda: office.people.unlock("maija") and PASSWORD, "give_password": lambda: office.people.give_password("maija"),
             "set_password": lambda: office.people.set_password("maija", PASSWORD) and PASSWORD}[way]()
    assert knock(office, totp, device, given).word is Word.WELCOME


def test_what_failed_in_a_browser_after_its_account_was_unlocked_counts(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    device = knock(office, totp).device
    office.people.unlock("maija")
    for _ in range(5):
        office.now += timedelta(seconds=30)
        assert knock(office, totp, device, "wrong horse battery").word is Word.WRONG_PASSWORD
    with office.register.reading() as work:
        maija = work.accounts.named("maija")
    assert maija
    office.proving().change_password(maija.id, "wrong horse battery", "000000", "several words in a row")
    assert knock(office, totp, device).word is Word.LOCKED, "a password that was refused unlocks nothing"


def test_what_a_browser_keeps_is_of_use_for_one_account_its_codes_and_a_time(office: Office) -> None:
    totp, other = pyotp.TOTP(office.ready()), pyotp.TOTP(office.ready("pekka"))
    device = knock(office, totp).device
    foreign = office.proving().sign_in("pekka", PASSWORD, other.at(office.now)).device
    name, until, mark = device.split(".")
    lock_out(office)
    for forged in (foreign, f"{name}.{int(until) + 1}.{mark}", f"{'0' * 32}.{until}.{mark}", f"{name}.{until}.", "x", "\u00e4.1.\u00e4"):
        assert knock(office, totp, forged).word is Word.LOCKED, forged
    office.people.disable("maija")
    office.people.enable("maija")
    assert knock(office, totp, device).word is Word.LOCKED, "whoever was shut out begins anew"
    office.people.unlock("maija")
    fresh = knock(office, totp).device
    office.now += DEVICE_FOR
    lock_out(office)
    assert knock(office, totp, fresh).word is Word.LOCKED


def test_many_tries_at_once_are_as_many(office: Office) -> None:
    office.ready()
    with ThreadPoolExecutor(8) as pool:
        words = list(pool.map(lambda n: office.proving().sign_in("maija", f"wrong horse battery {n}", "123456").word, range(8)))
    assert sorted(words) == [*[Word.TOO_SOON] * 7, Word.WRONG_PASSWORD]


def test_no_password_no_secret_and_no_name_is_in_the_trail_and_no_secret_in_the_clear(office: Office) -> None:
    secret = office.ready()
    office.sign_in("123456")
    with office.register.reading() as work:
        said = repr(list(work.audit.places()))
        account = work.accounts.named("maija")
    assert account and account.password.startswith("$argon2id$") and secret not in account.codes
    assert bytes.fromhex(account.codes).find(secret.encode()) < 0
    for word in (PASSWORD, secret, "Maija", "Meikäläinen", "argon2"):
        assert word not in said and word not in repr(account).replace("Maija Meikäläinen", "")


def test_a_copied_secret_is_of_no_use_for_another_account_or_with_another_key(office: Office, tmp_path: Path) -> None:
    office.ready()
    with office.register.reading() as work:
        account = work.accounts.named("maija")
    assert account
    with pytest.raises(KeyMissing, match="account codes"):
        office.codes.step(UUID(int=99), account.codes, "123456", office.now)
    other = Codes(tmp_path / "other.key")
    with pytest.raises(KeyMissing, match="Restore it from its backup"):
        other.step(account.id, account.codes, "123456", office.now)
    other.create()
    with pytest.raises(KeyMissing, match="account codes"):
        other.step(account.id, account.codes, "123456", office.now)
    assert other.key.stat().st_mode & 0o777 == 0o600


# -- on behalf of who is signed in


def rights_of(office: Office, login: str) -> Rights:
    with office.register.reading() as work:
        account = work.accounts.named(login)
    assert account
    trail = Trail(office.register, f"account:{account.id}", lambda: office.now, lambda alarm: None)
    return Rights(account, trail, ("training",), lambda: office.now)


def office_of(office: Office, login: str) -> People:
    """What looks after the accounts for somebody who is signed in."""
    rights = rights_of(office, login)
    return People(office.register, rights.trail, office.codes, lambda: office.now, lambda at: UUID(int=next(office.ids)), HELSINKI, rights)


def test_which_teams_and_queues_somebody_was_given_stands_in_the_trail(office: Office) -> None:
    office.people.add("maija", "Maija Meikäläinen", Language.SWEDISH)
    office.people.grant("maija", Duty.LISTENER, Scope(frozenset({"support", "Myynti, Turku"}), frozenset({"q1"})))
    office.people.set_scope("maija", Scope(frozenset(), frozenset({"q2", "q1"})))
    office.people.grant("maija", Duty.TRAINER)
    office.people.set_scope("maija", Scope())
    with office.register.reading() as work:
        told = [dict(place.entry.detail) for place in work.audit.places() if isinstance(place, Link)]
    assert told[1:] == [
        {"duty": "listener", "scope": 3, "teams": '"Myynti, Turku", support', "queues": "q1"},
        {"scope": 2, "queues": "q1, q2"}, {"duty": "trainer"}, {"scope": 0}]


def test_who_has_the_duty_changes_others_and_never_themselves(office: Office) -> None:
    office.ready("aino")
    office.people.grant("aino", Duty.ACCOUNT_ADMINISTRATOR)
    office.ready("maija")
    aino, maija = office_of(office, "aino"), office_of(office, "maija")
    assert aino.grant("maija", Duty.LISTENER).duties == {Duty.LISTENER} and aino.set_clearance("maija", START).clearance_until == START
    assert aino.set_scope("maija", Scope(frozenset({"support "}), frozenset())).scope.teams == {"support"}
    for act in (lambda: aino.grant("aino", Duty.AUDITOR), lambda: aino.give_password("aino"), lambda: aino.disable("aino")):
        with pytest.raises(Refused, match="own-account"):
            act()
    for other in (lambda: maija.all(), lambda: maija.grant("aino", Duty.LISTENER), lambda: maija.disable("nobody-at-all")):
        with pytest.raises(Refused, match="no-duty"):
            other()
    with pytest.raises(ConfigurationError, match="no duty of aino"):
        office.people.set_scope("aino", Scope(frozenset({"support"})))
    refused = [(action, reason) for _, action, _, outcome, reason in office.trail() if outcome == "refused"]
    assert refused == [("duty-granted", "own-account"), ("password-set", "own-account"), ("account-disabled", "own-account"),
                       ("accounts-listed", "no-duty"), ("duty-granted", "no-duty"), ("account-disabled", "no-duty"),
                       ("duty-granted", "wrong-request")]


def test_two_administrators_at_once_do_not_shut_each_other_out(office: Office) -> None:
    for login in ("aino", "arto"):
        office.ready(login)
        office.people.grant(login, Duty.ACCOUNT_ADMINISTRATOR)
    aino, arto = office_of(office, "aino"), office_of(office, "arto")

    def shut(one: People, other: str) -> bool:
        try:
            return one.disable(other).disabled_at is not None
        except Refused as refusal:
            assert refusal.why is Why.LAST_ADMINISTRATOR
            return False

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(shut, (aino, arto), ("arto", "aino")))
    assert sorted(done) == [False, True] and sum(one.usable for one in office.people.all()) == 1


def administrators(office: Office) -> tuple[People, People]:
    for login in ("aino", "antti"):
        office.ready(login)
        office.people.grant(login, Duty.ACCOUNT_ADMINISTRATOR)
    return office_of(office, "aino"), office_of(office, "antti")


@pytest.mark.parametrize(("one", "other"), [("give_password", "set_codes"), ("set_codes", "give_password")])
def test_nobody_gives_both_password_and_codes_of_an_account_and_so_signs_in_as_another(office: Office, one: str, other: str) -> None:
    aino, antti = administrators(office)
    aino.add("maija", "Maija Meikäläinen", Language.FINNISH)
    getattr(aino, one)("maija")
    getattr(aino, one)("maija")
    with pytest.raises(Refused, match="both password and codes"):
        getattr(aino, other)("maija")
    assert office.trail()[-1][-2:] == ("refused", "knows-the-other-half")
    getattr(antti, other)("maija")
    with pytest.raises(Refused, match="ami-bridge account"):
        getattr(antti, one)("maija")
    getattr(office.people, one)("maija")
    getattr(office.people, other)("maija")
    getattr(aino, one)("maija")


def test_who_chose_a_password_of_their_own_gets_new_codes_from_whoever_gave_the_first(office: Office) -> None:
    aino, _ = administrators(office)
    totp = pyotp.TOTP(office.ready())
    given = aino.give_password("maija")
    with pytest.raises(Refused, match="both password and codes"):
        aino.set_codes("maija")
    with office.register.reading() as work:
        maija = work.accounts.named("maija")
    assert maija
    changed = office.proving().change_password(maija.id, given, totp.at(office.now), "several words in a row")
    assert changed.word is Word.WELCOME
    aino.set_codes("maija")
    with pytest.raises(Refused):
        aino.give_password("maija")


def test_a_given_password_must_be_changed_by_its_person_with_a_fresh_code(office: Office) -> None:
    totp = pyotp.TOTP(office.ready())
    given = office.people.give_password("maija")
    with office.register.reading() as work:
        account = work.accounts.named("maija")
    assert account and account.password_due and given not in repr(office.trail())
    assert office.sign_in(totp.at(office.now), given) is Word.WELCOME
    office.now += timedelta(seconds=1)
    assert office.proving().change_password(account.id, given, totp.at(office.now), "several words in a row").word is Word.CODE_USED
    office.now += timedelta(seconds=60)
    for wrong in (given, "short", "maija maija maija"):
        with pytest.raises(ConfigurationError, match="password"):
            office.proving().change_password(account.id, given, totp.at(office.now), wrong)
    changed = office.proving().change_password(account.id, given, totp.at(office.now), "several words in a row").account
    assert changed and not changed.password_due
    office.now += timedelta(seconds=60)
    assert office.sign_in(totp.at(office.now), given) is Word.WRONG_PASSWORD
    office.now += timedelta(seconds=60)
    assert office.sign_in(totp.at(office.now), "several words in a row") is Word.WELCOME


def test_a_day_of_clearance_stands_in_the_trail_as_it_was_typed(office: Office) -> None:
    office.people.add("maija", "Maija", Language.FINNISH)
    office.people.set_clearance("maija", datetime(2027, 1, 1, tzinfo=HELSINKI))
    with office.register.reading() as work:
        (link,) = [place for place in work.audit.places() if isinstance(place, Link) and place.entry.action == "clearance-set"]
    assert link.entry.detail == {"until": "2026-12-31"}
