"""The trail as the auditor sees it: read, searched, taken away, verified; and that this leaves traces too."""

import csv
import io
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from ami_bridge.app import people, trail_keeping
from ami_bridge.core.accounts import Language
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import AuditEntry, Detail, Link, Outcome, Trace
from ami_bridge.core.audit_check import Finding
from ami_bridge.core.duties import Why
from ami_bridge.core.promise_evidence import Verdict
from ami_bridge.core.proposals import TWO_PERSONS
from ami_bridge.core.sign_in import Word
from ami_bridge.services.trail import REASONS
from ami_bridge.services.trail_reading import NOT_OURS
from ami_bridge.web.entries import said_of
from ami_bridge.web.words import Words, catalogue
from tests.register.test_audit import without_triggers
from tests.web.console import Console
from tests.web.recordings import record
from tests.web.test_accounts import post
from tests.web.test_call_page import open_call

BAD_NAME = "<script>alert('x')</script>"


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-name="Number">(\d+)<', page)]


def test_the_auditor_reads_newest_first_page_by_page_in_words(office: Console) -> None:
    people(office.config, office.register, "os:tests").add("maija", BAD_NAME, Language.FINNISH)
    for _ in range(60):
        people(office.config, office.register, "os:tests").unlock("maija")
    newest = office.trail()[-1].number
    with office.browser("auditor") as client:
        page = client.get("/trail").text
        assert numbers(page) == list(range(newest, newest - 50, -1)) and "unlocked an account" in page
        assert BAD_NAME not in page and "&lt;script&gt;" in page and "machine account tests" in page
        older = re.search(r'href="(/trail\?before=\d+)"', page)[1]
        assert numbers(client.get(older).text)[0] == newest - 50
        assert [dict(entry.detail) for entry in office.trail("trail-read")] == [{"found": 50}, {"found": newest - 50}]
        assert "Arto Ahonen (auditor)" in client.get("/trail").text, "names stand beside what ids say"


def test_a_search_says_nothing_in_its_address_and_is_the_sessions_own(office: Console) -> None:
    with office.browser("admin") as admin:
        post(admin, "/accounts", {"login": "maija", "name": "Maija", "language": "fi"})
    with office.browser("auditor") as client, office.browser("auditor") as another:
        sent = {"actor": "admin", "action": "account-added", "outcome": "allowed", "since": "2026-01-01", "until": "2199-12-31"}
        path = post(client, "/trail", sent).headers["location"]
        assert "admin" not in path and "account-added" not in path
        page = client.get(path).text
        assert len(numbers(page)) == 1 and "added an account" in page and 'value="admin"' in page
        assert another.get(path).status_code == 404
        assert numbers(client.get(post(client, "/trail", {"since": "2199-12-31"}).headers["location"]).text) == []
        assert len(numbers(client.get(post(client, "/trail", {"actor": "os:tests"}).headers["location"]).text)) > 20
        for wrong in ({"actor": "who?"}, {"action": "sang"}, {"outcome": "maybe"}, {"since": "yesterday"}):
            again = post(client, "/trail", {"until": "2199-12-31", **wrong})
            assert again.status_code == 422 and "<title>Error: " in again.text and 'role="alert"' in again.text
            assert 'value="2199-12-31"' in again.text and ("actor" not in wrong or 'value="who?"' in again.text)
        assert client.get("/trail?before=-1").status_code == client.get(f"/trail?before={10 ** 30}").status_code == 422
    assert {"by": "action,actor,outcome,since,until", "found": 1} in [dict(entry.detail) for entry in office.trail("trail-read")]


