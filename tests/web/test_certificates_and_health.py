"""Certificates and health: for those who watch over the recordings, and read by nobody without a trace."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ami_bridge.app import purge
from ami_bridge.certificates import Certificates
from ami_bridge.core.alarms import Name
from ami_bridge.core.certificate import DESTROYED, KEPT, NOT_HERE, Certificate
from ami_bridge.core.findings import Kind
from ami_bridge.core.gaps import Cause
from ami_bridge.core.notice import Reason
from ami_bridge.core.promises import CLAUSES
from ami_bridge.core.recordings import State
from ami_bridge.web.words import catalogue
from tests.web.console import Console
from tests.web.test_accounts import post

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def issue(office: Console, count: int) -> Path:
    """Have certificates issued, as a purge does."""
    config = office.config.certificates
    shelf = Certificates(config.directory, config.key)
    shelf.create()
    for number in range(1, count + 1):
        digests, sha256 = shelf.list_digests(number, ["ab" * 32])
        shelf.issue(Certificate(number=number, previous="", exchange="helsinki", program="1", key="2026-11-22", whole=True,
                                fingerprint="age1x", key_fate=DESTROYED, policy_days=31, as_of=NOW, issued_at=NOW, calls=7, files=8,
                                unregistered=0, digests=digests, digests_sha256=sha256))
    return config.directory


def test_certificates_are_listed_shown_verified_and_taken_away_as_they_lie_there(office: Console) -> None:
    folder = issue(office, 3)
    with office.browser("auditor") as client, office.program("keeper") as program:
        page = client.get("/certificates").text
        assert re.findall(r">(0000\d\d)<", page) == ["000003", "000002", "000001"] and "2026-11-22" in page
        assert "000001" in client.get("/certificates?before=2").text and "000002" not in client.get("/certificates?before=2").text
        one = client.get("/certificates/2").text
        assert "Destroyed: calls 7, files 8." in one and "Fate of the key" in one
        taken = client.get("/certificates/2.json")
        assert taken.content == (folder / "000002.json").read_bytes() and "attachment" in taken.headers["content-disposition"]
        assert client.get("/certificates/2.digests").content == (folder / "000002.digests").read_bytes()
        assert "are good" in post(client, "/certificates/verify").text
        listed = program.get("/api/v1/certificates?limit=2").json()
        assert [one["number"] for one in listed["certificates"]] == [3, 2] and listed["older"] == 2
        assert program.get("/api/v1/certificates/2/file").json() == json.loads(taken.content)
        assert program.get("/api/v1/certificates/1").json()["calls"] == 7
        assert program.post("/api/v1/certificates/verify").json() == {"problems": []}
        for number in ("4", "0", "-1", "9" * 40):
            assert client.get(f"/certificates/{number}").status_code == program.get(f"/api/v1/certificates/{number}").status_code == 404
        (folder / "000002.json").write_text("{}")
        assert "cannot be read" in client.get("/certificates").text and "cannot be read" in client.get("/certificates/2").text
        assert "certificate 000002 cannot be read" in post(client, "/certificates/verify").text
    assert [entry.detail.get("verdict", "") for entry in office.trail("certificates-listed") if "verdict" in entry.detail] == [
        "good", "good", "not-good"]


@pytest.mark.parametrize(("login", "certificates", "health"), [("listener", 403, 403), ("trainer", 403, 403), ("nobody", 403, 403),
                                                               ("admin", 403, 200), ("keeper", 200, 200), ("officer", 200, 200)])
def test_who_sees_them_is_said_by_the_table(office: Console, login: str, certificates: int, health: int) -> None:
    issue(office, 1)
    with office.browser(login) as client, office.program(login) as program:
        answers = [client.get("/certificates"), client.get("/certificates/1"), client.get("/certificates/1.json"),
                   client.get("/certificates/1.digests"), post(client, "/certificates/verify"), program.get("/api/v1/certificates"),
                   program.get("/api/v1/certificates/1"), program.get("/api/v1/certificates/1/file"),
                   program.post("/api/v1/certificates/verify")]
        assert {answer.status_code for answer in answers} == {certificates}
        assert {client.get("/health").status_code, program.get("/api/v1/health").status_code} == {health}
        if health == 403:
            assert post(client, "/health/notice").status_code == program.post("/api/v1/health/notice").status_code == 403
            assert office.trail("health-viewed")[-1].reason == "no-duty"
    traces = office.trail("certificates-listed")
    assert len(traces) == len(answers) and {entry.outcome for entry in traces} == {"allowed" if certificates == 200 else "refused"}


def test_health_is_shown_in_words_and_the_notice_is_checked_when_asked(office: Console) -> None:
    purge(office.config, office.register, "os:tests")
    with office.browser("auditor") as client, office.program("auditor") as program:
        page = client.get("/health").text
        assert "Not all is well" in page and "does not run" in page and "were not checked since the console began" in page
        post(client, "/language", {"language": "fi"})
        assert "Taustaohjelma" in client.get("/health").text
        found = program.get("/api/v1/health").json()
        assert found["healthy"] is False and found["register"]["recorded_today"] == 0 and found["disks_free"]["spool"] > 0
        assert post(client, "/health/notice").headers["location"] == "/health#notice"
        page = client.get("/health").text
        assert "N10: oikeudet annetaan tehtävän mukaan" in page and "ei ole tarkistettu" not in page
        assert "Tekniset tiedot englanniksi ylläpidolle:" in page and re.search(r"\d+(,\d)? Gt vapaana", page)
        said = {said for line in re.findall(r"<li>([^<]*): <span lang=\"en\">", page.partition('id="notice"')[2]) for said in [line]}
        assert said and said <= {"pidetään", "ei pidetä", "ohjelma ei voi tarkistaa"}
        checked = program.post("/api/v1/health/notice").json()
        assert {line["clause"] for line in checked["lines"]} == set(CLAUSES) and checked["at"]
    assert {"by": "notice", "verdict": "kept" if checked["kept"] else "not-kept"} in [
        dict(entry.detail) for entry in office.trail("health-viewed")]


def test_everything_that_health_can_say_has_words() -> None:
    wanted = [*(f"alarms.{one}" for one in Name), *(f"findings.{one}" for one in Kind), *(f"causes.{one}" for one in Cause),
              *(f"reasons.{one}" for one in [*Reason, *State]), *(f"clauses.{one}" for one in CLAUSES),
              *(f"fates.{one}" for one in (DESTROYED, NOT_HERE, KEPT)),
              *(f"certificate_fields.{one}" for one in Certificate.__dataclass_fields__)]
    assert [key for key in wanted if key not in catalogue()] == []
