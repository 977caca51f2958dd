"""Holds and proposals in the console, as pages and as API."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from tests.web.console import Console
from tests.web.recordings import record

NOBODYS = ("listener", "trainer", "admin", "auditor", "nobody")
MARKUP = '<script>alert(1)</script>"><img src=x>'


def day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return client.post(path, data={"csrf": client.csrf, **fields})


def place(client: httpx.Client, call: UUID, **fields: str) -> UUID:
    answer = post(client, "/holds/new", **{"call": str(call), "reason": "a dispute", "basis": "request 7", "until": day(60), **fields})
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["location"].rpartition("/")[2])


def test_a_hold_is_placed_opened_for_a_purpose_and_released_by_two(office: Console) -> None:
    call = record(office, caller="+358401234567", agent=MARKUP).id
    with office.browser("officer") as officer, office.browser("keeper") as keeper:
        assert "<label for=\"until\">" in officer.get("/holds/new", params={"call": str(call)}).text
        held = place(officer, call, reason=MARKUP)
        listed = keeper.get("/holds").text
        assert f"/holds/{held}" in listed and f'data-name="Ends">{day(60)}<' in listed, "the last day, as it was given"
        page = officer.get(f"/holds/{held}").text
        assert f"<dd>{day(60)}</dd>" in page
        assert "+358401234567" not in page and "<script>" not in page and "&lt;script&gt;" in page
        assert post(officer, f"/holds/{held}/purpose", purpose="data-subject-request").headers["location"] == f"/holds/{held}"
        opened = officer.get(f"/holds/{held}").text
        assert "+358401234567" in opened and "<img" not in opened
        audio = re.search(r'src="(/holds/[^"]+/audio)"', opened)[1]
        assert officer.get(audio, headers={"Range": "bytes=0-43"}).content[:4] == b"RIFF" and "<path" in opened
        assert [one.purpose for one in office.trail("call-viewed")] == ["data-subject-request"]

        assert post(officer, f"/holds/{held}/release").status_code == 303
        assert "You proposed the release" in officer.get(f"/holds/{held}").text
        assert "Your own" in officer.get("/proposals").text
        waiting = keeper.get("/proposals").text
        (proposal,) = re.findall(r'action="/proposals/([0-9a-f-]+)/approve"', waiting)
        assert "Outi Oksanen" in waiting and "Approve and release" in waiting
        own = post(officer, f"/proposals/{proposal}/approve")
        assert own.status_code == 403 and "Who proposes cannot approve" in own.text
        assert post(keeper, f"/proposals/{proposal}/approve").headers["location"] == "/proposals"
        after = keeper.get(f"/holds/{held}").text
        assert "Outi Oksanen, Kaisa Korpi" in after and "/release" not in after
        assert "+358401234567" not in officer.get(f"/holds/{held}").text
    assert [one.outcome for one in office.trail("hold-released")] == ["allowed"]


def test_no_purpose_is_chosen_beforehand_for_the_call_of_a_hold_and_a_wrong_one_is_put_right(office: Console) -> None:
    entry = record(office)
    with office.browser("officer") as officer:
        page = f"/holds/{place(officer, entry.id)}"
        assert 'name="purpose" required>\n<option value="">choose</option>' in officer.get(page).text
        assert post(officer, f"{page}/purpose", purpose="").status_code == 422
        post(officer, f"{page}/purpose", purpose="authority-request")
        assert f'href="{page}?ask=purpose">Change the purpose' in officer.get(page).text
        asked = officer.get(page, params={"ask": "purpose"}).text
        assert f'action="{page}/purpose"' in asked and entry.caller not in asked
        post(officer, f"{page}/purpose", purpose="data-subject-request")
        assert "Opened for: request of a data subject" in officer.get(page).text
    assert [one.purpose for one in office.trail("call-viewed")] == ["authority-request", "data-subject-request"]


def test_who_keeps_sees_no_caller_and_hears_nothing(office: Console) -> None:
    entry = record(office)
    with office.browser("keeper") as keeper, office.program("keeper") as program:
        held = place(keeper, entry.id)
        assert "purpose" not in (page := keeper.get(f"/holds/{held}").text) and entry.caller not in page
        for purpose in ("quality", "nonsense"):
            assert post(keeper, f"/holds/{held}/purpose", purpose=purpose).status_code == 403
        again = keeper.get(f"/holds/{held}")
        assert again.status_code == 200 and entry.caller not in again.text
        for answer in (keeper.get(f"/holds/{held}/recordings/{entry.recordings[0].id}/audio"),
                       program.get(f"/api/v1/holds/{held}", params={"purpose": "quality"})):
            assert answer.status_code == 403 and entry.caller not in answer.text
        assert program.get(f"/api/v1/holds/{held}").json()["held_call"] is None


@pytest.mark.parametrize("login", NOBODYS)
def test_holds_and_proposals_are_not_for_all_and_refusals_are_recorded(office: Console, login: str) -> None:
    call = record(office).id
    with office.program("officer") as officer:
        sent = {"call": str(call), "reason": "r", "basis": "b", "until": f"{day(9)}T00:00:00Z"}
        held = officer.post("/api/v1/holds", json=sent).json()["id"]
        proposal = officer.post(f"/api/v1/holds/{held}/release").json()["proposal"]["id"]
    before = len(office.trail())
    with office.browser(login) as client, office.program(login) as program:
        pages = [client.get("/holds"), client.get("/holds/new", params={"call": str(call)}), client.get(f"/holds/{held}"),
                 client.get("/proposals"), post(client, "/holds/new", call=str(call), reason="r", basis="b", until=day(9)),
                 post(client, f"/holds/{held}/release"), *(post(client, f"/proposals/{proposal}/{verb}") for verb in ("approve", "decline"))]
        api = [program.get("/api/v1/holds"), program.get(f"/api/v1/holds/{held}"), program.post("/api/v1/holds", json=sent),
               program.post(f"/api/v1/holds/{held}/release"), program.get("/api/v1/proposals"),
               *(program.post(f"/api/v1/proposals/{proposal}/{verb}") for verb in ("approve", "decline"))]
        menu = client.get("/").text
    assert [answer.status_code for answer in (*pages, *api)] == [403] * 15
    refused = office.trail()[before:]
    assert len(refused) == 15 and {(one.outcome, one.actor) for one in refused} == {("refused", f"account:{office.account(login).id}")}
    assert "/holds" not in menu and "/proposals" not in menu


def test_the_api_does_the_same(office: Console) -> None:
    entry = record(office)
    with office.program("officer") as officer, office.program("second") as second:
        made = officer.post("/api/v1/holds", json={"call": str(entry.id), "reason": "r", "basis": "b", "until": f"{day(9)}T00:00:00Z"})
        held = made.json()["id"]
        assert made.status_code == 201 and made.json()["placed_by"] == "Outi Oksanen"
        opened = officer.get(f"/api/v1/holds/{held}", params={"purpose": "data-subject-request"}).json()["held_call"]
        assert opened["caller"] == entry.caller and opened["recordings"] == [str(entry.recordings[0].id)]
        asked = officer.post(f"/api/v1/holds/{held}/release").json()
        assert asked["released_at"] is None and asked["proposal"]["state"] == "waiting"
        assert officer.get("/api/v1/holds").json()[0]["release"]["id"] == asked["proposal"]["id"]
        assert officer.post(f"/api/v1/proposals/{asked['proposal']['id']}/approve").status_code == 403
        assert officer.post(f"/api/v1/proposals/{asked['proposal']['id']}/decline").json()["state"] == "declined"
        again = officer.post(f"/api/v1/holds/{held}/release").json()["proposal"]["id"]
        assert second.post(f"/api/v1/holds/{held}/release").json()["released_at"]
        assert [(one["id"] == again, one["state"]) for one in officer.get("/api/v1/proposals").json()] == [(True, "done"), (False, "declined")]


def test_mistakes_are_told_and_guessed_ids_lead_nowhere(office: Console) -> None:
    call = record(office).id
    with office.browser("officer") as officer, office.program("officer") as program:
        for wrong in ({"until": "soon"}, {"until": day(-2)}, {"until": "9999-12-31"}, {"until": day(4000)}, {"reason": " "}, {"basis": ""}):
            sent = {"call": str(call), "reason": "r", "basis": "b", "until": day(9), **wrong}
            answer = post(officer, "/holds/new", **sent)
            assert answer.status_code == 422 and 'role="alert"' in answer.text and str(call) in answer.text, wrong
        for path in (f"/holds/{uuid4()}", "/holds/x", "/holds/new", f"/holds/new?call={uuid4()}x"):
            assert officer.get(path).status_code == 404, path
        assert post(officer, "/holds/new", call=str(uuid4()), reason="r", basis="b", until=day(9)).status_code == 404
        assert post(officer, f"/proposals/{uuid4()}/approve").status_code == 404
        assert program.get(f"/api/v1/holds/{uuid4()}").status_code == 404
        naive = {"call": str(call), "reason": "r", "basis": "b", "until": f"{day(9)}T00:00:00"}
        assert program.post("/api/v1/holds", json=naive).status_code == 422
        assert officer.get("/holds").text.count("<td") == 0


def test_a_form_without_the_sessions_word_releases_and_approves_nothing(office: Console) -> None:
    call = record(office).id
    with office.browser("officer") as officer, office.browser("keeper") as keeper:
        held = place(officer, call)
        assert officer.post(f"/holds/{held}/release").status_code == 403
        post(officer, f"/holds/{held}/release")
        (proposal,) = re.findall(r'action="/proposals/([0-9a-f-]+)/approve"', keeper.get("/proposals").text)
        assert keeper.post(f"/proposals/{proposal}/approve", data={"csrf": "guessed"}).status_code == 403
    assert office.trail("hold-released") == []
