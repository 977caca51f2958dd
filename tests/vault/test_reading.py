"""Reading a sealed file at any place: what comes out is what is there, or an error, and nothing that was not authenticated."""

import hashlib
import io
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_bridge.core.errors import AudioError, KeyMissing
from ami_bridge.vault import KeyStore, Vault
from ami_bridge.vault.age import PIECE, TAG

DAY, OTHER = "2026-12-24", "2026-12-25"
FILE, SECOND = f"{DAY}/x.wav.age", f"{DAY}/y.wav.age"
SIZES = (0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    keys = KeyStore(tmp_path / "recipients", tmp_path / "keys")
    keys.create()
    keys.make([DAY, OTHER])
    vault = Vault(tmp_path / "vault", keys)
    vault.create()
    return vault


def sealed(vault: Vault, content: bytes, file: str = FILE) -> bytes:
    vault.seal(file, io.BytesIO(content))
    return vault.path(file).read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_around_every_border_of_pieces_it_reads_what_the_whole_file_opens_to(vault: Vault, size: int) -> None:
    content = os.urandom(size)
    sealed(vault, content)
    borders = sorted({place + near for place in range(0, size + PIECE, PIECE) for near in (-17, -1, 0, 1, 17)} & set(range(size + 40)))
    with vault.reader(FILE) as reader:
        assert reader.size == size and b"".join(reader.pieces()) == content == vault.read(FILE)
        for first in borders:
            for length in (0, 1, 2, 33, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE):
                assert reader.read(first, length) == content[first:first + length]
        assert reader.read(-1, 10) == b"" == reader.read(size, 10)


@given(st.integers(0, 3 * PIECE), st.lists(st.tuples(st.integers(0, 3 * PIECE), st.integers(0, PIECE * 2)), max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_place_of_any_file_in_any_order(vault: Vault, size: int, asked: list[tuple[int, int]]) -> None:
    content = os.urandom(size)
    sealed(vault, content)
    with vault.reader(FILE) as reader:
        assert [reader.read(*one) for one in asked] == [content[first:first + length] for first, length in asked]


def read_all(vault: Vault, **registered: str) -> bytes:
    with vault.reader(FILE, **registered) as reader:
        return b"".join(reader.pieces())


@given(st.integers(0), st.integers(1, 255), st.booleans())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_changed_byte_and_a_torn_end_are_found_before_their_piece_comes_out(vault: Vault, place: int, change: int, torn: bool) -> None:
    whole = b"\x11" * 140_000
    content = sealed(vault, whole)
    place %= len(content)
    vault.path(FILE).write_bytes(
        content[:place] if torn else content[:place] + bytes([content[place] ^ change]) + content[place + 1:])
    out = b""
    with pytest.raises(AudioError, match="damaged"), vault.reader(FILE) as reader:
        for first in range(0, reader.size, 1000):
            out += reader.read(first, 1000)
    assert whole.startswith(out) and not (torn and out)


def test_a_file_cut_at_the_border_of_two_pieces_is_refused_when_it_is_opened(vault: Vault) -> None:
    content = sealed(vault, os.urandom(2 * PIECE))
    begins = len(content) - 2 * (PIECE + TAG)
    for end in (begins, begins + PIECE + TAG, len(content) - TAG):
        vault.path(FILE).write_bytes(content[:end])
        with pytest.raises(AudioError, match="damaged"):
            vault.reader(FILE)
    vault.path(FILE).write_bytes(content + b"\0" * TAG)
    with pytest.raises(AudioError, match="damaged"):
        vault.reader(FILE)


def test_pieces_that_changed_places_do_not_come_out(vault: Vault) -> None:
    content = sealed(vault, os.urandom(3 * PIECE + 5))
    begins = len(content) - 3 * (PIECE + TAG) - 5 - TAG
    pieces = [content[begins + n * (PIECE + TAG):begins + (n + 1) * (PIECE + TAG)] for n in range(4)]
    vault.path(FILE).write_bytes(content[:begins] + pieces[1] + pieces[0] + pieces[2] + pieces[3])
    with vault.reader(FILE) as reader:
        for first in (0, PIECE):
            with pytest.raises(AudioError, match="damaged"):
                reader.read(first, 1)
        assert len(reader.read(2 * PIECE, 10)) == 10


def test_another_file_sealed_to_the_same_key_is_not_taken_for_the_registered_one(vault: Vault) -> None:
    registered = hashlib.sha256(sealed(vault, b"the caller's words" * 9000)).hexdigest()
    plain = hashlib.sha256(b"the caller's words" * 9000).hexdigest()
    assert read_all(vault, sealed_sha256=registered, sha256=plain) == b"the caller's words" * 9000
    sealed(vault, b"what another said.." * 9000, SECOND)
    os.replace(vault.path(SECOND), vault.path(FILE))
    for wanted in ({"sealed_sha256": registered}, {"sha256": plain}):
        with pytest.raises(AudioError, match="not what was registered"):
            vault.reader(FILE, **wanted)


def test_a_file_written_over_in_its_place_with_its_old_times_is_found_too(vault: Vault) -> None:
    registered = hashlib.sha256(sealed(vault, b"a" * 1000)).hexdigest()
    read_all(vault, sealed_sha256=registered)
    before = vault.path(FILE).stat()
    other = sealed(vault, b"b" * 1000, SECOND)
    vault.path(FILE).write_bytes(other)
    os.utime(vault.path(FILE), ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(AudioError, match="not what was registered"):
        vault.reader(FILE, sealed_sha256=registered)


def test_the_digest_is_computed_once_for_a_file_that_nobody_touches(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    registered = hashlib.sha256(sealed(vault, b"a" * 1000)).hexdigest()
    read_all(vault, sealed_sha256=registered)
    monkeypatch.setattr("ami_bridge.vault.reading.Reader.sealed_sha256", lambda self: pytest.fail("computed again"))
    assert read_all(vault, sealed_sha256=registered) == b"a" * 1000


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 200_001])
def test_what_others_sealed_is_read_too(vault: Vault, size: int) -> None:
    content, recipient = os.urandom(size), vault.keys.identity(DAY).to_public()
    sealed(vault, b"")
    others = pyrage.x25519.Identity.generate().to_public()
    for recipients in ([recipient], [others, recipient]):
        vault.path(FILE).write_bytes(pyrage.encrypt(content, recipients))
        assert read_all(vault) == content
    if shutil.which("age"):
        argv = ["age", "-r", str(others), "-r", str(recipient), "-o", str(vault.path(FILE))]
        subprocess.run(argv, input=content, check=True, timeout=30)
        assert read_all(vault) == content


def test_a_file_of_another_day_a_foreign_one_and_none_are_refused(vault: Vault) -> None:
    sealed(vault, b"y", f"{OTHER}/x.wav.age")
    vault.path(DAY).mkdir()
    os.replace(vault.path(f"{OTHER}/x.wav.age"), vault.path(FILE))
    with pytest.raises(AudioError, match="another key"):
        vault.reader(FILE)
    for content in (b"", b"RIFF", b"age-encryption.org/v1\n", b"age-encryption.org/v1\n--- \n",
                    b"age-encryption.org/v1\n-> X25519 x\n\n--- AAAA\n" + bytes(40), b"age-encryption.org/v1\n-> X25519\n--- !\n"):
        vault.path(FILE).write_bytes(content)
        with pytest.raises(AudioError, match="damaged"):
            vault.reader(FILE)
    vault.path(FILE).unlink()
    with pytest.raises(FileNotFoundError):
        vault.reader(FILE)


def test_without_its_key_nothing_opens(vault: Vault) -> None:
    sealed(vault, b"x")
    vault.keys.destroy(DAY)
    with pytest.raises(KeyMissing):
        vault.reader(FILE)


def test_every_way_out_closes_the_file(vault: Vault) -> None:
    sealed(vault, b"x" * 1000)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for wanted in ("", "0" * 64):
        try:
            with closing(vault.reader(FILE, sealed_sha256=wanted)):
                pass
        except AudioError:
            pass
    vault.path(FILE).write_bytes(b"damaged")
    with pytest.raises(AudioError):
        vault.reader(FILE)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
