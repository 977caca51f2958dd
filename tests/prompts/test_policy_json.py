"""The notice policy as JSON: what was written comes back, anything else is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ami_bridge.core.errors import SpoolError
from ami_bridge.core.notice import Policy, Prompt
from ami_bridge.core.policy_json import policy_from_json, policy_to_json
from ami_bridge.services.notices import current_policy, publish
from tests.config.samples import HEAD, ROUTES, from_text

PROMPT = Prompt(name="recorded", language="fi", version=3, file="/srv/prompts/fi/recorded-v3", samples=16000,
                sha256="ab" * 32)


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    routes = from_text(tmp_path, HEAD + ROUTES).policy_routes()
    return Policy(exchange="pbx1", days=31, floor=0, routes=routes, prompts=(PROMPT,))


def test_what_was_written_comes_back(policy: Policy) -> None:
    assert policy_from_json(policy_to_json(policy)) == policy


@pytest.mark.parametrize("damage", [
    lambda p: p.pop("exchange"), lambda p: p.pop("format"), lambda p: p.update(more=1), lambda p: p.update(exchange=None),
    lambda p: p.update(routes=None), lambda p: p.update(prompts=[1]), lambda p: p["routes"][0].pop("name"),
    lambda p: p["routes"][0].update(record="no"), lambda p: p["routes"][0].update(record=0),
    lambda p: p["routes"][0].update(directions=["sideways"]), lambda p: p["routes"][0].update(dids=[1]),
    lambda p: p["routes"][0].update(on_failure=""), lambda p: p["routes"][0].update(notice=None),
    lambda p: p["routes"][0].update(other=1), lambda p: p["prompts"][0].update(samples="16000"),
    lambda p: p["prompts"][0].update(samples=1.5), lambda p: p["prompts"][0].update(version=True),
    lambda p: p["prompts"][0].pop("file"), lambda p: p["prompts"][0].update(file=1),
])
def test_anything_else_is_refused(policy: Policy, damage: Callable[[Any], object]) -> None:
    fields = json.loads(policy_to_json(policy))
    damage(fields)
    with pytest.raises(SpoolError, match=r"the notice policy is damaged .*notice publish"):
        policy_from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "null", "3", '"x"', "{}"])
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(SpoolError, match="is damaged"):
        policy_from_json(text)


def test_every_torn_file_is_refused(policy: Policy) -> None:
    text = policy_to_json(policy).rstrip()
    for length in range(len(text)):
        with pytest.raises(SpoolError, match="is damaged"):
            policy_from_json(text[:length])


def test_a_policy_of_tomorrow_is_refused(policy: Policy) -> None:
    text = policy_to_json(policy).replace('"format": 4', '"format": 5')
    with pytest.raises(SpoolError, match="a format this version does not know"):
        policy_from_json(text)


def test_publishing_writes_once(tmp_path: Path) -> None:
    places = f'[spool]\ndirectory = "{tmp_path}/spool"\n[notice]\ndirectory = "{tmp_path}/prompts"\n'
    config = from_text(tmp_path, HEAD + places + ROUTES)
    assert publish(config) is False, "there is no spool yet"
    (tmp_path / "spool").mkdir()
    assert publish(config) is True
    assert policy_from_json((tmp_path / "spool" / "policy.json").read_text("utf-8")) == current_policy(config)
    assert publish(config) is False