def test_it_is_searched_by_what_it_was_about(office: Console) -> None:
    call, lauri = str(UUID(int=7)), str(office.account("listener").id)
    with office.register.writing() as work:
        work.audit.leave(Trace(actor=f"account:{lauri}", action=Action.CALL_LISTENED, object=call), office.house.now())
    with office.browser("auditor") as client, office.program("auditor") as program:
        page = client.get(post(client, "/trail", {"object": f" {call} "}).headers["location"]).text
        assert len(numbers(page)) == 1 and "Lauri Lahti (listener)" in page and f'value="{call}"' in page
        assert len(numbers(client.get(post(client, "/trail", {"object": "listener"}).headers["location"]).text)) > 2
        found = program.post("/api/v1/trail/search", json={"object": call, "action": "call-listened"}).json()["entries"]
        assert [(one["object"], one["actor_name"]) for one in found] == [(call, "Lauri Lahti (listener)")]
        assert {one["object"] for one in program.post("/api/v1/trail/search", json={"object": "listener"}).json()["entries"]} == {lauri}
        for wrong in ("0401234567", "x\0", call[:18]):
            assert post(client, "/trail", {"object": wrong}).status_code == 422
            assert program.post("/api/v1/trail/search", json={"object": wrong}).status_code == 422
    assert {"by": "object", "found": 1} in [dict(entry.detail) for entry in office.trail("trail-read")]
    assert {"by": "action,object", "found": 1} in [dict(entry.detail) for entry in office.trail("trail-read")]


@pytest.mark.parametrize("login", ["listener", "trainer", "officer", "keeper", "admin", "nobody"])
def test_nobody_else_reads_it(office: Console, login: str) -> None:
    with office.browser(login) as client, office.program(login) as program:
        answers = [client.get("/trail"), post(client, "/trail", {"actor": "admin"}), post(client, "/trail/csv"),
                   post(client, "/trail/verify"), program.post("/api/v1/trail/search", json={}), program.get("/api/v1/trail/head"),
                   program.post("/api/v1/trail/verify")]
    assert {answer.status_code for answer in answers} == {403}
    assert [(one.outcome, one.reason) for one in office.trail("trail-read")] == [("refused", "no-duty")] * len(answers)


