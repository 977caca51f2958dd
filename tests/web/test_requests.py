"""A caller asks: from the form to the letter, as an officer does it in the browser and a program by the API."""

import gc
import html
import os
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from ami_bridge.core.accounts import Language
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import ConfigurationError, KeyMissing
from ami_bridge.core.requests import Extension, Kind
from ami_bridge.register import RegisterUnavailable
from ami_bridge.services.request_search import RequestSearch, Searched
from ami_bridge.web import letter_pdf
from ami_bridge.web.letter import Letter, Section
from ami_bridge.web.words import catalogue
from tests.web.console import Console
from tests.web.recordings import hold, record, tone

NAMES = "Nguyễn Željka Ελένη"
MARKUP = '<script>alert(1)</script>"><img src=x>'
FORM = {"kind": "access", "received": datetime.now(UTC).date().isoformat(), "identity": "strong-authentication", "name": NAMES,
        "numbers": "040 123 4567\n0509999999", "contact": "Mannerheimintie 1"}


def send(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return client.post(path, data={"csrf": client.csrf, **fields})


def opened(client: httpx.Client, **changes: str) -> str:
    """Open a request with the form; return its page."""
    answer = send(client, "/requests/new", **FORM | changes)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def agree(office: Console, login: str) -> None:
    """Have somebody agree to the proposal that waits."""
    with office.register.reading() as work:
        waiting = next(one for one in work.proposals.since(datetime.now(UTC) - timedelta(days=1)) if not one.approved_at)
    from ami_bridge.app import agreeing, rights

    agreeing(office.register, rights(office.config, office.register, office.account(login))).approve(waiting.id)


def test_a_request_goes_from_the_form_to_its_end(office: Console) -> None:
    first, second = record(office), record(office, caller="0509999999")
    record(office, caller="0451111111")
    with office.browser("officer") as client:
        assert send(client, "/requests/new", **FORM | {"identity": ""}).status_code == 422
        page = opened(client)
        shown = client.get(page).text
        assert NAMES in client.get("/requests").text and NAMES not in shown.partition("</title>")[0]
        assert NAMES in shown and "+358401234567" in shown and "0509999999" in shown and "0451111111" not in shown
        assert "days left: 3" in shown and "Outi Oksanen" in shown
        for one in (first, second):
            said = {"answer": "transcript", "transcript": "Hei.\nHei hei.", "verbatim": "yes"}
            assert send(client, f"{page}/calls/{one.id}", **said).status_code == 303
        assert "Hei hei." in client.get(f"{page}/letter?language=fi").text
        assert send(client, f"{page}/settle", outcome="granted").status_code == 303
        assert send(client, f"{page}/close", understood="yes").status_code == 303
        assert "waits for a second person" in client.get(page).text
        agree(office, "keeper")
        closed = client.get(page).text
        assert "closed" in closed and NAMES not in closed and "040 123" not in closed and "Mannerheimintie" not in closed
        assert client.get(f"{page}/letter").status_code == 404 and NAMES not in client.get("/requests").text
        assert page[-8:] + "</td>" in client.get("/requests").text
    with office.register.reading() as work:
        assert all(hold.released_at for hold in work.holds.all()) and len(work.holds.all()) == 2


def test_the_page_adds_a_number_and_a_call_and_takes_back_what_was_wrong(office: Console) -> None:
    hidden, later = record(office, caller=""), record(office, caller="0451111111")
    with office.browser("officer") as client:
        page = opened(client, numbers="0401234567")
        assert send(client, f"{page}/settle", outcome="nothing-found").status_code == 303
        assert send(client, f"{page}/reopen").status_code == 303 and "Note as answered" in client.get(page).text
        found = client.get(send(client, f"{page}/numbers", number="045 1111111").headers["location"]).text
        assert "Found 1; frozen now 1" in found and "045 1111111" in found
        client.session.purposes[hidden.id] = "data-subject-request"
        assert f"<code>{hidden.id}</code>" in client.get(f"/calls/{hidden.id}").text
        assert "Found 1; frozen now 1" in client.get(send(client, f"{page}/calls", call=f" {hidden.id} ").headers["location"]).text
        for wrong in ("x", str(uuid4())):
            again = send(client, f"{page}/calls", call=wrong)
            assert again.status_code == 422 and "No call has this id" in again.text and f'value="{wrong}"' in again.text
        for one, answer in ((hidden, "not-theirs"), (later, "transcript"), (hidden, "none")):
            assert send(client, f"{page}/calls/{one.id}", answer=answer, transcript="Hei.", verbatim="yes").status_code == 303
        letter = client.get(f"{page}/letter?language=en").text
        assert "045 1111111" in letter and "withheld" not in letter, "what is not answered yet is not told"
        assert send(client, f"{page}/settle", outcome="granted").status_code == 422


def test_while_a_call_has_no_answer_the_page_says_that_it_is_left_out_of_the_letter(office: Console) -> None:
    first, second = record(office), record(office, caller="0509999999")
    said = "calls without an answer are left out of the letter"
    with office.browser("officer") as client:
        page = opened(client)
        for one in (first, second):
            assert said in client.get(page).text
            send(client, f"{page}/calls/{one.id}", answer="not-theirs")
        assert said not in client.get(page).text
        assert said not in client.get(opened(client, numbers="0400000001")).text, "where there is no call"


def test_nothing_final_is_chosen_beforehand_nor_done_by_one_click(office: Console) -> None:
    with office.browser("officer") as client:
        page = opened(client)
        shown = client.get(page).text
        for name in ("outcome", "reason"):
            assert f'name="{name}" required><option value="">choose</option>' in shown
        assert send(client, f"{page}/settle", outcome="").status_code == send(client, f"{page}/extend", reason="").status_code == 422
        send(client, f"{page}/settle", outcome="nothing-found")
        assert 'name="understood" value="yes" required' in client.get(page).text
        for sent in ({}, {"understood": "no"}):
            assert send(client, f"{page}/close", **sent).status_code == 422
        assert NAMES in client.get(page).text
        assert send(client, f"{page}/close", understood="yes").status_code == 303
        assert NAMES not in client.get(page).text


def test_whoever_approves_sees_what_a_proposal_is_about_and_no_link_that_leads_nowhere(office: Console) -> None:
    record(office)
    with office.browser("officer") as client, office.browser("keeper") as keeper, office.program("keeper") as program:
        page = opened(client, kind="erasure")
        send(client, f"{page}/propose-erasure")
        shown = keeper.get("/proposals").text
        assert "Erasure before time" in shown and "calls that go with it: 1" in shown and f'href="{page}"' not in shown
        assert "outcome: not noted yet" in shown
        assert f'href="{page}"' in client.get("/proposals").text
        assert program.get("/api/v1/proposals").json()[0]["request"] == {"kind": "erasure", "outcome": None, "calls": 1}
        send(client, f"{page}/settle", outcome="refused")
        send(client, f"{page}/close", understood="yes")
        shown = keeper.get("/proposals").text
        assert "Closing of a request" in shown and "outcome: refused" in shown
        for link in re.findall(r'href="(/(?:holds|requests|disclosures)/[^"]+)"', shown):
            assert keeper.get(link).status_code == 200, link


def test_what_a_request_holds_says_why_in_the_readers_language_and_what_somebody_wrote_stays(office: Console) -> None:
    written, held = "GDPR article 15, request of the caller", record(office)
    hold(office, held.id, basis=written)
    with office.browser("officer") as client:
        request = opened(client, kind="erasure").rpartition("/")[2]
        send(client, "/language", language="fi")
        page = client.get("/holds").text
        assert ">rekisteröidyn pyyntö<" in page and f">yleinen tietosuoja-asetus, 17 artikla, pyyntö {request}<" in page
        assert ">a complaint<" in page and f">{written}<" in page
        send(client, "/language", language="sv")
        pages = [client.get(link).text for link in re.findall(r'href="(/holds/[^"]+)"', page)]
        assert [f"artikel 17, begäran {request}" in one for one in pages].count(True) == 1
        assert ["<bdi>den registrerades begäran</bdi>" in one for one in pages].count(True) == 1
    with office.register.reading() as work:
        assert {one.basis for one in work.holds.all()} == {written, f"GDPR article 17, request {request}"}


def test_a_mistake_in_the_form_loses_nothing_and_opens_nothing(office: Console) -> None:
    with office.browser("officer") as client:
        for wrong in ({"identity": ""}, {"name": " "}, {"numbers": "\n"}, {"received": "2999-01-01"}, {"received": "yesterday"},
                      {"kind": "portability"}):
            answer = send(client, "/requests/new", **FORM | wrong)
            assert answer.status_code == 422 and 'role="alert"' in answer.text, wrong
            assert wrong.get("name") or NAMES in answer.text
        assert "There are no requests" in client.get("/requests").text


LONG = "Hei.\n" * 5000 + "<b>Hei hei.</b>"


@pytest.mark.parametrize(("language", "said"), [
    (Language.FINNISH, "Kirjoita litterointi kokonaan"), (Language.SWEDISH, "Skriv hela utskriften"), (Language.ENGLISH, "Write the whole transcript")])
def test_a_transcript_is_not_lost_with_a_mistake(office: Console, language: Language, said: str) -> None:
    first, second = record(office), record(office)
    with office.browser("officer") as client:
        page = opened(client)
        client.session.language = language
        send(client, f"{page}/calls/{second.id}", answer="transcript", transcript="Moi.", verbatim="yes")
        again = send(client, f"{page}/calls/{first.id}", answer="transcript", transcript=LONG)
        assert again.status_code == 422 and f'lang="{language}"' in again.text
        forms = {str(one.id): re.search(rf'action="{page}/calls/{one.id}".*?</form>', again.text, re.S)[0] for one in (first, second)}
        wrong, other = forms[str(first.id)], forms[str(second.id)]
        area = re.search(r'<textarea id="(transcript-\d)"[^>]*aria-describedby="([^"]*)"[^>]*>(.*?)</textarea>', wrong, re.S)
        assert html.unescape(area[3]) == LONG and "<b>" not in area[3]
        assert f"{area[1]}-mistake" in area[2].split() and 'aria-invalid="true"' in area[0]
        assert said in re.search(rf'id="{area[1]}-mistake"[^>]*>([^<]*)<', wrong)[1]
        assert 'value="transcript" selected' in wrong and " checked" not in wrong
        assert ">Moi.</textarea>" in other and "aria-invalid" not in other and said not in other
        assert "aria-invalid" not in client.get(page).text


def test_a_mistake_on_a_requests_page_is_told_there_and_loses_nothing(office: Console) -> None:
    call = record(office)
    with office.browser("officer") as client:
        page = opened(client)
        client.session.language = Language.FINNISH
        for path, fields, said in (
                ("/numbers", {"number": "- / -"}, "Kirjoita yksi puhelinnumero"), ("/numbers", {"number": "040 123 4567"}, "on pyynnössä jo"),
                ("/numbers", {"number": " "}, "Pakollinen kohta"), ("/calls", {"call": "9"}, "ei löydy puhelua"),
                ("/sessions", {"minutes": "61"}, "1–60"), ("/sessions", {"minutes": "x"}, "1–60"),
                ("/settle", {"outcome": "granted"}, "Merkitse ensin vastaus"), ("/settle", {"outcome": "nothing-found"}, "Puheluja löytyi"),
                (f"/calls/{call.id}", {"answer": "copy-of-it"}, "Valitse luettelosta")):
            again = send(client, page + path, **fields)
            shown = re.search(r'aria-invalid="true" aria-describedby="([^"]*)"', again.text)
            assert again.status_code == 422 and "<title>Virhe: " in again.text and shown, (path, fields)
            told = re.search(rf'id="{shown[1].split()[-1]}"[^>]*>([^<]*)<', again.text)
            alert = re.search(r'role="alert" lang="fi">([^<]*)<', again.text)
            assert said in told[1] and alert and alert[1] == told[1]
            assert any(f'value="{value.strip()}"' in again.text for value in fields.values()) or "answer" in fields
        assert send(client, f"/requests/{uuid4()}/numbers", number="").status_code == 404


def test_names_with_markup_do_nothing_on_any_page(office: Console) -> None:
    entry = record(office, agent=MARKUP)
    with office.browser("officer") as client:
        page = opened(client, name=MARKUP, contact=MARKUP)
        send(client, f"{page}/calls/{entry.id}", answer="transcript", transcript=MARKUP, verbatim="yes")
        for path in ("/requests", page, f"{page}/letter?language=sv"):
            text = client.get(path).text
            assert "<script>alert" not in text and "<img" not in text, path
        again = send(client, "/requests/new", **FORM | {"name": MARKUP, "identity": ""}).text
        assert "<script>alert" not in again and "&lt;script&gt;" in again


@contextmanager
def session(client: httpx.Client, page: str):
    """A session of supervised listening: its page, and where its first recording is."""
    answer = send(client, f"{page}/sessions", minutes="10")
    assert answer.status_code == 303, answer.text
    room = answer.headers["location"]
    yield room, re.search(r'src="([^"]+/audio)"', client.get(room).text)[1]


def test_under_supervision_it_is_heard_with_one_entry_while_the_session_lasts(office: Console) -> None:
    record(office, tone(90))
    with office.browser("officer") as client, office.browser("second") as other:
        page = opened(client)
        with session(client, page) as (room, audio):
            for start in (0, 1000, 1 << 20):
                answer = client.get(audio, headers={"Range": f"bytes={start}-"})
                assert answer.status_code == 206 and answer.headers["cache-control"] == "no-store"
            assert client.head(audio).headers["content-length"] == str(len(tone(90)))
            goes_on = f'<a href="{room}">Listening goes on until'
            assert goes_on in client.get(page).text and room not in other.get(page).text, "it is the session of one officer"
            assert len(office.trail("listening-supervised")) == 1 and office.trail("call-listened") == []
            assert other.get(audio).status_code == other.get(room).status_code == 404
            assert send(client, f"{room}/end").status_code == 303
            assert client.get(audio).status_code == client.get(room).status_code == 403
            assert "–" in client.get(page).text and room not in client.get(page).text


def test_a_session_ends_by_itself(office: Console) -> None:
    record(office)
    with office.browser("officer") as client:
        page = opened(client)
        with session(client, page) as (room, audio):
            assert client.get(audio).status_code == 200
            house, began = office.house, datetime.now(UTC)
            house.now = lambda: began + timedelta(minutes=10)
            assert client.get(audio).status_code == client.get(room).status_code == 403
        assert send(client, f"{page}/sessions", minutes="61").status_code == 422
        assert send(client, f"{page}/sessions", minutes="soon").status_code == 422


def test_erasure_takes_two_and_destroys_what_was_agreed(office: Console) -> None:
    entry, other = record(office), record(office, caller="0451111111")
    with office.browser("officer") as client:
        page = opened(client, kind="erasure")
        assert send(client, f"{page}/erase").status_code == 403
        assert send(client, f"{page}/propose-erasure").status_code == 303
        assert send(client, f"{page}/erase").status_code == 403
        agree(office, "second")
        assert "Destroy the calls for good" in client.get(page).text
        assert send(client, f"{page}/erase").status_code == 303
        assert "erased" in client.get(page).text
    with office.register.reading() as work:
        left = [one.id for one in work.calls.of_ids([entry.id, other.id], datetime.now(UTC))]
    done = [one.object for one in office.trail("call-erased") if one.outcome == "allowed"]
    assert left == [other.id] and done == [str(entry.id)]


def test_a_restricted_call_cannot_be_heard_by_who_listens(office: Console) -> None:
    entry = record(office)
    audio = f"/calls/{entry.id}/recordings/{entry.recordings[0].id}/audio"
    with office.browser("officer") as officer, office.browser("listener") as listener:
        listener.session.purposes[entry.id] = office.config.purposes.names[0]
        assert listener.get(audio).status_code == 200
        opened(officer, kind="restriction")
        assert listener.get(audio).status_code == 404
        officer.session.purposes[entry.id] = office.config.purposes.names[0]
        assert officer.get(audio).status_code == 403
        shut = officer.get(f"/calls/{entry.id}")
        assert shut.status_code == 403 and "for a purpose of the law only" in shut.text
        officer.session.purposes[entry.id] = "data-subject-request"
        assert officer.get(audio).status_code == 200
        assert "restricted at its caller" in officer.get(f"/calls/{entry.id}").text
    for login, found in (("listener", False), ("officer", True)):
        with office.browser(login) as client:
            page = client.get(send(client, "/calls", number="0401234567").headers["location"]).text
            assert (str(entry.id) in page) is found, login


@pytest.mark.parametrize("login", ["listener", "trainer", "keeper", "admin", "auditor", "nobody"])
def test_for_whom_it_is_not_every_page_and_operation_is_refused_and_recorded(office: Console, login: str) -> None:
    with office.browser("officer") as client:
        page = opened(client, numbers="0400000001")
    deeds = ("search", "settle", "extend", "close", "propose-erasure", "erase")
    with office.browser(login) as client:
        assert "/requests" not in client.get("/").text
        for path in ("/requests", "/requests/new", page, f"{page}/letter", f"{page}/letter.pdf", f"{page}/sessions/{uuid4()}"):
            before = len(office.trail())
            assert client.get(path).status_code == 403 and office.trail()[before:][0].outcome == "refused", path
        for deed in deeds:
            before = len(office.trail())
            answer = send(client, f"{page}/{deed}", outcome="withdrawn", reason="complex")
            assert answer.status_code == 403 and office.trail()[before:][0].outcome == "refused", deed
    with office.program(login) as program:
        assert program.get("/api/v1/requests").status_code == 403


def test_a_guessed_id_is_not_there(office: Console) -> None:
    with office.browser("officer") as client:
        for path in (f"/requests/{uuid4()}", "/requests/1", f"/requests/{uuid4()}/letter", f"/requests/{uuid4()}/sessions/{uuid4()}"):
            assert client.get(path).status_code == 404, path


def test_a_program_does_the_same(office: Console) -> None:
    entry = record(office)
    with office.program("officer") as program:
        asked = {"kind": "access", "received_at": datetime.now(UTC).isoformat(), "identity": "in-person", "name": NAMES,
                 "numbers": ["0401234567"]}
        made = program.post("/api/v1/requests", json=asked)
        assert made.status_code == 201 and made.json()["fates"]["frozen"] == 1
        place = f"/api/v1/requests/{made.json()['request']}"
        (call,) = program.get(place).json()["calls"]
        assert (call["call"], call["caller"], call["answer"]) == (str(entry.id), "+358401234567", "none")
        assert program.put(f"{place}/calls/{entry.id}", json={"answer": "transcript", "transcript": "Hei."}).status_code == 422
        said = {"answer": "transcript", "transcript": "Hei.", "verbatim": True}
        assert program.put(f"{place}/calls/{entry.id}", json=said).status_code == 204
        assert program.post(f"{place}/extension", json={"reason": "complex"}).status_code == 204
        assert program.get(f"{place}/letter.pdf").content.startswith(b"%PDF")
        session = program.post(f"{place}/sessions", json={"minutes": 5})
        assert session.status_code == 201 and program.delete(f"{place}/sessions/{session.json()['id']}").status_code == 204
        assert program.post(f"{place}/outcome", json={"outcome": "granted"}).status_code == 204
        assert program.post(f"{place}/closing").status_code == 202
        assert program.get("/api/v1/requests").json()[0]["state"] == "answered"
        assert program.post("/api/v1/requests", json=asked | {"identity": None}).status_code == 422


@pytest.mark.parametrize("problem", [KeyMissing("the key of a day is not here"), RegisterUnavailable("the register is away"),
                                     OSError(28, "No space left on device")])
def test_a_request_stands_and_is_told_of_when_its_search_fails(office: Console, monkeypatch: pytest.MonkeyPatch,
                                                               caplog: pytest.LogCaptureFixture, problem: Exception) -> None:
    record(office)
    asked = {"kind": "access", "received_at": datetime.now(UTC).isoformat(), "identity": "in-person", "name": NAMES,
             "numbers": ["0401234567"]}

    def away(self: RequestSearch, request: UUID) -> Searched:
        raise problem

    with office.program("officer") as program, office.browser("officer") as client, monkeypatch.context() as broken:
        broken.setattr(RequestSearch, "search", away)
        made = program.post("/api/v1/requests", json=asked)
        assert made.status_code == 201 and made.json()["problem"] in ("key-missing", "away", "failed")
        more = program.post(f"/api/v1/requests/{made.json()['request']}/numbers", json={"number": "0501"})
        assert more.status_code == 200 and more.json()["problem"] == made.json()["problem"]
        answer = send(client, "/requests/new", **FORM)
        assert answer.status_code == 303
        shown = client.get(answer.headers["location"]).text
        assert "The search failed" in shown and "Found 0" not in shown
        page = answer.headers["location"].partition("?")[0]
        assert "The search failed" in client.get(send(client, f"{page}/numbers", number="0502").headers["location"]).text
        assert len(program.get("/api/v1/requests").json()) == 2
        told = [record.getMessage() for record in caplog.records if getattr(record, "action", "") == "search_failed"]
        assert len(told) == 4 and all(made.json()["request"] in one for one in told[:2]) and "0401234567" not in "".join(told)
        broken.undo()
        assert "Found 1; frozen now 1" in client.get(send(client, f"{page}/search").headers["location"]).text


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_letter_says_what_the_law_asks_in_each_language(office: Console, language: str) -> None:
    entry: Entry = record(office, agent="Ελένη")
    with office.browser("officer") as client:
        page = opened(client)
        send(client, f"{page}/calls/{entry.id}", answer="heard-and-copy-offered")
        text = client.get(f"{page}/letter?language={language}").text
        assert f'<html lang="{language}">' in text
        authority = office.config.authority.called(language)
        for words in (NAMES, "+358401234567", "Ελένη", "0:00:30", authority, *office.config.purposes.said(language)):
            assert words in text, words
        assert f"{office.config.retention.days}" in text and client.get(f"{page}/letter?language=de").status_code == 422
        made = client.get(f"{page}/letter.pdf?language={language}")
        assert made.status_code == 200 and made.headers["content-type"] == "application/pdf"
        assert NAMES not in str(made.headers) and made.content.startswith(b"%PDF") and entry.id
    assert [one.detail["section"] for one in office.trail("request-handled")][1:] == ["call-answered", "letter-made", "letter-made"]


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_letter_can_be_made_where_only_the_fonts_of_every_pdf_are(office: Console, tmp_path: Path, language: str,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_pdf.pdf, "__defaults__", (tmp_path,))
    entry: Entry = record(office, agent="Bo Ek")
    with office.browser("officer") as client:
        page = opened(client, name="Åsa Öberg")
        send(client, f"{page}/calls/{entry.id}", answer="heard-and-copy-offered")
        made = client.get(f"{page}/letter.pdf?language={language}")
        assert made.status_code == 200 and made.content.startswith(b"%PDF") and b"DejaVu" not in made.content


def letter(name: str) -> Letter:
    return Letter(Language.FINNISH, "Vastaus", (("Vastaanottaja", name),), (Section("Otsikko", ("Käännä – sivu.",)),),
                  (Section("Liite", ("Ensimmäinen rivi", "", "Kolmas rivi")),))


def test_the_pdf_has_the_fonts_for_names_of_all_europe_in_it() -> None:
    made = letter_pdf.pdf(letter(NAMES), datetime.now(UTC))
    assert b"DejaVuSans" in made and b"/Lang (fi)" in made and made.count(b"/Type /Page\n") == 2


def test_a_reader_of_the_pdf_shows_its_title_and_its_headings() -> None:
    made = letter_pdf.pdf(letter(NAMES), datetime.now(UTC))
    assert b"/DisplayDocTitle true" in made and b"/Outlines" in made
    assert [made.count(b"/Title (%s)" % heading) for heading in (b"Otsikko", b"Liite", b"Vastaus")] == [1, 1, 1]


def test_a_letter_that_is_refused_leaves_no_file_open() -> None:
    def open_fonts() -> list[str]:
        return [name for fd in Path("/proc/self/fd").iterdir() if "DejaVu" in (name := os.path.realpath(fd))]

    assert open_fonts() == []
    gc.disable()  # it would close them some time later
    try:
        with pytest.raises(ConfigurationError):
            letter_pdf.pdf(letter("山田"), datetime.now(UTC))
        assert open_fonts() == []
    finally:
        gc.enable()


def test_a_name_that_the_fonts_cannot_write_is_refused_and_not_maimed(tmp_path: Path) -> None:
    for name, fonts in ((NAMES, tmp_path), ("山田", letter_pdf.FONTS)):
        with pytest.raises(ConfigurationError, match="Print the letter from the browser") as refusal:
            letter_pdf.pdf(letter(name), datetime.now(UTC), fonts)
        assert name not in str(refusal.value)
    assert letter_pdf.pdf(Letter(Language.SWEDISH, "Svar", (("Till", "Åsa Öberg"),), (), ()), datetime.now(UTC), tmp_path)


def test_every_text_is_there_in_three_languages_and_every_word_of_ours_has_one() -> None:
    texts = catalogue()
    areas = ("requests", "letter", "request_kinds", "request_answers", "request_outcomes")
    ours = {key: said for key, said in texts.items() if key.partition(".")[0] in areas}
    assert len(ours) > 100 and all(set(said) == {"fi", "sv", "en"} and all(said.values()) for said in ours.values())
    for kind in Kind:
        assert f"letter.title_{kind}" in texts and f"request_kinds.{kind}" in texts
    assert all(f"request_extensions.{one}" in texts for one in Extension) and UUID(int=0)
