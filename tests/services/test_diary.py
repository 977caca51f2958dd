"""Reading the diary while Asterisk writes it, rotates it, and dies."""

from itertools import chain
from pathlib import Path

import pytest

from ami_bridge.services import diary as module
from ami_bridge.services.diary import Diary


def row(number: int) -> str:
    return f'"HANGUP","{number}.0","u-{number}","c","","","",""\n'


class Pen:
    """What Asterisk and logrotate do to the file, and what is read of it."""

    def __init__(self, folder: Path) -> None:
        self.file, self.position, self.now = folder / "diary.csv", folder / "position", 0.0
        self.diary = Diary(self.file, self.position)

    def write(self, *numbers: int, torn: str = "") -> None:
        with self.file.open("a") as file:
            file.write("".join(map(row, numbers)) + torn)

    def read(self) -> list[int]:
        self.now += 10
        return [int(line.at) for line in self.diary.read(self.now)]

    def rotate(self, name: str = "diary.csv.1") -> None:
        self.file.rename(self.file.with_name(name))

    def restart(self) -> None:
        self.diary.keep_position(self.diary.mark(self.now))
        self.diary = Diary(self.file, self.position)


@pytest.fixture
def pen(tmp_path: Path) -> Pen:
    return Pen(tmp_path)


def test_a_missing_diary_is_empty_and_may_come_later(pen: Pen) -> None:
    assert not pen.diary.is_there and pen.read() == []
    pen.write(1)
    assert pen.diary.is_there and pen.read() == [1]


def test_each_line_is_read_once_and_only_when_it_is_whole(pen: Pen) -> None:
    pen.write(1, 2, torn='"HANGUP","3.0",')
    assert pen.read() == [1, 2]
    assert pen.read() == []
    with pen.file.open("a") as file:
        file.write('"u-3","c","","","",""\n')
    assert pen.read() == [3]


def test_a_rotation_loses_no_line_on_either_side(pen: Pen) -> None:
    pen.write(1)
    assert pen.read() == [1]
    pen.write(2)
    pen.rotate()
    pen.write(3)
    assert pen.read() + pen.read() == [2, 3]


def test_two_rotations_between_two_looks_keep_what_the_first_file_held(pen: Pen) -> None:
    pen.write(1)
    assert pen.read() == [1]
    pen.write(2)
    pen.rotate("diary.csv.2")
    pen.write(3)
    pen.rotate("diary.csv.1")
    pen.write(4)
    assert pen.read() + pen.read() + pen.read() == [2, 3, 4]


def test_a_file_that_was_emptied_in_place_is_read_from_its_beginning(pen: Pen) -> None:
    pen.write(1, 2, 3)
    pen.read()
    pen.file.write_text("")
    pen.write(4)
    assert pen.read() == [4]


def test_after_a_restart_the_last_lines_are_read_again_and_a_torn_first_one_is_left_out(
        pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    pen.write(*range(1, 101))
    assert len(pen.read()) == 100
    monkeypatch.setattr(module, "BEFORE_THE_LAST", len(row(10)) * 3 // 2)
    pen.restart()
    assert pen.read() == [100]


def test_going_back_reads_again_what_was_written_since(pen: Pen) -> None:
    for number in range(1, 6):
        pen.write(number)
        pen.read()
    pen.diary.rewind(30.0)
    assert pen.read() == [3, 4, 5]
    pen.diary.rewind(-1.0)
    assert pen.read() == [1, 2, 3, 4, 5]


def test_much_is_read_in_pieces(pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_MOST", 200)
    pen.write(*range(10, 30))
    found = [pen.read() for _ in range(10)]
    assert len(found[0]) < 10 and list(chain(*found)) == list(range(10, 30))


def test_a_search_looks_into_the_files_set_aside_too(pen: Pen) -> None:
    pen.write(1)
    pen.rotate()
    pen.write(2)
    assert [int(line.at) for line in pen.diary.search("u-")] == [2, 1]
    assert [int(line.at) for line in pen.diary.search("u-1")] == [1]


def test_a_damaged_position_means_the_beginning(pen: Pen) -> None:
    pen.write(1)
    pen.position.write_text("[1,")
    pen.diary = Diary(pen.file, pen.position)
    assert pen.read() == [1]
