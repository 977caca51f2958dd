"""The page of one call: for a purpose only, everything that is kept, and who looked before."""

from datetime import timedelta
from uuid import uuid4

import httpx
from markupsafe import escape

from ami_bridge.core.entries import Silence
from ami_bridge.core.recordings import Why
from ami_bridge.core.text import clean
from tests.web.console import Console
from tests.web.recordings import hold, record, tone
from tests.web.test_calls import NASTY

CALLERS_DATA = ("358401234567", "Maija", "q-support")


def open_call(client: httpx.Client, id: object, purpose: str = "service") -> httpx.Response:
    """Name a purpose and follow where it leads."""
    sent = client.post(f"/calls/{id}/purpose", data={"csrf": client.csrf, "purpose": purpose})
    return client.get(sent.headers["location"]) if sent.status_code == 303 else sent


def test_without_a_purpose_nothing_of_the_caller_is_shown_nor_whether_there_is_such_a_call(office: Console) -> None:
    call = record(office)
    with office.browser("listener") as client:
        answers = [client.get(f"/calls/{id}").text.replace(str(id), "ID") for id in (call.id, uuid4())]
        assert answers[0] == answers[1] and not any(word in answers[0] for word in CALLERS_DATA)
        assert "verifying that our service works" in answers[0] and "authority" not in answers[0]
        assert open_call(client, call.id, "curiosity").status_code == 403 == open_call(client, call.id, "authority-request").status_code
        assert "Maija" not in client.get(f"/calls/{call.id}").text
        assert client.post(f"/calls/{call.id}/purpose", data={"csrf": client.csrf}).status_code == 422
    assert [(one.outcome, one.reason) for one in office.trail("call-viewed")] == [("refused", "no-purpose")] * 2
    with office.browser("officer") as client:
        assert "request of an authority" in client.get(f"/calls/{call.id}").text


def test_the_page_shows_all_that_is_kept_and_the_look_is_in_the_trail_before(office: Console) -> None:
    call = record(office, tone(2), tone(1, channels=2))
    begun = call.started_at + timedelta(seconds=10)
    paused = record(office, tone(1), silences=(Silence(why=Why.PAUSED, by="PJSIP/6001", began_at=begun, ended_at=begun + timedelta(seconds=5)),))
    with office.browser("listener") as client:
        text = open_call(client, call.id).text
        for word in ("+358401234567", "0295000000", "Maija Mäkinen", "q-support", "inbound", "0:00:30", "recorded", "to the end",
                     "Recording 1", "Recording 2", "verifying that our service works", "Lauri Lahti", "looked at the data"):
            assert word in text, word
        for number in (0, 1):
            assert f'src="/calls/{call.id}/recordings/{call.recordings[number].id}/audio"' in text
        assert text.count("<audio") == 2 and text.count('class="now"') == 3 and 'preload="none"' in text
        assert "Paused by the agent" in open_call(client, paused.id).text
    assert [(one.object, one.outcome, one.purpose) for one in office.trail("call-viewed")] == [
        (str(call.id), "allowed", "service"), (str(paused.id), "allowed", "service")]
    assert office.trail("call-listened") == []


def test_who_listened_to_what_is_shown_to_the_next(office: Console) -> None:
    call = record(office, tone(20))
    with office.browser("listener") as client:
        open_call(client, call.id)
        client.get(f"/calls/{call.id}/recordings/{call.recordings[0].id}/audio", headers={"Range": f"bytes=44-{44 + 16000 * 5 - 1}"})
    with office.browser("admin") as client:
        client.get(f"/calls/{call.id}")
    with office.browser("officer") as client:
        text = open_call(client, call.id, "data-subject-request").text
    assert all(word in text for word in ("Lauri Lahti", "Outi Oksanen", "Aino Aalto", "0–5 s", "refused", "request of a data subject"))
    looks = text.partition("Newest first.")[2]
    order = [looks.index(name) for name in ("Outi Oksanen", "Aino Aalto", "0–5 s")]
    assert order == sorted(order)


def test_a_wrong_purpose_is_put_right_and_both_looks_are_in_the_trail(office: Console) -> None:
    call = record(office)
    with office.browser("officer") as client:
        opened = open_call(client, call.id, "service").text
        assert f'href="/calls/{call.id}?ask=purpose">Change the purpose' in opened
        asked = client.get(f"/calls/{call.id}", params={"ask": "purpose"}).text
        assert f'action="/calls/{call.id}/purpose"' in asked and not any(word in asked for word in CALLERS_DATA)
        assert "Opened for: " in client.get(f"/calls/{call.id}").text, "until another is named, the first stands"
        assert "Opened for: request of a data subject" in open_call(client, call.id, "data-subject-request").text
    assert [one.purpose for one in office.trail("call-viewed")] == ["service", "service", "data-subject-request"]


def test_calls_of_others_expired_and_unknown_ones_look_alike(office: Console) -> None:
    foreign = record(office, team="sales", queue="q-sales")
    expired = record(office, ended_at=foreign.ended_at - timedelta(days=40), expires_at=foreign.ended_at)
    with office.browser("listener") as client:
        answers = [open_call(client, id) for id in (foreign.id, expired.id, uuid4())]
        assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}
        assert client.get("/calls/not-an-id").status_code == 404
    assert [one.reason for one in office.trail("call-viewed")] == ["out-of-scope", "not-found", "not-found"]


