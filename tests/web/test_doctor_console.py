"""The doctor at the console's door: a real console with real certificates, and each thing that may be wrong with it."""

import datetime
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import ValidationError

from ami_bridge import __version__
from ami_bridge.app import people
from ami_bridge.config.console import ConsoleServer
from ami_bridge.core.duties import Duty
from ami_bridge.credentials import Codes
from ami_bridge.services.certificate_pair import why_not
from ami_bridge.services.console_call import Answer, knock
from ami_bridge.services.doctor_console import CODES, NAME, STAFF, answers, certificate, console, covers, staff
from ami_bridge.services.findings import Finding, Status
from ami_bridge.web.serving import tell_unreadable_codes
from tests.core.test_staffing import WHOLE, person
from tests.ports import free_port
from tests.web.console import Console, make_certificate

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ConsoleServer]:
    """Settings with a certificate for localhost that holds for 30 days and a little."""
    file, key = make_certificate(tmp_path)
    key.chmod(0o600)
    yield ConsoleServer(certificate=file, key=key, port=free_port())


def nobody(server: ConsoleServer) -> Answer:
    return Answer(address=f"https://{server.host}:{server.port}", answered=False)


def said(found: Iterator[Finding]) -> dict[str, tuple[Status, str]]:
    return {one.name: (one.status, one.reason) for one in found}


def early(server: ConsoleServer) -> list[Finding]:
    """What is found two days before, when the certificate holds for more than a month."""
    return list(certificate(server, nobody(server), NOW - datetime.timedelta(days=2)))


def test_a_running_console_is_known_by_its_version_and_certificate(empty: Console) -> None:
    answer = knock(empty.config.console)
    shown = x509.load_pem_x509_certificate(empty.authority.read_bytes())
    assert (answer.answered, answer.ours, answer.version) == (True, True, __version__)
    assert answer.certificate == shown.fingerprint(SHA256()).hex()
    found = said(console(empty.config))
    assert found[NAME][0] is Status.OK and found[STAFF] == (Status.WARNING, "there are no accounts: nobody can sign in")
    empty.employ("officer", "second", "admin", "auditor")
    assert said(console(empty.config))[STAFF] == (
        Status.OK, "4 accounts: somebody for each duty, and a second person to approve")


def test_a_certificate_that_was_renewed_without_a_restart_is_told(empty: Console, tmp_path: Path) -> None:
    answer = knock(empty.config.console)
    (tmp_path / "new").mkdir()
    file, key = make_certificate(tmp_path / "new")
    renewed = empty.config.console.model_copy(update={"certificate": file, "key": key})
    assert any("still shows another certificate" in one.reason for one in certificate(renewed, answer, NOW))


def test_without_accounts_a_console_need_not_run_and_with_some_it_must() -> None:
    away = Answer(address="http://127.0.0.1:8443", answered=False)
    assert answers(away, used=False).status is Status.OK and "not in use" in answers(away, used=False).reason
    assert answers(away, used=True).status is Status.WARNING
    assert list(staff([], NOW, running=False)) == []


@pytest.mark.parametrize("what", ["lost", "another"])
def test_a_key_that_does_not_open_the_codes_is_an_error_and_told_at_the_start(office: Console, caplog: pytest.LogCaptureFixture,
                                                                              what: str) -> None:
    many = sum(bool(account.codes) for account in people(office.config, office.register, "os:tests").all())
    assert many > 1 and said(console(office.config))[CODES][0] is Status.OK
    tell_unreadable_codes(office.config, office.register)
    assert not caplog.records
    office.config.accounts.key.unlink()
    if what == "another":
        Codes(office.config.accounts.key).create()
    (found,) = [one for one in console(office.config) if one.name == CODES]
    assert found.status is Status.ERROR and found.reason.startswith(f"{many} accounts cannot sign in")
    assert found.remedy.startswith("Restore ")
    tell_unreadable_codes(office.config, office.register)
    assert [record.action for record in caplog.records] == ["codes_unreadable"]  # type: ignore[attr-defined]
    assert f"{many} accounts cannot sign in" in caplog.text


def test_another_program_on_the_port_is_not_the_console(daytime: int) -> None:
    answer = knock(ConsoleServer(port=daytime))
    assert (answer.answered, answer.ours) == (True, False) and answers(answer, used=True).status is Status.WARNING


