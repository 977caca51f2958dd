"""Accounts: looked after by the administrator, read by the auditor, by nobody else; and nobody's own by themselves."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlparse

import httpx
import pyotp
import pytest

from ami_bridge.app import people
from ami_bridge.core.accounts import Language
from ami_bridge.core.duties import Duty
from ami_bridge.web.codes import as_picture
from tests.web.console import PASSWORD, Console
from tests.web.test_signing_in import form, sign_in

NEW = "several words in a row"


def post(client: httpx.Client, path: str, sent: Mapping[str, str] | None = None) -> httpx.Response:
    return client.post(path, data={"csrf": client.csrf, **(sent or {})})  # type: ignore[attr-defined]


def last(office: Console, action: str) -> tuple[str, ...]:
    entry = office.trail(action)[-1]
    return entry.actor, entry.object, entry.outcome, entry.reason


def test_an_administrator_makes_an_account_and_gives_it_what_a_listener_needs(office: Console) -> None:
    with office.browser("admin") as client:
        assert 'href="/accounts/new"' in client.get("/accounts").text
        made = post(client, "/accounts", {"login": "maija", "name": "Maija <script>alert(1)</script>", "language": "sv"})
        path = made.headers["location"]
        assert made.status_code == 303 and post(client, path + "/duties", {"duty": "listener"}).status_code == 303
        post(client, path + "/scope", {"teams": "support\r\n\r\nsales ", "queues": "q1"})
        post(client, path + "/clearance", {"until": "2099-12-31"})
        page = client.get(path).text
        assert "sales, support, q1" in page and "<dd>2099-12-31</dd>" in page and "<script>alert" not in page
        assert "account-administrator" not in page.split('name="duty"')[1].split("</select>")[0], "never both"
        assert "<script>alert" not in client.get("/accounts").text and "&lt;script&gt;" in client.get("/accounts").text
        post(client, path + "/clearance/remove")
        post(client, path + "/duties/revoke", {"duty": "listener"})
        post(client, path + "/state", {"deed": "disable"})
    account, admin = office.account("maija"), f"account:{office.account('admin').id}"
    assert account.disabled_at and not account.duties and not account.scope.teams and account.clearance_until is None
    assert [entry.action for entry in office.trail() if entry.object == str(account.id) and entry.actor == admin] == [
        "account-added", "duty-granted", "duty-granted", "clearance-set", "accounts-listed", "clearance-set", "duty-revoked",
        "account-disabled"]
    assert [dict(entry.detail) for entry in office.trail("clearance-set")][-2:] == [{"until": "2099-12-31"}, {}]


@pytest.mark.parametrize(("language", "said"), [
    (Language.FINNISH, ("Tunnus on jo käytössä", "2–40 merkkiä", "Nimi puuttuu", "Valitse luettelosta")),
    (Language.SWEDISH, ("används redan", "2–40 tecken", "Namnet saknas", "Välj ur listan")),
    (Language.ENGLISH, ("is taken", "2 to 40", "name is missing", "Choose from the list"))])
def test_a_mistake_in_a_new_account_is_told_in_ones_language_and_loses_nothing(office: Console, language: Language,
                                                                                said: tuple[str, ...]) -> None:
    sent = {"login": "maija", "name": "Maija <Mehiläinen>", "language": "sv"}
    wrong = ({"login": "listener"}, {"login": "9"}, {"name": "\u200b"}, {"language": "de"})
    with office.browser("admin") as client, office.browser("nobody") as nobody:
        client.session.language = language
        for change, words in zip(wrong, said, strict=True):
            page = post(client, "/accounts", sent | change)
            told = re.search(rf'role="alert" lang="{language}">([^<]*)<', page.text)
            assert page.status_code == 422 and told and words in told[1], change
            assert "name" in change or "Maija &lt;Mehiläinen&gt;" in page.text
            assert "login" in change or 'value="maija"' in page.text
            assert "language" in change or '<option value="sv" lang="sv" selected>' in page.text
        assert post(nobody, "/accounts", sent | {"login": ""}).status_code == 403
        assert post(client, f"/accounts/{office.account('listener').id}/scope", {"teams": "\n".join(map(str, range(300)))}).text.count(
            {"fi": "enintään 200", "sv": "högst 200", "en": "at most 200"}[language]) == 1, "also where there is no form to show again"


def test_a_given_password_is_shown_once_and_opens_nothing_but_the_changing_of_it(office: Console) -> None:
    path = f"/accounts/{office.account('listener').id}"
    with office.browser("admin") as client, office.browser("listener") as old:
        page = post(client, path + "/password").text
        given = re.search(r'<code class="secret">([^<]+)</code>', page)[1]
        assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", given) and given not in client.get(path).text
        assert old.get("/").headers["location"] == "/sign-in?ended=1", "the sessions with the old password have ended"
    with office.stranger() as client:
        sign_in(client, office, "listener", {"password": given})
        assert client.get("/").headers["location"] == "/password"
        page = client.get("/password").text
        assert "Somebody else gave you this password" in page
        code = pyotp.TOTP(office.secrets["listener"]).at(datetime.now(UTC) + timedelta(seconds=30))
        sent = {"password": given, "code": code, "new": NEW, "again": NEW, **form(page)}
        for wrong, status in (({"again": "another word or two"}, 422), ({"new": given, "again": given}, 422),
                              ({"new": "short", "again": "short"}, 422), ({"password": PASSWORD}, 403)):
            answer = client.post("/password", data=sent | wrong)
            assert answer.status_code == status and NEW not in answer.text and given not in answer.text
            assert "<title>Error: " in answer.text and 'role="alert" lang="en"' in answer.text
        time.sleep(1.1)  # after a try that failed an account waits a second
        before = dict(client.cookies)
        assert client.post("/password", data=sent).headers["location"] == "/"
        assert dict(client.cookies) != before and client.get("/").status_code == 200
    listener = str(office.account("listener").id)
    assert [(one.outcome, one.reason, one.actor) for one in office.trail("password-set") if one.object == listener][-3:] == [
        ("allowed", "", f"account:{office.account('admin').id}"), ("refused", "wrong-password", f"account:{listener}"),
        ("allowed", "", f"account:{listener}")]
    assert not office.account("listener").password_due


def test_new_codes_are_shown_once_as_address_and_picture(office: Console) -> None:
    path = f"/accounts/{office.account('trainer').id}"
    with office.browser("admin") as client:
        page = post(client, path + "/codes").text
        address = re.search(r"otpauth://[^<]+", page)[0].replace("&amp;", "&")
        assert parse_qs(urlparse(address).query)["issuer"] == ["ami-bridge"] and address.startswith("otpauth://totp/ami-bridge:trainer")
        assert str(as_picture(address)) in page, "the picture is of this address"
        assert "style=" not in page and "otpauth" not in client.get(path).text
    said = repr(office.trail())
    assert parse_qs(urlparse(address).query)["secret"][0] not in said and last(office, "codes-set")[2] == "allowed"


@pytest.mark.parametrize("login", ["listener", "officer", "keeper", "nobody", "auditor"])
def test_nobody_else_changes_accounts_and_only_the_auditor_reads_them(office: Console, login: str) -> None:
    account = office.account("trainer")
    path = f"/accounts/{account.id}"
    reads = 200 if login == "auditor" else 403
    with office.browser(login) as client, office.program(login) as program:
        assert client.get("/accounts").status_code == client.get(path).status_code == reads
        assert program.get("/api/v1/accounts").status_code == program.get(f"/api/v1{path}").status_code == reads
        if login == "auditor":
            assert "<form" not in client.get(path).text.split("<main")[1].split("</main")[0]
        assert client.get("/accounts/new").status_code == 403
        before = len(office.trail())
        refused = [post(client, "/accounts", {"login": "maija", "name": "M", "language": "fi"}),
                   post(client, path + "/duties", {"duty": "auditor"}), post(client, path + "/clearance", {"until": "2099-01-01"}),
                   post(client, path + "/state", {"deed": "disable"}), post(client, path + "/password"), post(client, path + "/codes"),
                   program.put(f"/api/v1{path}/duties/auditor"), program.post(f"/api/v1{path}/disable"),
                   program.post("/api/v1/accounts", json={"login": "maija", "name": "M"}), program.post(f"/api/v1{path}/codes")]
        assert {answer.status_code for answer in refused} == {403}
    assert [(entry.outcome, entry.reason) for entry in office.trail()[before:]] == [("refused", "no-duty")] * len(refused)
    assert office.account("trainer") == account


def test_nobody_grants_themselves_anything(office: Console) -> None:
    admin = office.account("admin")
    path = f"/accounts/{admin.id}"
    with office.browser("admin") as client, office.program("admin") as program:
        page = client.get(path).text
        assert "/duties" not in page and "changed by another account administrator" in page
        for sent in ({"duty": "auditor"}, {"duty": "listener"}):
            assert post(client, path + "/duties", sent).status_code == 403
        assert post(client, path + "/clearance", {"until": "2099-01-01"}).status_code == 403
        assert post(client, path + "/password").status_code == post(client, path + "/state", {"deed": "disable"}).status_code == 403
        answer = program.put(f"/api/v1{path}/duties/auditor")
        assert answer.status_code == 403 and "own-account" in answer.json()["detail"]
    who = f"account:{admin.id}"
    for action in ("duty-granted", "clearance-set", "password-set", "account-disabled"):
        assert last(office, action) == (who, str(admin.id), "refused", "own-account")
    assert office.account("admin") == admin


def test_the_last_administrator_stays_unless_the_machine_says_otherwise(office: Console) -> None:
    from ami_bridge.app import accounts_office, people, rights

    other = people(office.config, office.register, "os:tests")
    other.grant("nobody", Duty.ACCOUNT_ADMINISTRATOR)
    stale = rights(office.config, office.register, office.account("nobody"))
    with office.browser("admin") as client:
        assert post(client, f"/accounts/{office.account('nobody').id}/state", {"deed": "disable"}).status_code == 303
    late = accounts_office(office.config, office.register, stale)
    for act in (lambda: late.disable("admin"), lambda: late.revoke("admin", Duty.ACCOUNT_ADMINISTRATOR)):
        with pytest.raises(Exception, match="the last account that can look after the accounts"):
            act()
    assert last(office, "duty-revoked")[2:] == ("refused", "last-administrator")
    assert office.account("admin").usable and other.disable("admin").disabled_at, "the command line can always"


def test_who_may_not_hold_both_is_told_why_in_their_language(office: Console) -> None:
    with office.browser("admin") as client:
        post(client, "/language", {"language": "sv"})
        answer = post(client, f"/accounts/{office.account('listener').id}/duties", {"duty": "auditor"})
    assert answer.status_code == 403 and "Samma person får inte både lyssna" in answer.text
    assert last(office, "duty-granted")[2:] == ("refused", "no-listening-with-it")


@pytest.mark.parametrize(("path", "sent", "status"), [
    ("/duties", {"duty": "king"}, 422), ("/duties/revoke", {"duty": "auditor"}, 404), ("/clearance", {"until": "9999-12-31"}, 422),
    ("/clearance", {"until": "soon"}, 422), ("/state", {"deed": "delete"}, 422), ("/scope", {"teams": "x\n" * 300}, 303),
    ("/scope", {"teams": "\n".join(map(str, range(300)))}, 422)])
def test_a_mistake_changes_nothing_and_says_so(office: Console, path: str, sent: dict[str, str], status: int) -> None:
    before = office.account("listener")
    with office.browser("admin") as client:
        assert post(client, f"/accounts/{before.id}{path}", sent).status_code == status
        assert client.get("/accounts/not-an-id").status_code == client.get(f"/accounts/{PASSWORD}").status_code == 404
        assert client.get("/accounts/00000000-0000-0000-0000-000000000000").status_code == 404
    assert status == 303 or office.account("listener") == before


def test_a_clearance_is_saved_anew_as_it_stands_and_removed_by_its_own_button_only(office: Console) -> None:
    account = office.account("listener")
    path = f"/accounts/{account.id}"
    with office.browser("admin") as client:
        for day in ("2099-12-31", "2099-03-28"):  # the second is a day of 23 hours in Helsinki
            post(client, path + "/clearance", {"until": day})
            until = office.account("listener").clearance_until
            shown = re.search(r'name="until" type="date" value="([^"]*)" required', client.get(path).text)[1]
            assert shown == day and post(client, path + "/clearance", {"until": shown}).status_code == 303
            assert office.account("listener").clearance_until == until
        for empty in ({"until": ""}, {}):
            assert post(client, path + "/clearance", empty).status_code == 422
        assert office.account("listener").clearance_until == until
        assert "Remove the clearance" in client.get(path).text
        assert post(client, path + "/clearance/remove").status_code == 303
        shown = client.get(path).text
        assert office.account("listener").clearance_until is None and "Remove the clearance" not in shown and 'value="" required' in shown


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "9999-12-31T22:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_clearance_until_the_end_or_the_beginning_of_time_is_none(office: Console, until: str) -> None:
    path = f"/api/v1/accounts/{office.account('listener').id}/clearance"
    with office.program("admin") as client:
        assert client.put(path, json={"until": until}).status_code == 422
        assert client.get("/api/v1/accounts").status_code == 200
    with office.browser("admin") as client:
        assert client.get("/accounts").status_code == 200


def test_a_program_does_the_same(office: Console) -> None:
    with office.program("admin") as client:
        made = client.post("/api/v1/accounts", json={"login": "maija", "name": "Maija", "language": "fi"})
        path = f"/api/v1/accounts/{made.json()['id']}"
        assert made.status_code == 201 and made.json()["state"] == "not-ready"
        client.put(f"{path}/duties/listener")
        client.put(f"{path}/scope", json={"teams": ["support"], "queues": []})
        assert client.put(f"{path}/clearance", json={"until": "2099-12-31T00:00:00"}).status_code == 422, "aware"
        assert client.put(f"{path}/clearance", json={"until": "2099-12-31T00:00:00+02:00"}).json()["clearance_until"]
        given = client.post(f"{path}/password").json()["password"]
        refused = client.post(f"{path}/codes")
        assert refused.status_code == 403 and "both password and codes" in refused.json()["detail"]
        secret = parse_qs(urlparse(people(office.config, office.register, "os:tests").set_codes("maija")).query)["secret"][0]
        shown = client.get(path).json()
        assert shown["state"] == "password-due" and shown["duties"] == ["listener"] and shown["teams"] == ["support"]
        assert "password" not in shown and secret not in client.get("/api/v1/accounts").text
    with office.stranger() as client:
        totp = pyotp.TOTP(secret)
        sent = {"login": "maija", "password": given, "code": totp.now()}
        client.headers["Authorization"] = f"Bearer {client.post('/api/v1/session', json=sent).json()['token']}"
        assert client.get("/api/v1/health").json()["title"] == "password-due"
        assert client.get("/api/v1/session").status_code == 200
        other = {"password": given, "code": totp.at(datetime.now(UTC) + timedelta(seconds=30)), "new_password": NEW}
        token = client.put("/api/v1/session/password", json=other).json()["token"]
        assert client.get("/api/v1/session").status_code == 401, "the old session has ended"
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.get("/api/v1/health").json()["title"] == "not-allowed"


def test_an_account_that_is_locked_in_one_browser_only_can_be_unlocked_too(office: Console) -> None:
    assert not office.account("listener").attempts.failed
    with office.browser("admin") as admin:
        assert 'value="unlock"' in admin.get(f"/accounts/{office.account('listener').id}").text


def test_who_was_shut_out_is_out_at_the_next_click_and_the_next_sign_in(office: Console) -> None:
    path = f"/accounts/{office.account('listener').id}"
    with office.browser("admin") as admin, office.browser("listener") as client:
        post(admin, path + "/state", {"deed": "disable"})
        assert client.get("/").headers["location"] == "/sign-in?ended=1"
        with office.stranger() as again:
            assert sign_in(again, office, "listener").status_code == 403
        post(admin, path + "/state", {"deed": "enable"})
        post(admin, path + "/state", {"deed": "unlock"})
    assert last(office, "signed-in")[2:] == ("refused", "disabled") and office.account("listener").usable