def test_who_is_not_there_for_calls_sees_not_even_the_question(office: Console) -> None:
    call = record(office)
    for login in ("keeper", "admin", "auditor", "nobody"):
        with office.browser(login) as client:
            assert client.get(f"/calls/{call.id}").status_code == 403 == open_call(client, call.id).status_code
            client.session.purposes[call.id] = "service"
            answer = client.get(f"/calls/{call.id}")
            assert answer.status_code == 403 and "Maija" not in answer.text
    assert [(one.outcome, one.reason) for one in office.trail("call-viewed")] == [("refused", "no-duty")] * 12


def test_without_clearance_the_data_is_shown_and_no_player(office: Console) -> None:
    call = record(office)
    with office.register.writing() as work:
        work.accounts.change(office.account("listener").id, clearance_until=call.started_at)
    with office.browser("listener") as client:
        text = open_call(client, call.id).text
        assert "Maija" in text and "<audio" not in text and 'class="wave"' not in text
        assert "Your security clearance has lapsed." in text and "no sound of this call" not in text
    assert [one.action for one in office.trail() if one.outcome == "refused"] == []


def test_a_call_without_sound_says_so_to_who_may_hear(office: Console) -> None:
    call = record(office, recordings=())
    held = hold(office, call.id)
    with office.browser("officer") as client:
        client.session.purposes[held] = "data-subject-request"
        for text in (open_call(client, call.id, "data-subject-request").text, client.get(f"/holds/{held}").text):
            assert "There is no sound of this call." in text and "<audio" not in text
        with office.register.writing() as work:
            work.accounts.change(office.account("officer").id, clearance_until=None)
        text = client.get(f"/holds/{held}").text
        assert "You have no security clearance." in text and "no sound of this call" not in text


def test_links_lead_only_where_one_may_go(office: Console) -> None:
    call = record(office)
    held = hold(office, call.id)
    with office.browser("listener") as client:
        text = open_call(client, call.id).text
        assert "Held until" in text and "/holds/" not in text and "request 7" not in text and "/disclosures/" not in text
    with office.browser("officer") as client:
        text = open_call(client, call.id).text
        assert f"/holds/{held}" in text and "request 7" in text
        assert f"/holds/new?call={call.id}" in text and f"/disclosures/new?call={call.id}" in text


def test_markup_in_names_is_harmless_on_the_page(office: Console) -> None:
    with office.browser("officer") as client:
        for nasty in NASTY:
            shown = clean(nasty)
            call = record(office, tone(0.2), agent=shown, caller=shown, callee=shown, queue=shown)
            text = open_call(client, call.id).text
            assert str(escape(shown)) in text and "<script>alert" not in text and "<img" not in text and "\u202e" not in text


def test_a_recording_that_cannot_be_opened_leaves_the_page_as_it_is(office: Console) -> None:
    call = record(office)
    (office.house.vault.path(call.recordings[0].audio.file)).write_bytes(b"damaged")
    with office.browser("officer") as client:
        answer = open_call(client, call.id)
        assert answer.status_code == 200 and "could not be drawn" in answer.text and "Maija" in answer.text


def test_every_page_speaks_three_languages(office: Console) -> None:
    call = record(office)
    with office.browser("officer") as client:
        for language, words in (("fi", ("Puhelu", "Aikajana", "saapuva")), ("sv", ("Samtal", "Tidslinje", "inkommande"))):
            client.post("/language", data={"csrf": client.csrf, "language": language})
            text = open_call(client, call.id).text + client.get("/calls").text
            assert all(word in text for word in words)


def test_a_program_opens_hears_and_draws_a_call_for_a_purpose(office: Console) -> None:
    sound = tone(2, channels=2)
    call, foreign = record(office, sound), record(office, team="sales", queue="q-sales")
    path = f"/api/v1/calls/{call.id}/recordings/{call.recordings[0].id}"
    with office.program("listener") as client:
        told = client.get(f"/api/v1/calls/{call.id}", params={"purpose": "training"}).json()
        assert (told["caller"], told["recordings"][0]["seconds"], told["notice"]["version"]) == ("+358401234567", 2.0, 3)
        assert [(look["who"], look["action"], look["purpose"]) for look in told["looks"]] == [("Lauri Lahti", "call-viewed", "training")]
        heard = client.get(f"{path}/audio", params={"purpose": "training"}, headers={"Range": "bytes=0-99"})
        assert (heard.status_code, heard.content) == (206, sound[:100])
        drawn = client.get(f"{path}/waveform", params={"purpose": "training"}).json()
        assert drawn["seconds"] == 2.0 and [max(channel) for channel in drawn["channels"]] == [61, 30]
        assert [len(channel) for channel in drawn["channels"]] == [400, 400]
        for end in ("", "/recordings/" + str(call.recordings[0].id) + "/audio"):
            assert client.get(f"/api/v1/calls/{call.id}{end}", params={"purpose": "curiosity"}).status_code == 403
            assert client.get(f"/api/v1/calls/{call.id}{end}").status_code == 422
            assert client.get(f"/api/v1/calls/{foreign.id}{end}", params={"purpose": "training"}).status_code == 404
        assert client.get(f"{path}/audio", params={"purpose": "training"}, headers={"Range": "bytes=999999999-"}).status_code == 416
        held = hold(office, call.id)
        assert client.get(f"/api/v1/holds/{held}/recordings/{call.recordings[0].id}/audio", params={"purpose": "training"}).status_code == 403
    with office.program("officer") as client:
        answer = client.get(f"/api/v1/holds/{held}/recordings/{call.recordings[0].id}/audio", params={"purpose": "data-subject-request"})
        assert answer.content == sound
