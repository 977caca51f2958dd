"""The databases of ``tests/register``, for kills. Hundreds of machines are made and thrown away: they lie in memory.

What a kill of a process leaves behind is the same on any file system; a loss of power is another matter, and none of these.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import memory
from tests.register.conftest import made_file, server, url

__all__ = ["made_file", "server", "url"]


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder on a tmpfs; an ordinary one where there is none."""
    shared = memory()
    if shared is None:
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="ami-bridge-kills-", dir=shared))
    yield folder
    shutil.rmtree(folder)
