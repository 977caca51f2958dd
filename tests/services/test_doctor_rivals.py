"""The doctor names whoever else records, or could stop us."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ami_bridge.services.doctor_rivals import KEYS, rivals
from ami_bridge.services.findings import Status
from tests.config.samples import HEAD, from_text

REPOSITORY = Path(__file__).parents[2]
FEATURES = (REPOSITORY / "dialplan" / "features_ami_bridge.conf").read_text("utf-8")


def looked(folder: Path | str) -> list[tuple[Status, str]]:
    with TemporaryDirectory() as place:
        config = from_text(Path(place), HEAD.replace('name = "pbx1"', f'name = "pbx1"\nconfiguration = "{folder}"'))
    return [(found.status, found.reason) for found in rivals(config)]


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "features.conf").write_text("[featuremap]\n;automixmon => *3\n" + FEATURES)
    (tmp_path / "extensions.conf").write_text((REPOSITORY / "dialplan" / "extensions_recording.conf").read_text("utf-8"))
    return tmp_path


def test_our_own_files_are_no_rivals(etc: Path) -> None:
    ((status, _),) = looked(etc)
    assert status is Status.OK


@pytest.mark.parametrize(("file", "line", "said"), [
    ("features.conf", "automixmon => *3", "automixmon"), ("features_custom.conf", "automon=*1", "automon"),
    ("queues.conf", "monitor-format = wav", "monitor-format"), ("confbridge.conf", "record_conference=yes", "record_conference"),
    ("asterisk.conf", "cache_record_files = yes", "cache_record_files"),
    ("extensions_custom.conf", " same => n,MixMonitor(${UNIQUEID}.wav,b)", "a recording of its own"),
    ("extensions.conf", " same => n,StopMixMonitor()", "without saying which"),
    ("extensions.conf", " same => n,StopMixMonitor", "without saying which"),
    ("features.conf", "no-more => *8,peer,StopMixMonitor()", "without saying which"),
    ("features_custom.conf", "no-more => *8,peer,StopMixMonitor", "without saying which"),
    ("features.conf", "more => *8,peer,MixMonitor,more.wav", "a key starts a recording"),
])
def test_each_rival_is_named_with_its_file(etc: Path, file: str, line: str, said: str) -> None:
    with (etc / file).open("a") as text:
        text.write(f"\n[one]\n{line}\n")
    worst = Status.ERROR if said == "cache_record_files" else Status.WARNING
    assert [(status, said in words and file in words) for status, words in looked(etc)] == [(worst, True)]


def test_keys_that_are_not_there_are_named_with_what_is_lacking_then(etc: Path) -> None:
    (etc / "features.conf").write_text("[featuremap]\nblindxfer => #1\n")
    assert [key for key in KEYS if any(key in words for _, words in looked(etc))] == list(KEYS)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert [status for status, _ in looked(tmp_path / "elsewhere")] == [Status.WARNING]


def test_a_folder_that_is_not_to_be_looked_at_is_not(tmp_path: Path) -> None:
    assert looked("") == []
