"""What is shipped for those who watch: alert rules for Prometheus, a dashboard for Grafana."""

from importlib.resources import files
from pathlib import Path

from ami_bridge.core.errors import AmiBridgeError

RUNBOOK = "docs/runbook.md"
"""What the alert rules name as the runbook, with the section after it."""


def shipped() -> dict[str, str]:
    """Return the files by name."""
    folder = files("ami_bridge").joinpath("dashboards")
    return {one.name: one.read_text("utf-8") for one in folder.iterdir() if one.is_file()}


def write(directory: Path, runbook: str = "") -> list[Path]:
    """Write the files to a folder and return their paths; AmiBridgeError when that cannot be.

    ``runbook``: where the runbook is read, in the place of its path in the documentation.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        texts = {directory / name: text.replace(RUNBOOK, runbook or RUNBOOK) for name, text in sorted(shipped().items())}
        for path, text in texts.items():
            path.write_text(text, "utf-8")
        return list(texts)
    except OSError as error:
        raise AmiBridgeError(f"the dashboards cannot be written to {directory} ({error.strerror})",
                             "Name a folder that may be written to.") from error
