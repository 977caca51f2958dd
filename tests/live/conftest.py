"""Several files at a time: the tests of one file, and of one release, share their exchange and so stay with one worker.

Where it is asked for, what the exchange said in each test is written down: see tests/streams/README.md.
"""

import re
from collections.abc import Iterator

import pytest

from tests.pbx.system import System
from tests.streams import recording


@pytest.hookimpl(tryfirst=True)  # before xdist, which reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("live"):
            chosen = getattr(item, "callspec", None)
            release = chosen.params.get("running", "") if chosen else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{release}"))


@pytest.fixture
def system(running: System) -> Iterator[System]:
    """The module's system; after each test its phones are gone."""
    yield running
    running.pbx.stop_phones()


@pytest.fixture(autouse=True)
def told_as_a_stream(request: pytest.FixtureRequest) -> Iterator[None]:
    """Only of a test that passes, and in which the exchange alone decides: the others tell nothing that can be trusted."""
    if not recording.ASKED or request.node.get_closest_marker("xfail") or request.node.get_closest_marker("no_stream"):
        yield
        return
    failed = request.session.testsfailed
    with recording.recorded(scenario(request.node)) as keep:
        yield
        keep.ok = request.session.testsfailed == failed


def scenario(node: pytest.Item) -> str:
    """The name of the test without its release: a file name."""
    chosen = [part for part in node.name.partition("[")[2].rstrip("]").split("-") if part not in ("22", "16")]
    return re.sub(r"\W+", "-", "-".join([node.name.partition("[")[0].removeprefix("test_"), *chosen])).strip("-")
