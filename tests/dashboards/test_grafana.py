"""The dashboard as shipped: a model that Grafana can read, whose every question Prometheus can answer from our figures."""

import itertools
import json
import re
from pathlib import Path

import pytest

from ami_bridge.services.dashboards import shipped
from tests.cli.machine import Machine
from tests.dashboards.test_alert_rules import DASHBOARD, RULES, TEXT, checker, said

__all__ = ["checker"]

MODEL = json.loads(shipped()[DASHBOARD])
PANELS = MODEL["panels"]
QUESTIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
FIGURES = set(re.findall(r"^\| `(\w+)` \|", (Path(__file__).parents[2] / "docs" / "reference.md").read_text("utf-8")
                         .split("## Figures")[1].split("\n## ")[0], re.MULTILINE))
"""All figures that a daemon shows, and no others: tests/daemon/test_figures.py compares the list with a running one."""

WIDE = 24


def used(text: str) -> set[str]:
    """Names of figures in a question; of a histogram its own."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\b(?:ami_bridge|process)_\w+", text)}


def test_every_figure_used_exists() -> None:
    assert len(QUESTIONS) > 30
    for question in [*QUESTIONS, MODEL["templating"]["list"][1]["definition"], *re.findall(r"expr: '(.*)'", TEXT)]:
        assert used(question) <= FIGURES, question


def test_every_figure_of_ours_is_used_by_a_panel_or_a_rule() -> None:
    nowhere = FIGURES - used("\n".join([*QUESTIONS, TEXT, json.dumps(MODEL["templating"])]))
    assert nowhere == {"ami_bridge_spool_free_bytes", "process_virtual_memory_bytes"}, "one is a disk's, one says little"


def test_prometheus_understands_every_question(checker: Path, tmp_path: Path) -> None:
    rules = "groups:\n- name: questions\n  rules:\n"
    for number, question in enumerate(QUESTIONS):
        asked = question.replace("$__rate_interval", "5m").replace("$instance", ".*")
        assert "$" not in asked
        rules += f"  - {{record: 'question:{number}', expr: {json.dumps(asked)}}}\n"
    (tmp_path / "questions.yml").write_text(rules)
    assert f"{len(QUESTIONS)} rules found" in said(checker, "check", "rules", "--lint=none", str(tmp_path / "questions.yml"))


def test_the_model_is_one_that_grafana_reads() -> None:
    assert MODEL["uid"] == "ami-bridge" and MODEL["schemaVersion"] >= 36 and MODEL["title"]
    names = [variable["name"] for variable in MODEL["templating"]["list"]]
    assert names == ["datasource", "instance"] and MODEL["templating"]["list"][0]["type"] == "datasource"
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["type"] in {"stat", "table", "timeseries"} and panel["targets"], panel["title"]
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_panels_lie_side_by_side() -> None:
    places = [panel["gridPos"] for panel in PANELS]
    for place in places:
        assert place["x"] >= 0 and place["x"] + place["w"] <= WIDE and place["w"] > 0 and place["h"] > 0
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_the_verb_writes_both_with_the_place_of_the_runbook(bare: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert bare.said("dashboards", str(folder)).split() == [str(folder / RULES), str(folder / DASHBOARD)]
    assert (folder / RULES).read_text() == TEXT and json.loads((folder / DASHBOARD).read_text()) == MODEL
    bare.said("dashboards", str(folder), "--runbook", "https://wiki.example/runbook")
    assert "runbook_url: https://wiki.example/runbook#spool-full" in (folder / RULES).read_text()


def test_a_folder_that_cannot_be_written_is_a_sentence(bare: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = bare.run("dashboards", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1 and "cannot be written to" in result.stderr


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    return Machine(tmp_path, {})
