"""A machine of one's own in a folder: configuration, register, spool, vault and prompts, all made by ``init``."""

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ami_bridge.cli import main
from ami_bridge.config import Config, load
from ami_bridge.core.entries import Entry
from ami_bridge.register import Register
from tests.furnished import furnish
from tests.register.samples import ENTRY_SHA256

REPOSITORY = Path(__file__).parents[2]
ONE_LANGUAGE = {"AMI_BRIDGE__NOTICE__LANGUAGES": '["en"]'}


@dataclass(frozen=True)
class Machine:
    """The folder, and what its environment sets besides the configuration file."""

    folder: Path
    ports: dict[str, str]

    @property
    def file(self) -> Path:
        return self.folder / "etc" / "ami-bridge.toml"

    @property
    def environment(self) -> dict[str, str]:
        return {"AMI_BRIDGE_CONFIG": str(self.file), **ONE_LANGUAGE, **self.ports}

    @property
    def config(self) -> Config:
        return load(self.file, self.environment)

    @property
    def settings(self) -> dict[str, str]:
        """What its environment says but for its ports."""
        return {name: value for name, value in self.environment.items() if not name.endswith("__PORT")}

    def init(self) -> None:
        """Set it up, as `init` does."""
        furnish(self.folder, self.ports["AMI_BRIDGE__AGI__PORT"], ("machine", self.settings),
                lambda: self.said("init", "--directory", str(self.folder / "state")))

    def run(self, *words: str) -> Result:
        """Run a verb in this process."""
        return CliRunner().invoke(main, list(words), env=self.environment, catch_exceptions=False)

    def said(self, *words: str) -> str:
        """Run a verb that must succeed; return what it prints."""
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        """Run a verb that prints JSON."""
        return json.loads(self.said(*words, "--json"))

    def really(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a verb as a process of its own."""
        return subprocess.run([sys.executable, "-W", "error", "-m", "ami_bridge", *words], capture_output=True, text=True,
                              timeout=60, env=os.environ | self.environment, cwd=REPOSITORY)

    def register(self, *entries: Entry) -> None:
        """Put calls into the register."""
        with closing(Register.open(self.config.register.url)) as register, register.writing() as work:
            for entry in entries:
                work.calls.add(entry, ENTRY_SHA256)
