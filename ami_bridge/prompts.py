"""The prompt store: spoken notices in the formats Asterisk plays, every version kept, and their manifest.

::

    <directory>/manifest.json                    all versions of all prompts: length, SHA-256, when added
    <directory>/<language>/<name>-v<n>.wav       16 bit PCM, 8 kHz, mono; .alaw and .ulaw with the same samples
    <directory>/<language>/<name>.wav -> ...     the current version, for the dialplan that cannot read the manifest

Old versions stay: the proof of a notice names one. Standard library only.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from ami_bridge.core.errors import AudioError
from ami_bridge.core.ids import aware
from ami_bridge.core.notice import Prompt
from ami_bridge.sound import ENDINGS, RATE, convert, measure
from ami_bridge.spool import sync_folder, write_durably

FORMAT = 1
MANIFEST = "manifest.json"
PUBLIC_FILE = 0o644
PUBLIC_FOLDER = 0o755
TEXTS = Path(__file__).parent / "prompt_texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One line of the manifest. ``samples`` at 8 kHz, ``sha256`` (hex) of the WAV file, ``added_at`` in ISO 8601."""

    name: str
    language: str
    version: int
    samples: int
    seconds: float
    sha256: str
    added_at: str

    @property
    def stem(self) -> str:
        """Return the path of the files in the store, without ending."""
        return f"{self.language}/{self.name}-v{self.version}"


class PromptStore:
    """The prompts under ``directory``, which Asterisk sees as ``asterisk_directory`` (the same where not given)."""

    def __init__(self, directory: Path, asterisk_directory: Path | None = None) -> None:
        self.directory = directory
        self.asterisk_directory = asterisk_directory or directory

    def add(self, source: Path, name: str, language: str, now: datetime) -> Prompt:
        """Convert a sound file into the newest version of a prompt and return it; AudioError when it is no usable sound.

        Adding what is current already changes nothing.
        """
        added_at = aware(now).isoformat()
        with tempfile.TemporaryDirectory() as scratch, self._alone():
            sound = convert(source, Path(scratch))
            versions = self.versions()
            current = _newest(versions).get((name, language))
            digest = sha256(sound.files["wav"].read_bytes()).hexdigest()
            if current and current.sha256 == digest:
                return self._prompt(current)
            version = Version(name=name, language=language, version=current.version + 1 if current else 1,
                              samples=sound.samples, seconds=round(sound.samples / RATE, 3), sha256=digest,
                              added_at=added_at)
            self._keep(version, sound.files)
            self._write_manifest([*versions, version])
            self._point_to(version)
        return self._prompt(version)

    def versions(self) -> list[Version]:
        """Return every version of every prompt, in the order they were added; AudioError on a damaged manifest."""
        try:
            content = json.loads((self.directory / MANIFEST).read_text("utf-8"))
            if content["format"] != FORMAT:
                raise AudioError(f"the prompt manifest in {self.directory} has a format this version does not know",
                                 "Upgrade ami-bridge.")
            return [Version(**line) for line in content["prompts"]]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise AudioError(f"the prompt manifest in {self.directory} cannot be read ({error.strerror})",
                             "Check [notice] directory and who may read it.") from error
        except (ValueError, TypeError, KeyError) as error:
            raise AudioError(f"the prompt manifest in {self.directory} is damaged",
                             "Restore manifest.json from a backup, or move the folder away and add the prompts again."
                             ) from error

    def newest(self) -> list[Version]:
        """Return the current version of each prompt, by name and language."""
        return sorted(_newest(self.versions()).values(), key=lambda version: (version.name, version.language))

    def current(self) -> tuple[Prompt, ...]:
        """Return the current prompts as the notice policy takes them."""
        return tuple(map(self._prompt, self.newest()))

    def check(self) -> list[str]:
        """Return what is wrong with the files of the current prompts, one sentence each; empty: all are whole."""
        return [problem for version in self.newest() for problem in self._problems(version)]

    def point_to_current(self) -> None:
        """Set the names without version to the current versions again."""
        with self._alone():
            for version in self.newest():
                self._point_to(version)

    def _prompt(self, version: Version) -> Prompt:
        return Prompt(name=version.name, language=version.language, version=version.version,
                      file=str(self.asterisk_directory / version.stem), samples=version.samples, sha256=version.sha256)

    def _keep(self, version: Version, files: dict[str, Path]) -> None:
        _make_folder((self.directory / version.stem).parent)
        for ending in ENDINGS:
            _publish(self.directory / f"{version.stem}.{ending}", files[ending].read_bytes())

    def _point_to(self, version: Version) -> None:
        folder = self.directory / version.language
        for ending in ENDINGS:
            temporary = folder / f".{version.name}.{ending}.{os.getpid()}.tmp"
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(f"{version.name}-v{version.version}.{ending}")
            temporary.rename(folder / f"{version.name}.{ending}")
        sync_folder(folder)

    def _write_manifest(self, versions: list[Version]) -> None:
        content = {"format": FORMAT, "prompts": [asdict(version) for version in versions]}
        _publish(self.directory / MANIFEST, (json.dumps(content, indent=1) + "\n").encode())

    def _problems(self, version: Version) -> Iterator[str]:
        for ending in ENDINGS:
            path = self.directory / f"{version.stem}.{ending}"
            plain = self.directory / version.language / f"{version.name}.{ending}"
            try:
                if measure(path) != version.samples:
                    yield f"{path} has not the length that the manifest says"
                elif ending == "wav" and sha256(path.read_bytes()).hexdigest() != version.sha256:
                    yield f"{path} was changed since it was added"
                if not plain.exists() or not plain.samefile(path):
                    yield f"{plain} does not lead to the current version"
            except FileNotFoundError:
                yield f"{path} is missing"
            except (OSError, AudioError):
                yield f"{path} cannot be read as sound"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the store against another command that adds at the same time."""
        _make_folder(self.directory)
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise AudioError(f"the prompt folder {self.directory} cannot be written ({error.strerror})",
                             "Check [notice] directory and who may write there.") from error
        finally:
            os.close(descriptor)


def shipped_texts() -> dict[tuple[str, str], str]:
    """Return the notices that come with ami-bridge: (name, language) -> text."""
    texts = {}
    for path in sorted(TEXTS.glob("*.txt")):
        name, _, language = path.stem.rpartition(".")
        texts[name, language] = path.read_text("utf-8").strip()
    return texts


def _publish(path: Path, content: bytes) -> None:
    """Write a file that anyone may read: Asterisk and the daemon run as other users than who adds a notice."""
    write_durably(path, content)
    path.chmod(PUBLIC_FILE)


def _newest(versions: list[Version]) -> dict[tuple[str, str], Version]:
    return {(version.name, version.language): version for version in sorted(versions, key=lambda v: v.version)}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=PUBLIC_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(f"the prompt folder {folder} cannot be made ({error.strerror})",
                         "Check [notice] directory and who may write there.") from error
