"""The register of what leaves, as pages, as a table and as API."""

import codecs
import csv
import hashlib
import io
import re
import zipfile
from uuid import UUID, uuid4

import httpx
import pyrage
import pytest

from tests.web.console import Console
from tests.web.recordings import record, tone
from tests.web.test_holds import post
from tests.web.test_requests import opened

IDENTITY = pyrage.x25519.Identity.generate()
KEY = str(IDENTITY.to_public())
FIELDS = {"kind": "authority", "recipient": "Poliisi", "country": "FI", "statute": "PolL 4:2", "recipient_key": KEY}


def propose(client: httpx.Client, call: object, **fields: str) -> str:
    answer = post(client, "/disclosures/new", call=str(call), **FIELDS | fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def approve(client: httpx.Client) -> None:
    for proposal in re.findall(r'action="/proposals/([0-9a-f-]+)/approve"', client.get("/proposals").text):
        assert post(client, f"/proposals/{proposal}/approve").status_code == 303


def test_a_disclosure_is_proposed_approved_and_handed_out_sealed(office: Console) -> None:
    call = record(office, tone(2)).id
    with office.browser("officer") as officer, office.browser("keeper") as keeper, office.browser("second") as second:
        form = officer.get("/disclosures/new", params={"call": str(call)}).text
        assert all(f'<label for="{name}">' in form for name in ("recipient", "country", "statute", "recipient_key"))
        place = propose(officer, call)
        assert "Waits for a second person" in officer.get(place).text
        early = post(officer, f"{place}/file")
        assert early.status_code == 403 and "second person" in early.text
        approve(keeper)
        assert "Download to hand out" in officer.get(place).text and "Download to hand out" not in second.get(place).text
        assert post(second, f"{place}/file").status_code == 403
        answer = post(officer, f"{place}/file")
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        id = place.rpartition("/")[2]
        assert answer.headers["content-disposition"] == f'attachment; filename="disclosure-{id}.zip.age"'
        with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(answer.content, [IDENTITY]))) as archive:
            assert archive.read("recording-1.wav") == tone(2)
        digest = hashlib.sha256(answer.content).hexdigest()
        for client in (officer, keeper, second):
            assert digest in client.get(place).text
    handed = office.trail("call-disclosed")
    assert [(one.object, one.outcome, one.purpose) for one in handed if one.outcome == "allowed"] == [(str(call), "allowed", "authority-request")]
    assert {one.reason for one in handed if one.outcome == "refused"} == {"needs-a-second-person", "not-the-proposer"}


def test_a_copy_for_the_caller_goes_the_same_way(office: Console) -> None:
    call = record(office, tone(1)).id
    with office.browser("officer") as officer, office.browser("second") as second:
        request = UUID(opened(officer).rpartition("/")[2])
        form = officer.get("/disclosures/new", params={"call": str(call), "kind": "copy", "request": str(request)}).text
        assert str(request) in form and 'name="statute"' not in form
        place = propose(officer, call, kind="copy", request=str(request), recipient="", statute="", recipient_key="")
        assert post(officer, f"{place}/file").status_code == 403
        approve(second)
        answer = post(officer, f"{place}/file")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.read("recording-1.wav") == tone(1)
        assert "data subject" in officer.get(place).text
    assert [one.outcome for one in office.trail("call-exported")] == ["refused", "allowed"]


def test_the_auditor_reads_the_register_as_a_table_without_formulas(office: Console) -> None:
    call = record(office).id
    with office.browser("officer") as officer, office.browser("auditor") as auditor:
        place = propose(officer, call, recipient='=HYPERLINK("evil")', statute="+1 <script>")
        page = auditor.get("/disclosures").text
        assert place in page and "<script>" not in page and 'href="/proposals"' not in auditor.get(place).text
        answer = auditor.get("/disclosures/register.csv")
        assert answer.headers["content-type"].startswith("text/csv") and answer.content.startswith(codecs.BOM_UTF8)
        assert answer.headers["content-disposition"] == 'attachment; filename="disclosures.csv"'
        heading, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        line = dict(zip(heading, row, strict=True))
    assert (line["recipient"], line["statute"]) == ("'=HYPERLINK(\"evil\")", "'+1 <script>")
    assert (line["state"], line["proposed_by"], line["country"], line["call"]) == ("waiting", "Outi Oksanen", "FI", str(call))
    assert [one.actor for one in office.trail("disclosures-listed")] == [f"account:{office.account('auditor').id}"] * 3


