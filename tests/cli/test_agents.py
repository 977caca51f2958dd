"""The directory from CSV: all lines or none, and each wrong line named."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ami_bridge.core.parties import Agent
from ami_bridge.services.agents import parse
from tests.cli.machine import Machine

HELSINKI = ZoneInfo("Europe/Helsinki")
GOOD = ("key,name,team,valid_from,valid_to\n"
        "PJSIP/6001,Mäkinen,Palvelu,2026-01-01,2026-11-23 14:30\n"
        "6002,O'Brien,,,\n"
        '\n"6003","Nguyễn, Thị","Växel, Åbo",2026-03-29,\n')
OTHER_ORDER = ("valid_to;name;KEY;valid_from;Team\n"
               "2026-11-23 14:30;Mäkinen;PJSIP/6001;2026-01-01;Palvelu\n"
               ";O'Brien;6002;;\n"
               ";Nguyễn, Thị;6003;2026-03-29;Växel, Åbo")
WITHOUT_TEAMS = ("key,name,valid_from,valid_to\n"
                 "PJSIP/6001,Mäkinen,2026-01-01,2026-11-23 14:30\n"
                 "6002,O'Brien,,\n")


def imported(machine: Machine, content: bytes) -> tuple[int, str]:
    file = machine.folder / "agents.csv"
    file.write_bytes(content)
    result = machine.run("agents", "import", str(file))
    return result.exit_code, result.output


def test_lines_become_agents_in_the_controllers_zone() -> None:
    agents, wrong = parse(GOOD, HELSINKI)
    assert wrong == []
    assert agents == [
        Agent(key="PJSIP/6001", name="Mäkinen", team="Palvelu", valid_from=datetime(2026, 1, 1, tzinfo=HELSINKI),
              valid_to=datetime(2026, 11, 23, 14, 30, tzinfo=HELSINKI)),
        Agent(key="6002", name="O'Brien"),
        Agent(key="6003", name="Nguyễn, Thị", team="Växel, Åbo", valid_from=datetime(2026, 3, 29, tzinfo=HELSINKI)),
    ]


@pytest.mark.parametrize("content", [
    GOOD.encode(), GOOD.encode("utf-8-sig"), GOOD.replace("\n", "\r\n").encode(),
    OTHER_ORDER.encode("utf-8-sig"),
])
def test_every_usual_form_is_imported(machine: Machine, content: bytes) -> None:
    assert imported(machine, content) == (0, "3 lines read, 3 new or changed.\n")
    assert imported(machine, content) == (0, "3 lines read, 0 new or changed.\n")
    shown = machine.said("agents", "list")
    assert "PJSIP/6001  Mäkinen      Palvelu     2026-01-01 00:00:00  2026-11-23 14:30:00" in shown
    assert "O'Brien" in shown and "Nguyễn, Thị" in shown and "Växel, Åbo" in shown


def test_a_file_without_the_column_team_is_imported_and_its_agents_are_of_none(machine: Machine) -> None:
    assert imported(machine, GOOD.encode()) == (0, "3 lines read, 3 new or changed.\n")
    assert imported(machine, WITHOUT_TEAMS.encode()) == (0, "2 lines read, 1 new or changed.\n")
    shown = machine.said("agents", "list")
    assert "Palvelu" not in shown and "Växel, Åbo" in shown


@pytest.mark.parametrize(("content", "said"), [
    ("", "line 1: the column key is missing"),
    ("key\n6001\n", "line 1: the column name is missing"),
    ("key,name,colour\n", "line 1: the column 'colour' is not known"),
    ("key,name,name\n", "line 1: a column stands twice"),
    ("key,name\n6001,Maija\n6002\n", "line 3: 1 columns where the first line has 2"),
    ("key,name\n,Maija\n", "line 2, key: a device"),
    ("key,name\n60\x0701,Maija\n", "line 2, key: a device"),
    ("key,name\n6001, \n", "line 2, name: is empty"),
    ("key,name,valid_from\n6001,Maija,1.1.2026\n", "line 2, valid_from: must be empty, a date"),
    ("key,name,valid_to\n6001,Maija,2026-02-30\n", "line 2, valid_to: must be empty, a date"),
    ("key,name,valid_from,valid_to\n6001,Maija,2026-02-02,2026-02-01\n", "line 2, valid_to: is not after valid_from"),
    ('key,name\n6001,"Maija\n', "line 2: not CSV"),
    ("key,name,valid_from\n6001,Maija,2026-01-01\n6001,Liisa,2026-02-01\n", "6001"),
])
def test_a_wrong_line_stops_the_import_and_is_named(machine: Machine, content: str, said: str) -> None:
    code, output = imported(machine, content.encode())
    assert code != 0 and said in output and "Traceback" not in output
    assert "Maija" not in output, "a name is personal data"
    assert "Maija" not in machine.said("agents", "list"), "nothing was imported"


def test_every_wrong_line_is_named_up_to_a_limit(machine: Machine) -> None:
    _, output = imported(machine, ("key,name\n" + ",x\n" * 30).encode())
    assert "line 2, key" in output and "line 21, key" in output and "and 10 more" in output and "line 22" not in output


def test_a_file_that_is_not_utf8(machine: Machine) -> None:
    code, output = imported(machine, "key,name\n6001,Maija\n6002,Mäkinen\n".encode("latin-1"))
    assert code == 1 and "is not UTF-8 text (line 3)" in output


def test_a_file_that_cannot_be_read(machine: Machine, tmp_path: Path) -> None:
    result = machine.run("agents", "import", str(tmp_path / "none.csv"))
    assert result.exit_code == 1 and "cannot be read (No such file or directory)" in result.stderr
