"""The vault on a disk that lies, with keys that are lost, locked or torn, and after an interruption."""

import io
import os
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ami_bridge.core.errors import AudioError, Busy, KeyMissing
from ami_bridge.vault import KeyStore, Vault, audio_file, day_key, entry_file, hold_key
from ami_bridge.vault import vault as module
from tests.register.samples import new_id

DAY = "2026-12-24"
FILE = f"{DAY}/x.wav.age"
CONTENT = b"\x22" * 200_000


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    keys = KeyStore(tmp_path / "recipients", tmp_path / "keys")
    keys.create()
    keys.make([DAY])
    return keys


@pytest.fixture
def vault(tmp_path: Path, keys: KeyStore) -> Vault:
    vault = Vault(tmp_path / "vault", keys)
    vault.create()
    return vault


def file_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def spoil_when_flushed(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]) -> None:
    """After the first flush of a file being sealed, do ``change`` to what lies on the disk, as a bad disk would."""
    really = os.fsync

    def flush_then_lose(descriptor: int) -> None:
        really(descriptor)
        path = file_of(descriptor)
        if path.name.endswith(module.TEMPORARY):
            change(path)

    monkeypatch.setattr(os, "fsync", flush_then_lose)


def flip(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))


def tear(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("apart", [False, True], ids=["keys here", "keys on another host"])
@pytest.mark.parametrize("change", [flip, tear, empty])
def test_a_disk_that_keeps_something_else_is_found_out_before_the_file_counts(
        vault: Vault, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], apart: bool) -> None:
    if apart:
        vault.keys.private = None
    spoil_when_flushed(monkeypatch, change)
    with pytest.raises(AudioError):
        vault.seal(FILE, io.BytesIO(CONTENT))
    assert list(vault.files(DAY)) == []


def test_what_was_there_stays_when_sealing_it_again_fails(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    before = vault.seal(FILE, io.BytesIO(CONTENT))
    spoil_when_flushed(monkeypatch, flip)
    with pytest.raises(AudioError):
        vault.seal(FILE, io.BytesIO(b"other"))
    assert vault.digest(FILE) == before.sealed and vault.read(FILE) == CONTENT


def test_a_flush_that_fails_leaves_nothing(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        if file_of(descriptor).name.endswith(module.TEMPORARY):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        vault.seal(FILE, io.BytesIO(CONTENT))
    assert list(vault.files(DAY)) == []


def test_the_leftover_of_an_interrupted_sealing_is_overwritten_listed_and_destroyed(vault: Vault) -> None:
    leftover = vault.root / DAY / f".x.wav.age{module.TEMPORARY}"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    assert list(vault.files(DAY)) == [f"{DAY}/{leftover.name}"]
    vault.seal(FILE, io.BytesIO(CONTENT))
    assert list(vault.files(DAY)) == [FILE]
    leftover.write_bytes(b"half")
    assert vault.destroy(list(vault.files(DAY))) == 2 and vault.keys_in_use() == []


def test_a_leftover_that_is_a_link_is_not_followed(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"mine")
    (vault.root / DAY).mkdir()
    (vault.root / DAY / f".x.wav.age{module.TEMPORARY}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        vault.seal(FILE, io.BytesIO(CONTENT))
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"


def test_who_may_read_what(vault: Vault) -> None:
    old = os.umask(0)
    try:
        vault.seal(FILE, io.BytesIO(CONTENT))
    finally:
        os.umask(old)
    assert vault.path(FILE).stat().st_mode & 0o777 == 0o640
    assert vault.path(DAY).stat().st_mode & 0o777 == 0o770
    assert b"\x22" * 64 not in vault.path(FILE).read_bytes()


def test_files_are_named_by_ids_alone(vault: Vault) -> None:
    one, two = new_id(), new_id()
    assert audio_file(day_key(date(2026, 12, 24)), one) == f"{DAY}/{one}.wav.age"
    assert entry_file(hold_key(one), two) == f"hold-{one}/{two}.json.age"
    for key in (DAY, "hold-x", "junk"):
        (vault.root / key).mkdir()
    assert vault.days() == [date(2026, 12, 24)]


def test_a_vault_without_private_keys_seals_and_opens_nothing(vault: Vault) -> None:
    vault.keys.private = None
    vault.seal(FILE, io.BytesIO(CONTENT))
    with pytest.raises(KeyMissing, match=r"another host.*Run this there"):
        vault.read(FILE)
    assert vault.digest(FILE).size > len(CONTENT)


def test_a_destroyed_key_takes_every_copy_with_it(vault: Vault, keys: KeyStore, tmp_path: Path) -> None:
    vault.seal(FILE, io.BytesIO(CONTENT))
    copy = tmp_path / "backup"
    copy.write_bytes(vault.path(FILE).read_bytes())
    keys.destroy(DAY)
    keys.make([DAY])
    with pytest.raises(AudioError, match="another key"):
        vault.read(FILE)
    vault.path(FILE).write_bytes(copy.read_bytes())
    with pytest.raises(AudioError, match="another key"):
        vault.read(FILE)


def test_a_locked_key_is_said_to_be_locked(keys: KeyStore) -> None:
    assert keys.private
    (keys.private / f"{DAY}.key").chmod(0)
    child = os.fork()
    if child == 0:
        os._exit(told_as_nobody(keys))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def told_as_nobody(keys: KeyStore) -> int:
    """Without root's rights, return 0 when the key is reported locked, else 1."""
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        keys.identity(DAY)
    except KeyMissing as error:
        return int("cannot be read (Permission denied)" not in str(error) or keys.has_identity(DAY))
    return 1


def test_a_key_that_is_a_folder_is_said_to_be_unreadable(keys: KeyStore) -> None:
    public = keys.recipients / f"{DAY}.pub"
    public.unlink()
    public.mkdir()
    with pytest.raises(KeyMissing, match="cannot be read"):
        keys.recipient(DAY)


def test_the_private_half_goes_first(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    really = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        gone.append(path.suffix)
        really(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    keys.destroy(DAY)
    assert gone == [".key", ".pub"]


def test_a_destroyed_key_was_overwritten_before_it_was_removed(keys: KeyStore, tmp_path: Path) -> None:
    assert keys.private
    os.link(keys.private / f"{DAY}.key", tmp_path / "same blocks")
    keys.destroy(DAY)
    assert b"AGE-SECRET-KEY" not in (tmp_path / "same blocks").read_bytes()


def test_foreign_files_among_the_keys_are_no_keys(keys: KeyStore) -> None:
    for name in ("README.pub", "2026-12-24.pub.bak", ".2026-12-25.pub.1.tmp", "hold-1.pub"):
        (keys.recipients / name).touch()
    assert [pair.name for pair in keys.pairs()] == [DAY]


def test_one_at_a_time_and_free_again_after_an_error(vault: Vault) -> None:
    with pytest.raises(RuntimeError), vault.alone():
        with pytest.raises(Busy), vault.alone():
            pass
        raise RuntimeError
    with vault.alone():
        pass


def test_sealing_many_at_once_mixes_nothing_up(vault: Vault) -> None:
    def work(number: int) -> None:
        vault.seal(f"{DAY}/{number}.wav.age", io.BytesIO(bytes([number]) * 100_000))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [vault.read(f"{DAY}/{number}.wav.age") for number in range(8)] == [bytes([n]) * 100_000 for n in range(8)]
