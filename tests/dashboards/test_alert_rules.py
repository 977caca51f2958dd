"""The alert rules as shipped: read and tried by Prometheus' own checker, and every one of them explained in the runbook."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ami_bridge.core.alarms import Name
from ami_bridge.core.notice import Reason
from ami_bridge.daemon.steersman import FAILED
from ami_bridge.services.dashboards import shipped
from tests.pbx.rootfs import cache_folder, promtool

ROOT = Path(__file__).parents[2]
RULES, DASHBOARD = "ami-bridge-alerts.yml", "ami-bridge-grafana.json"
TEXT = shipped()[RULES]
TESTS = Path(__file__).with_name("ami-bridge-alerts.test.yml")
RULE = re.compile(r"- alert: (?P<alert>\w+)\n +expr: '(?P<expr>[^']+)'\n +for: (?P<minutes>\d+)m\n +labels:\n +severity: (?P<severity>\w+)\n"
                  r" +annotations:\n +summary: \"(?P<summary>[^\"]+)\"\n +description: \"(?P<description>[^\"]+)\"\n"
                  r" +runbook_url: docs/runbook\.md#(?P<section>[\w-]+)\n")
FOUND = [found.groupdict() for found in RULE.finditer(TEXT)]
OF_ALARM = {name: rule for rule in FOUND for name in re.findall(r'ami_bridge_alarm\{name="([\w-]+)"\}', rule["expr"])}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
SECTIONS = dict(part.split("\n", 1) for part in RUNBOOK.split("\n## ")[1:])
LEADS = ("**What it means.**", "**A caller notices**", "**Do first.**", "**It is over when**", "**Call**")


@pytest.fixture(scope="session")
def checker() -> Path:
    """promtool; where `make pbx` has run it must be had, elsewhere it is fetched by that."""
    if not shutil.which("promtool") and not list(cache_folder().glob("rootfs-*/")):
        pytest.skip("make pbx has not run here")
    return promtool()


def said(checker: Path, *words: str) -> str:
    done = subprocess.run([str(checker), *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def run_tests(checker: Path, folder: Path, tests: str, rules: str = TEXT) -> str:
    (folder / RULES).write_text(rules)
    (folder / "tests.yml").write_text(tests)
    return said(checker, "test", "rules", str(folder / "tests.yml"))


def test_every_rule_was_read_here() -> None:
    assert len(FOUND) == TEXT.count("- alert:") == len({rule["alert"] for rule in FOUND}) > 25
    assert {rule["severity"] for rule in FOUND} == {"page", "ticket"}


def test_prometheus_reads_the_rules(checker: Path, tmp_path: Path) -> None:
    (tmp_path / RULES).write_text(TEXT)
    assert f"{len(FOUND)} rules found" in said(checker, "check", "rules", "--lint-fatal", str(tmp_path / RULES))


def test_each_rule_fires_when_it_should_and_not_when_it_should_not(checker: Path, tmp_path: Path) -> None:
    assert "SUCCESS" in run_tests(checker, tmp_path, TESTS.read_text())
    tried = set(re.findall(r"AmiBridge\w+", TESTS.read_text()))
    assert {rule["alert"] for rule in FOUND} - tried == {rule["alert"] for rule in OF_ALARM.values()}


@pytest.mark.parametrize("rule", [rule for rule in FOUND if rule not in OF_ALARM.values()], ids=lambda rule: rule["alert"])
def test_the_tests_notice_a_rule_that_is_gone(rule: dict[str, str], checker: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="FAILED"):
        run_tests(checker, tmp_path, TESTS.read_text(), TEXT.replace(rule["expr"], "vector(1) == 2"))


def test_every_alarm_has_one_rule_that_waits_as_long_as_it_says(checker: Path, tmp_path: Path) -> None:
    assert set(OF_ALARM) == set(Name) and len({rule["alert"] for rule in OF_ALARM.values()}) == len(Name)
    tests = "rule_files: [ami-bridge-alerts.yml]\nevaluation_interval: 1m\ntests:\n"
    for name, rule in OF_ALARM.items():
        tests += case(name, rule)
    assert "SUCCESS" in run_tests(checker, tmp_path, tests)


def case(name: str, rule: dict[str, str]) -> str:
    """The alarm holds from the fifth minute on: before, and within the time that the rule waits, it is silent."""
    fires = 5 + int(rule["minutes"])
    summary = rule["summary"].replace("{{ $labels.instance }}", "pbx")
    return f"""
  - interval: 1m
    input_series:
      - {{series: 'ami_bridge_alarm{{name="{name}", instance="pbx"}}', values: '0x4 1x120'}}
    alert_rule_test:
      - {{eval_time: {fires - 1}m, alertname: {rule["alert"]}, exp_alerts: []}}
      - eval_time: {fires}m
        alertname: {rule["alert"]}
        exp_alerts:
          - exp_labels: {{severity: {rule["severity"]}, name: {name}, instance: pbx}}
            exp_annotations:
              summary: "{summary}"
              description: "{rule["description"]}"
              runbook_url: docs/runbook.md#{rule["section"]}
"""


def test_words_in_the_rules_are_ours() -> None:
    (reasons,) = re.findall(r'reason=~"([\w|-]+)"', TEXT)
    assert set(reasons.split("|")) <= set(Reason) and f'outcome="{FAILED}"' in TEXT


def test_every_alarm_and_every_rule_has_its_section_in_the_runbook_and_no_section_is_of_nothing() -> None:
    assert set(SECTIONS) == {rule["section"] for rule in FOUND} and set(Name) <= set(SECTIONS)
    for rule in FOUND:
        section = SECTIONS[rule["section"]]
        assert f"Rule `{rule['alert']}`, {rule['severity']}" in section
        assert [lead for lead in LEADS if section.count(lead) != 1] == [], rule["section"]
    for name, rule in OF_ALARM.items():
        assert rule["section"] == name and f"alarm `{name}`" in SECTIONS[name]


def test_links_within_the_runbook_lead_to_a_section() -> None:
    assert set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)) <= set(SECTIONS)


def test_what_the_runbook_greps_for_is_in_the_operations_page() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for action in re.findall(r"(?:AMI_BRIDGE_ACTION|action)=(\w+)", RUNBOOK):
        assert f"`{action}`" in operations, action
