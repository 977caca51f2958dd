"""Sealing: what comes out is what went in, or an error."""

import hashlib
import io
import os
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_bridge.core.errors import AudioError, KeyMissing
from ami_bridge.vault import KeyStore, Vault
from ami_bridge.vault.sealing import reads_back, seal

DAY, OTHER = "2026-12-24", "2026-12-25"
FILE = f"{DAY}/x.wav.age"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    root = tmp_path_factory.mktemp("vault")
    keys = KeyStore(root / "recipients", root / "keys")
    keys.create()
    keys.make([DAY, OTHER])
    vault = Vault(root / "vault", keys)
    vault.create()
    return vault


@given(st.binary(max_size=300) | st.integers(0, 200_000).map(lambda size: b"\x5a" * size))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_sealed_opens_to_the_same(vault: Vault, content: bytes) -> None:
    sealed = vault.seal(FILE, io.BytesIO(content))
    assert vault.read(FILE) == content
    assert (sealed.plain.size, sealed.plain.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    there = vault.path(FILE).read_bytes()
    assert (sealed.sealed.size, sealed.sealed.sha256) == (len(there), hashlib.sha256(there).hexdigest())
    assert vault.path(FILE).stat().st_mode & 0o777 & ~0o640 == 0


@given(st.integers(0), st.integers(1, 255), st.booleans())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_changed_byte_and_any_torn_end_is_found(vault: Vault, place: int, change: int, torn: bool) -> None:
    vault.seal(FILE, io.BytesIO(b"\x11" * 70_000))
    path = vault.path(FILE)
    content = path.read_bytes()
    place %= len(content)
    path.write_bytes(content[:place] if torn else content[:place] + bytes([content[place] ^ change]) + content[place + 1:])
    with pytest.raises(AudioError):
        vault.read(FILE)


@given(st.binary(max_size=80) | st.sampled_from([65535, 65536, 65537, 131072, 200_001]).map(os.urandom))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_we_write_others_open_and_what_others_write_we_open(vault: Vault, content: bytes) -> None:
    identity = vault.keys.identity(DAY)
    vault.seal(FILE, io.BytesIO(content))
    assert pyrage.decrypt(vault.path(FILE).read_bytes(), [identity]) == content
    vault.path(FILE).write_bytes(pyrage.encrypt(content, [identity.to_public()]))
    assert vault.read(FILE) == content


def test_a_disk_that_lies_is_found_out(vault: Vault, tmp_path: Path) -> None:
    source = io.BytesIO(b"\x22" * 150_000)
    identity = str(vault.keys.identity(DAY))
    path = tmp_path / "x.age"
    _, _, begun = seal(source, path, vault.keys.recipient(DAY))
    content = path.read_bytes()
    assert reads_back(path, source, begun, identity) and reads_back(path, source, begun, None)
    for changed in (content[:-1], content + b"x", content[:100_000] + b"x" + content[100_001:], b"x" + content[1:], content[:65_800]):
        path.write_bytes(changed)
        assert not reads_back(path, source, begun, identity)
    path.write_bytes(content)
    assert not reads_back(path, source, begun, str(vault.keys.identity(OTHER)))
    assert not reads_back(path, io.BytesIO(b"\x22" * 149_999), begun, None)


def test_a_file_of_another_day_does_not_open_with_this_days_key(vault: Vault) -> None:
    vault.seal(FILE, io.BytesIO(b"x"))
    vault.seal(f"{OTHER}/x.wav.age", io.BytesIO(b"y"))
    os.replace(vault.path(f"{OTHER}/x.wav.age"), vault.path(FILE))
    with pytest.raises(AudioError, match="another key"):
        vault.read(FILE)


def test_without_the_public_half_nothing_is_written(vault: Vault) -> None:
    with pytest.raises(KeyMissing):
        vault.seal("2026-12-31/x.wav.age", io.BytesIO(b"x"))
    assert not (vault.root / "2026-12-31").exists()


class Failing(io.BytesIO):
    """A source that fails half-way."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 100_000:
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_a_source_that_fails_leaves_nothing_behind(vault: Vault) -> None:
    before = list(vault.files(DAY))
    with pytest.raises(OSError):
        vault.seal(f"{DAY}/failing.wav.age", Failing(b"x" * 200_000))
    assert list(vault.files(DAY)) == before


@pytest.mark.parametrize("file", ["../x", "2026-12-24/../../x", "/etc/passwd"])
def test_no_name_leads_out_of_the_vault(vault: Vault, file: str) -> None:
    with pytest.raises(AudioError, match="outside"):
        vault.path(file)


def test_destroying_is_durable_tidy_and_repeatable(vault: Vault, tmp_path: Path) -> None:
    vault.seal(f"{OTHER}/a.wav.age", io.BytesIO(b"x"))
    vault.seal(f"{OTHER}/b.wav.age", io.BytesIO(b"x"))
    files = list(vault.files(OTHER))
    assert vault.destroy(files[:1]) == 1 and (vault.root / OTHER).is_dir()
    assert vault.destroy(files) == len(files) - 1 and not (vault.root / OTHER).exists() and vault.destroy(files) == 0