@pytest.mark.parametrize("login", ["listener", "trainer", "admin", "nobody", "auditor", "keeper"])
def test_who_does_not_answer_for_callers_takes_nothing_out(office: Console, login: str) -> None:
    call = record(office).id
    with office.program("officer") as officer, office.program("second") as second:
        made = officer.post("/api/v1/disclosures", json=FIELDS | {"call": str(call)}).json()
        second.post(f"/api/v1/proposals/{made['proposal']['id']}/approve")
    before, path = len(office.trail()), f"/disclosures/{made['id']}"
    with office.browser(login) as client, office.program(login) as program:
        answers = [client.get("/disclosures/new", params={"call": str(call)}), post(client, "/disclosures/new", call=str(call), **FIELDS),
                   post(client, f"{path}/file"), program.post("/api/v1/disclosures", json=FIELDS | {"call": str(call)}),
                   program.post(f"/api/v1{path}/file")]
        reads = [client.get("/disclosures"), client.get("/disclosures/register.csv"), client.get(path),
                 program.get("/api/v1/disclosures"), program.get(f"/api/v1{path}")]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert [answer.status_code for answer in reads] == [200 if login in ("auditor", "keeper") else 403] * 5
    entries = office.trail()[before:]
    assert len(entries) == 10 and [one.outcome for one in entries][:5] == ["refused"] * 5


def test_the_api_does_the_same(office: Console) -> None:
    call = record(office, tone(1)).id
    with office.program("officer") as officer, office.program("second") as second:
        made = officer.post("/api/v1/disclosures", json=FIELDS | {"call": str(call)})
        assert made.status_code == 201 and made.json()["proposal"]["state"] == "waiting"
        path = f"/api/v1/disclosures/{made.json()['id']}"
        assert officer.post(f"{path}/file").status_code == 403
        assert second.post(f"/api/v1/proposals/{made.json()['proposal']['id']}/approve").json()["state"] == "approved"
        answer = officer.post(f"{path}/file")
        assert zipfile.ZipFile(io.BytesIO(pyrage.decrypt(answer.content, [IDENTITY]))).read("recording-1.wav") == tone(1)
        (listed,) = officer.get("/api/v1/disclosures").json()
        assert listed == officer.get(path).json()
        assert [one["sha256"] for one in listed["handed_out"]] == [hashlib.sha256(answer.content).hexdigest()]
        for wrong in ({"country": "US"}, {"recipient_key": "age1x"}, {"statute": ""}, {"country": "FIN"}, {"kind": "else"}):
            assert officer.post("/api/v1/disclosures", json=FIELDS | {"call": str(call)} | wrong).status_code == 422, wrong


def test_mistakes_are_told_and_guessed_ids_lead_nowhere(office: Console) -> None:
    call = record(office).id
    with office.browser("officer") as officer:
        outside = post(officer, "/disclosures/new", call=str(call), **FIELDS | {"country": "US"})
        assert outside.status_code == 422 and "country of the EU or EEA" in outside.text and "PolL 4:2" in outside.text
        bad = post(officer, "/disclosures/new", call=str(call), **FIELDS | {"recipient_key": KEY[:-1]})
        assert bad.status_code == 422 and "begins with age1" in bad.text
        for path in (f"/disclosures/{uuid4()}", "/disclosures/x", "/disclosures/new", f"/disclosures/new?call={call}&kind=x",
                     f"/disclosures/new?call={call}&request=x"):
            assert officer.get(path).status_code == 404, path
        assert post(officer, "/disclosures/new", call=str(uuid4()), **FIELDS).status_code == 404
        assert post(officer, f"/disclosures/{uuid4()}/file").status_code == 404
        assert officer.post("/disclosures/new", data=FIELDS | {"call": str(call)}).status_code == 403
        assert "There are no disclosures" in officer.get("/disclosures").text


def test_without_a_clearance_that_lasts_nothing_leaves(office: Console) -> None:
    from ami_bridge.app import people

    call = record(office).id
    with office.browser("officer") as officer, office.browser("keeper") as keeper:
        place = propose(officer, call)
        approve(keeper)
        people(office.config, office.register, "os:tests").set_clearance("officer", None)
        refused = post(officer, f"{place}/file")
        assert refused.status_code == 403 and "clearance" in refused.text
        assert officer.get("/disclosures/new", params={"call": str(call)}).status_code == 403
    assert "Nothing was handed out" in _page(office, place)


def _page(office: Console, path: str) -> str:
    with office.browser("auditor") as auditor:
        return auditor.get(path).text