@pytest.fixture
def daytime() -> Iterator[int]:
    """The port of another program, which says what nobody asked it."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        def serve() -> None:
            line, _ = door.accept()
            line.recv(1024)
            line.sendall(b"Thursday, February 30, 1712\r\n")
            line.close()

        threading.Thread(target=serve, daemon=True).start()
        yield door.getsockname()[1]


def test_an_older_console_that_still_runs_is_told() -> None:
    answer = Answer(address="x", answered=True, ours=True, version="0.0.1")
    assert answers(answer, used=True).status is Status.WARNING and "0.0.1" in answers(answer, used=True).reason


def test_a_certificate_in_order_is_ok(server: ConsoleServer) -> None:
    assert [one.status for one in early(server)] == [Status.OK]


@pytest.mark.parametrize(("days", "status", "words"), [
    (1, Status.WARNING, "ends on"), (31, Status.ERROR, "browsers refuse"), (-2, Status.OK, "holds until")])
def test_a_certificate_warns_for_a_month_before_it_ends(server: ConsoleServer, days: int, status: Status, words: str) -> None:
    (found,) = certificate(server, nobody(server), NOW + datetime.timedelta(days=days))
    assert found.status is status and words in found.reason


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_key_that_others_can_read_is_an_error(server: ConsoleServer, mode: int) -> None:
    assert server.key
    server.key.chmod(mode)
    (found,) = early(server)
    assert found.status is Status.ERROR and "open to others" in found.reason


def test_a_key_of_another_certificate_is_an_error(server: ConsoleServer, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    _, key = make_certificate(tmp_path / "other")
    (found,) = early(server.model_copy(update={"key": key}))
    assert found.status is Status.ERROR and "cannot be used together" in found.reason


def locked(file: Path, folder: Path) -> Path:
    """A copy of a private key that a password locks."""
    key, found = serialization.load_pem_private_key(file.read_bytes(), None), folder / "locked.pem"
    found.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                        serialization.BestAvailableEncryption(b"word")))
    return found


def test_of_a_file_that_cannot_be_used_its_name_and_the_reason_are_told(server: ConsoleServer, tmp_path: Path) -> None:
    assert server.certificate and server.key
    (broken := tmp_path / "broken.pem").write_text("nothing of the kind")
    absent = tmp_path / "absent.pem"
    for file, words in ((broken, "is no certificate in PEM"), (absent, "cannot be read (No such file or directory)")):
        assert why_not(file, server.key) == f"{file} {words}"
    for file, words in ((broken, "is no private key in PEM"), (absent, "cannot be read (No such file or directory)"),
                        (locked(server.key, tmp_path), "is locked with a password, and nobody is there to type it")):
        assert why_not(server.certificate, file) == f"{file} {words}"
        assert [one.reason for one in early(server.model_copy(update={"key": file}))] == [f"{file} {words}"]
    assert why_not(server.certificate, server.key) == ""


def test_a_name_that_the_certificate_lacks_is_told(server: ConsoleServer) -> None:
    (found,) = early(server.model_copy(update={"names": ("localhost", "calls.example.fi")}))
    assert found.status is Status.WARNING and "calls.example.fi" in found.reason and "localhost," not in found.reason
    assert server.certificate
    loaded = x509.load_pem_x509_certificate(server.certificate.read_bytes())
    assert covers(loaded, "LOCALHOST") and not covers(loaded, "127.0.0.1") and not covers(loaded, "host")


@pytest.mark.parametrize(("people", "words"), [
    (WHOLE[1:], "nobody who can sign in may answer callers"), ([*WHOLE[:1], *WHOLE[2:]], "no second person to approve"),
    ([*WHOLE[:2], WHOLE[3]], "look after accounts"), (WHOLE[:3], "read the trail"),
    ([*WHOLE, person(9, Duty.LISTENER, codes="")], "1 account open without a password or one-time codes"),
    ([*WHOLE, person(9, Duty.LISTENER, clearance_until=None)], "1 account may hear recordings by duty, without a valid")])
def test_each_person_who_is_lacking_is_told_with_what_to_do(people: list, words: str) -> None:
    (found,) = staff(people, WHOLE[0].created_at, running=True)
    assert found.status is Status.WARNING and words in found.reason and "ami-bridge account" in found.remedy


def test_no_word_names_a_person() -> None:
    unready = [replace(one, codes="", clearance_until=None) for one in WHOLE]
    told = " ".join(one.reason + one.remedy for one in staff(unready, NOW, running=True))
    assert "person" not in told.replace("second person", "") and "Somebody" not in told


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "::", "2001:db8::1"])
def test_without_tls_it_is_on_this_machine_only(host: str) -> None:
    with pytest.raises(ValidationError, match="in the clear"):
        ConsoleServer(host=host)