def test_it_is_taken_away_as_csv_that_runs_nothing(office: Console) -> None:
    house = people(office.config, office.register, "os:tests")
    house.add("maija", "=cmd|' /C calc'!A0", Language.FINNISH)
    house.add("ville", "＝HYPERLINK(1)", Language.FINNISH)
    with office.browser("auditor") as client:
        answer = post(client, "/trail/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer.headers["content-disposition"] == 'attachment; filename="trail.csv"'
    assert rows[0][:4] == ["number", "at", "actor", "action"] and {len(row) for row in rows} == {len(rows[0])}
    assert [int(row[0]) for row in rows[1:]] == sorted([entry.number for entry in office.trail()[:-1]], reverse=True)
    assert not any(cell.startswith(("=", "＝")) for row in rows for cell in row)


def test_the_whole_trail_is_verified_and_a_change_is_found(office: Console) -> None:
    trail_keeping(office.config, office.register).write_head()
    with office.browser("auditor") as client, office.program("auditor") as program:
        page = client.get("/trail").text
        head = program.get("/api/v1/trail/head").json()
        assert head["digest"] in page and f"number {head['number']}" in page
        page = post(client, "/trail/verify").text
        assert "The trail is whole" in page and f"up to number {head['number']}. Later ones" in page
        without_triggers(office.config.register.url, "UPDATE audit_entries SET actor = 'os:somebody' WHERE number = 3")
        page = post(client, "/trail/verify").text
        assert "An entry was changed" in page and "entry 3" in page
        assert program.post("/api/v1/trail/verify").json() | {"said": ""} == {
            "finding": "changed", "number": 3, "entries": 2, "vouched": 0, "said": ""}
    assert [entry.detail["verdict"] for entry in office.trail("trail-read") if "verdict" in entry.detail] == [
        "whole", "changed", "changed"]


def test_what_takes_long_is_done_once_at_a_time(office: Console) -> None:
    with office.house.long_work, office.browser("auditor") as client:
        assert post(client, "/trail/verify").status_code == post(client, "/health/notice").status_code == 409
        assert post(client, "/certificates/verify").status_code == 409


def test_a_program_reads_it_page_by_page(office: Console) -> None:
    with office.program("auditor") as client:
        first = client.post("/api/v1/trail/search", json={"limit": 10}).json()
        assert len(first["entries"]) == 10 and first["older"] == first["entries"][-1]["number"]
        second = client.post("/api/v1/trail/search", json={"limit": 1000, "before": first["older"]}).json()
        assert second["entries"][0]["number"] == first["older"] - 1 and second["older"] == 0
        exactly = client.post("/api/v1/trail/search", json={"limit": len(second["entries"]), "before": first["older"]}).json()
        assert exactly["entries"] == second["entries"] and exactly["older"] == 0
        mine = client.post("/api/v1/trail/search", json={"actor": "auditor"}).json()["entries"]
        assert {entry["actor_name"] for entry in mine} == {"Arto Ahonen (auditor)"}
        for since in ("2026-01-01T00:00:00", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"):
            assert client.post("/api/v1/trail/search", json={"since": since}).status_code == 422, since


def test_everything_the_trail_can_say_has_words() -> None:
    known = catalogue()
    wanted = [*(f"actions.{one}" for one in Action), *(f"outcomes.{one}" for one in Outcome), *(f"details.{one}" for one in Detail),
              *(f"refusals.{one}" for one in [*REASONS.values(), "failed", *set(Word) - {Word.WELCOME}]),
              *(f"refusals.{one}" for one in set(Why) - {Why.DUTY, Why.AGREED}),
              *(f"why.{one}" for one in set(Why) - {Why.DUTY, Why.AGREED}),
              *(f"verdicts.{one}" for one in [*Finding, NOT_OURS, "good", "not-good"]),
              *(f"verdicts.{one.replace(' ', '-')}" for one in Verdict), *(f"proposed.{one}" for one in TWO_PERSONS)]
    assert [key for key in wanted if key not in known] == []


def details(action: Action, language: Language, **detail: str) -> tuple[str, ...]:
    """The details of an entry as a page says them."""
    entry = AuditEntry(number=1, at=datetime(2026, 11, 23, tzinfo=UTC), actor="daemon", action=action.value, object="", purpose="",
                       outcome="allowed", reason="", detail=detail)
    return said_of(Link(entry, "", ""), {}, Words(language), str).details


@pytest.mark.parametrize(("action", "detail", "finnish", "swedish"), [
    (Action.CALLS_SEARCHED, {"by": "agent,number"}, "hakuperusteet: virkailija, numero", "sökt på: handläggare, nummer"),
    (Action.CALLS_SEARCHED, {"since": "2026-01-09"}, "alkaen: 9.1.2026", "från och med: 9.1.2026"),
    (Action.REQUEST_HANDLED, {"section": "letter-made"}, "osa: kirje tehty", "del: brev skapat"),
    (Action.PROPOSAL_MADE, {"section": "call-exported"}, "osa: Kopio rekisteröidylle", "del: Kopia till den registrerade"),
    (Action.TRAIL_READ, {"verdict": "unvouched"}, "tulos: ei allekirjoitettua tarkistuspistettä", "resultat: ingen signerad kontrollpunkt"),
    (Action.CALLS_SEARCHED, {"until": "<changed>"}, "viimeinen päivä: <changed>", "sista dag: <changed>")])
def test_the_details_of_an_entry_are_said_in_the_readers_language(action: Action, detail: dict[str, str], finnish: str,
                                                                  swedish: str) -> None:
    assert details(action, Language.FINNISH, **detail) == (finnish,)
    assert details(action, Language.SWEDISH, **detail) == (swedish,)


def test_a_purpose_is_said_in_the_words_of_the_notice(office: Console) -> None:
    call = record(office)
    with office.browser("listener") as client:
        open_call(client, call.id, "service")
    with office.browser("auditor") as client:
        assert "purpose: verifying that our service works" in client.get("/trail").text
