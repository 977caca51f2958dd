"""Searching: what is found, by whom, and what an address and the trail may know of it."""

import re
from datetime import timedelta
from html import unescape

import httpx

from ami_bridge.core.parties import Agent, Direction
from tests.web.console import Console
from tests.web.recordings import hold, record, tone
from tests.web.things import Things

NASTY = ('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0", "\u202egnp.exe", "' OR 1=1 --", "{{ 7 * 7 }}")
LINK = re.compile(r'href="/calls/([0-9a-f-]{36})"')


def search(client: httpx.Client, **terms: str) -> httpx.Response:
    """Fill in the form and follow where it leads."""
    sent = client.post("/calls", data={"csrf": client.csrf, **terms})
    assert sent.status_code == 303 and re.fullmatch(r"/calls\?search=[A-Za-z0-9_-]+", sent.headers["location"]), sent.text
    return client.get(sent.headers["location"])


def found(client: httpx.Client, **terms: str) -> list[str]:
    return LINK.findall(search(client, **terms).text)


def test_calls_are_found_by_what_the_form_asks(office: Console) -> None:
    short, now = tone(0.2), office.house.now()
    first = record(office, short, caller="+358401234567", agent="Maija Mäkinen", queue="q-one", ended_at=now - timedelta(days=3))
    second = record(office, short, caller="+358509998887", direction=Direction.OUTBOUND, agent="Bo Ek", queue="q-two",
                    ended_at=now - timedelta(hours=1), started_at=now - timedelta(hours=2))
    one, two = str(first.id), str(second.id)
    with office.browser("officer") as client:
        assert found(client) == [two, one]
        for number in ("+358401234567", "040 123 4567", "00358401234567", "0401234567", "040-1234567"):
            assert found(client, number=number) == [one], number
        assert found(client, number="0295000000") == [two, one]
        assert (found(client, agent="Bo Ek"), found(client, agent="Bo")) == ([two], [])
        with office.register.writing() as work:
            work.agents.put([Agent(key="PJSIP/6009", name="Bo Ek")])
        assert found(client, agent="bo EK") == [two]
        assert (found(client, queue="q-one"), found(client, direction="outbound")) == ([one], [two])
        day = (now - timedelta(days=2)).date().isoformat()
        assert (found(client, since=day), found(client, until=day)) == ([two], [one])
        local = (now - timedelta(hours=3)).astimezone(office.config.controller.zone)
        between, clock = local.date().isoformat(), f"{local:%H:%M}"
        assert found(client, since=between, since_time=clock) == [two] and found(client, until=between, until_time=clock) == [one]
        assert (found(client, shortest="30"), found(client, longest="0,5"), found(client, shortest="1", longest="59")) == ([two], [one], [])
        assert found(client, number="0401234567", queue="q-two") == []
        assert "No call fits" in search(client, number="0409999999").text


def test_mistakes_are_told_with_the_form_as_it_was_sent(office: Console) -> None:
    with office.browser("officer") as client:
        for wrong in ({"since": "0401234567"}, {"shortest": "0401234567x"}, {"direction": "sideways"}, {"longest": "-1.75"}, {"longest": "nan"},
                      {"until": "0206-11-23"}, {"until": "1970-06-01"}, {"since": "9000-01-01"}):
            answer = client.post("/calls", data={"csrf": client.csrf, "agent": "Aino <Aalto>", **wrong})
            said = re.search(r'role="alert"[^>]*>([^<]*)<', answer.text)
            assert answer.status_code == 422 and said and next(iter(wrong.values())) not in said[1], wrong
            assert "<title>Error: " in answer.text and 'value="Aino &lt;Aalto&gt;"' in answer.text, wrong
            assert next(iter(wrong)) == "direction" or f'name="{next(iter(wrong))}" value="{next(iter(wrong.values()))}"' in answer.text
        assert client.get("/calls?search=guessed").status_code == 404
        word = client.post("/calls", data={"csrf": client.csrf}).headers["location"]
        for place in ("x", "1-2", "-1-" + "0" * 32, "9" * 16 + "-" + "f" * 32, "9" * 17 + "-" + "0" * 32):
            assert client.get(f"{word}&after={place}").status_code in (200, 422)


def test_what_was_searched_for_elsewhere_is_no_search_of_calls(office: Console) -> None:
    things = Things(office)
    with office.browser("officer") as client:
        sent = client.post("/requests/{request}/search".format_map(things), data={"csrf": client.csrf})
        elsewhere = sent.headers["location"].partition("search=")[2]
        assert elsewhere and client.get(f"/calls?search={elsewhere}").status_code == 404
        here = client.post("/calls", data={"csrf": client.csrf}).headers["location"].partition("search=")[2]
        assert client.get("/requests/{request}?search={here}".format_map({**things, "here": here})).status_code == 200


def test_what_was_asked_for_stands_in_the_form_again(office: Console) -> None:
    sent = {"number": "040 123 4567", "agent": '"><b>Bo', "queue": "q-one", "direction": "outbound", "since": "2026-11-01",
            "until": "2026-11-30", "shortest": "0.5", "longest": "90"}
    with office.browser("officer") as client:
        page = search(client, **sent).text
    form = page[page.index('action="/calls"'):]
    assert '<option value="outbound" selected>' in form
    for name in sent.keys() - {"direction"}:
        assert unescape(re.search(rf'name="{name}" value="([^"]*)"', form)[1]) == sent[name]


def test_a_listener_finds_only_calls_of_their_own_teams_and_queues(office: Console) -> None:
    short = tone(0.2)
    team = record(office, short, team="support", queue="q-sales")
    queue = record(office, short, team="sales", queue="q-support")
    record(office, short, team="sales", queue="q-sales")
    record(office, short, team="", queue="")
    with office.browser("listener") as client:
        for terms in ({}, {"number": "0401234567"}, {"agent": "Maija Mäkinen"}):
            assert set(found(client, **terms)) == {str(team.id), str(queue.id)}, terms
        assert (found(client, queue="q-sales"), found(client, queue="q-support")) == ([str(team.id)], [str(queue.id)])


def test_pages_follow_each_other_and_no_call_is_twice_or_missing(office: Console, monkeypatch) -> None:
    monkeypatch.setattr("ami_bridge.services.search.Search.page.__defaults__", (None, 3))
    ended, short = office.house.now() - timedelta(hours=1), tone(0.2)
    made = [str(record(office, short, ended_at=ended - timedelta(seconds=number // 3)).id) for number in range(8)]
    with office.browser("listener") as client:
        answer, seen = search(client), []
        while True:
            seen += LINK.findall(answer.text)
            following = re.search(r'href="(/calls\?search=[^"]+)"', answer.text)
            if not following:
                break
            answer = client.get(following[1].replace("&amp;", "&"))
    assert sorted(seen) == sorted(made) and len(seen) == 8
    assert [dict(one.detail)["found"] for one in office.trail("calls-searched")] == [3, 3, 2]


def test_neither_address_nor_trail_nor_another_session_knows_what_was_searched_for(office: Console) -> None:
    record(office, tone(0.2))
    with office.browser("listener") as client, office.browser("listener") as other:
        answer = search(client, number="0401234567", agent="Maija Mäkinen", queue="q-support", shortest="0", direction="inbound",
                        since="2020-01-01")
        assert "401234567" not in str(answer.url) and "Maija" not in str(answer.url)
        assert other.get(str(answer.url)).status_code == 404
    (entry,) = office.trail("calls-searched")
    assert dict(entry.detail) == {"found": 1, "by": "agent,number,queue", "direction": "inbound", "since": "2020-01-01"}
    assert (entry.actor, entry.outcome) == (f"account:{office.account('listener').id}", "allowed")


def test_who_is_not_there_for_calls_may_not_search_and_that_is_recorded(office: Console) -> None:
    for login in ("keeper", "admin", "auditor", "nobody"):
        with office.browser(login) as client:
            assert client.get("/calls").status_code == 403 == client.post("/calls", data={"csrf": client.csrf}).status_code
            assert 'href="/calls"' not in client.get("/").text
    assert {(one.outcome, one.reason) for one in office.trail("calls-searched")} == {("refused", "no-duty")}
    with office.stranger() as client:
        assert client.get("/calls").headers["location"] == "/sign-in"


def test_names_and_numbers_with_markup_are_shown_as_they_are(office: Console) -> None:
    from markupsafe import escape

    from ami_bridge.core.text import clean

    for text in NASTY:
        record(office, tone(0.2), agent=clean(text), caller=clean(text), callee=clean(text), queue=clean(text))
    with office.browser("officer") as client:
        text = search(client).text
        for nasty in NASTY:
            assert str(escape(clean(nasty))) in text
        assert "<script>alert" not in text and "<img" not in text and "\u202e" not in text and ">49<" not in text


def test_expired_calls_are_not_found_and_held_ones_are_marked(office: Console) -> None:
    kept = record(office, tone(0.2))
    record(office, tone(0.2), ended_at=kept.ended_at - timedelta(days=40), expires_at=kept.ended_at)
    with office.browser("officer") as client:
        assert "on hold" not in search(client).text
        hold(office, kept.id)
        answer = search(client)
        assert LINK.findall(answer.text) == [str(kept.id)] and "on hold" in answer.text


def test_a_program_searches_as_a_person_does(office: Console) -> None:
    ended, short = office.house.now() - timedelta(hours=1), tone(0.2)
    made = [record(office, short, ended_at=ended - timedelta(minutes=number)) for number in range(3)]
    record(office, short, team="sales", queue="q-sales")
    with office.program("listener") as client:
        first = client.post("/api/v1/calls/search", json={"number": "0401234567", "limit": 2}).json()
        second = client.post("/api/v1/calls/search", json={"number": "0401234567", "limit": 2, "after": first["following"]}).json()
        assert [one["id"] for one in first["calls"] + second["calls"]] == [str(call.id) for call in made] and second["following"] is None
        assert first["calls"][0]["agents"][0]["name"] == "Maija Mäkinen" and first["calls"][0]["queue"] == "q-support"
        for wrong in ({"limit": 0}, {"after": "x"}, {"direction": "x"}, {"since": "2026-01-01"}, {"since": "0001-01-01T00:00:00+14:00"},
                      {"number": "1" * 129}, {"shortest": -1}, {"nubmer": "0401234567"}):
            answer = client.post("/api/v1/calls/search", json=wrong)
            assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json", wrong
        assert client.post("/api/v1/calls/search", json={"number": "\x00", "agent": "\u202e"}).status_code == 200
    with office.program("auditor") as client:
        assert client.post("/api/v1/calls/search", json={}).status_code == 403
    with office.stranger() as client:
        assert client.post("/api/v1/calls/search", json={}).status_code == 401
