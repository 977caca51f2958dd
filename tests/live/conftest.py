"""Two files at a time: the tests of one file, and of one release, share their exchange and so stay with one worker."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("live"):
            chosen = getattr(item, "callspec", None)
            release = chosen.params.get("running", "") if chosen else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{release}"))
