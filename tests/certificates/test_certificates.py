"""Certificates: whoever has the public key sees every change."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_bridge.certificates import PUBLIC, Certificates, verify
from ami_bridge.cli import main
from ami_bridge.core.certificate import Certificate
from ami_bridge.core.errors import KeyMissing

NOW = datetime(2026, 12, 25, 3, tzinfo=UTC)
SEALED = [f"{number:064x}" for number in range(50)]


def draft(number: int) -> Certificate:
    return Certificate(number=number, previous="", exchange="pbx", program="ami-bridge 0", key=f"2026-12-{number:02}", whole=True,
                       fingerprint="f" * 64, key_fate="destroyed", policy_days=31, as_of=NOW, issued_at=NOW, calls=25, files=50,
                       unregistered=0, digests=50, digests_sha256="")


def issue(certificates: Certificates, number: int) -> str:
    count, sha256 = certificates.list_digests(number, SEALED)
    return certificates.issue(replace(draft(number), digests=count, digests_sha256=sha256))


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    certificates = Certificates(tmp_path / "certificates", tmp_path / "certificate.key")
    certificates.create()
    for number in (1, 2, 3):
        issue(certificates, number)
    return certificates


def test_an_unbroken_chain_is_good_and_its_head_is_the_newest(certificates: Certificates) -> None:
    assert verify(certificates.directory) == []
    number, sha256 = certificates.head()
    assert number == 3 and verify(certificates.directory, head=sha256) == []
    assert certificates.read(2).previous == Certificates(certificates.directory, certificates.key)._digest_of(1)


def test_issuing_twice_changes_nothing(certificates: Certificates) -> None:
    before = {path: path.read_bytes() for path in certificates.directory.iterdir()}
    assert issue(certificates, 3) == certificates.head()[1]
    certificates.create()
    assert {path: path.read_bytes() for path in certificates.directory.iterdir()} == before


@given(st.integers(1, 3), st.sampled_from(["json", "digests"]), st.integers(0), st.integers(1, 255))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_is_found(certificates: Certificates, number: int, kind: str, place: int, change: int) -> None:
    path = certificates.directory / f"{number:06}.{kind}"
    before = path.read_bytes()
    place %= len(before)
    path.write_bytes(before[:place] + bytes([before[place] ^ change]) + before[place + 1:])
    try:
        assert verify(certificates.directory)
    finally:
        path.write_bytes(before)


def test_one_taken_out_or_put_in_another_place_is_found(certificates: Certificates) -> None:
    paths = [certificates.directory / f"{number:06}.json" for number in (1, 2, 3)]
    texts = [path.read_bytes() for path in paths]
    paths[1].unlink()
    assert "000002 is not there" in verify(certificates.directory)[0]
    paths[1].write_bytes(texts[2])
    assert verify(certificates.directory)
    paths[1].write_bytes(texts[0])
    assert verify(certificates.directory)


def test_a_chain_cut_at_its_end_is_seen_by_who_wrote_the_head_down(certificates: Certificates) -> None:
    head = certificates.head()[1]
    (certificates.directory / "000003.json").unlink()
    assert verify(certificates.directory) == []
    assert "head" in verify(certificates.directory, head=head)[0]


def test_a_list_of_digests_that_is_gone_is_found(certificates: Certificates) -> None:
    (certificates.directory / "000002.digests").unlink()
    assert verify(certificates.directory) == ["certificate 000002 does not fit its list of digests"]


def test_certificates_signed_with_another_key_are_found(certificates: Certificates, tmp_path: Path) -> None:
    other = Certificates(tmp_path / "other", tmp_path / "other.key")
    other.create()
    assert len(verify(certificates.directory, [other.directory / PUBLIC])) == 3


def test_digests_do_not_tell_what_they_are_of(certificates: Certificates) -> None:
    lines = (certificates.directory / "000001.digests").read_text().splitlines()
    assert len(lines) == 50 and not set(lines) & set(SEALED) and lines == sorted(lines)


def test_the_private_key_is_its_owners_alone_and_its_loss_is_said(certificates: Certificates) -> None:
    assert certificates.key.stat().st_mode & 0o777 == 0o600
    certificates.key.unlink()
    with pytest.raises(KeyMissing, match="ami-bridge init"):
        issue(certificates, 4)


def test_a_lost_key_is_not_silently_another_and_after_a_rotation_what_the_old_one_signed_is_good(certificates: Certificates) -> None:
    certificates.key.unlink()
    with pytest.raises(KeyMissing, match=r"public half is at .*certificate-key-old\.pub"):
        certificates.create()
    old = certificates.directory / "certificate-key-2026.pub"
    (certificates.directory / PUBLIC).rename(old)
    certificates.create()
    issue(certificates, 4)
    assert verify(certificates.directory) == verify(certificates.directory, [old, certificates.directory / PUBLIC]) == []
    assert [problem[:18] for problem in verify(certificates.directory, [old])] == ["certificate 000004"]


def test_the_auditor_needs_only_the_folder_and_the_key(certificates: Certificates) -> None:
    key = certificates.directory / PUBLIC
    words = ["certificate", "verify", str(certificates.directory), "--public-key", str(key)]
    done = subprocess.run([sys.executable, "-m", "ami_bridge", *words], capture_output=True, text=True,
                          env={"AMI_BRIDGE_CONFIG": "/nowhere.toml"}, cwd=Path(__file__).parents[2])
    assert done.returncode == 0 and done.stdout.startswith("3 certificates are good. Head: "), done.stderr
    (certificates.directory / "000001.json").unlink()
    assert CliRunner().invoke(main, words).exit_code == 1
