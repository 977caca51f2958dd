"""Hosts of one's own to follow a page on: this machine's programs, but /etc, /var, /run and /srv of their own.

A host is a folder, seen at those places in a mount namespace that dies with each command; nothing of this machine is changed.
Other hosts are reached by their names as by ssh.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HERE = "/srv/here"
"""The folder in which the reader types."""
CONFIGURATION = "etc/ami-bridge/ami-bridge.toml"
ENTER = """#!/bin/sh
# ssh HOST COMMAND..., the command being run on the host of that name here.
set -e
export AS_HOST="$1"; shift
exec unshare --mount --propagation private sh -e -c '
for place in etc var run srv; do mount --bind "{folder}/$AS_HOST/$place" "/$place"; done
if [ -e "{folder}/postgresql" ]; then mkdir -p /run/postgresql; mount --bind "{folder}/postgresql" /run/postgresql; fi
cd {here}; umask 027; exec bash -e -o pipefail -c "$*"' sh "$@"
"""

AS_USER = """#!/bin/sh
# The user ami-bridge is nobody's here, and must read a program that may lie in the home of root.
if [ "$2" = ami-bridge ]; then
  caps=+dac_override,+dac_read_search,+fowner,+chown
  shift 3; exec setpriv --reuid=64999 --regid=64999 --clear-groups --inh-caps=$caps --ambient-caps=$caps "$@"
fi
exec /usr/sbin/runuser "$@"
"""


@dataclass(frozen=True)
class Hosts:
    """The hosts of one test, all below a folder; ``made`` is the host that every new one is a copy of."""

    folder: Path

    def start(self) -> None:
        """Make what is needed to enter hosts."""
        programs = self.folder / "bin"
        programs.mkdir(parents=True)
        self._program("enter", ENTER.format(folder=self.folder, here=HERE))
        self._program("runuser", AS_USER)
        self._program("ami-bridge", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ami_bridge "$@"\n')

    def host(self, name: str, like: Path | None = None) -> Path:
        """Return the folder of a host; a new one is a copy of ``like``, or bare."""
        root = self.folder / name
        if root.exists():
            return root
        if like:
            subprocess.run(["cp", "--archive", like, root], check=True)
            return root
        shutil.copytree("/etc", root / "etc", symlinks=True, ignore=shutil.ignore_patterns("ami-bridge", "asterisk", "shadow*"))
        for place in ("var/lib", "var/log", "run", HERE.strip("/")):
            (root / place).mkdir(parents=True)
        (root / "var/run").symlink_to("/run")
        return root

    def run(self, host: str, command: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Type a command on a host."""
        programs = self.folder / "bin"
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": HERE, "LOGNAME": "root",
                       "LANG": "C.UTF-8", "RESTIC_REPOSITORY": "/srv/restic", "RESTIC_PASSWORD": "secret", "RSYNC_RSH": str(programs / "enter"), **(variables or {})}
        return subprocess.run([programs / "enter", host, command], env=environment, capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL)

    def said(self, host: str, command: str) -> str:
        """Type a command that must succeed; return what it prints."""
        done = self.run(host, command)
        assert done.returncode == 0, (host, command, done.stdout + done.stderr)
        return done.stdout

    def set(self, host: str, settings: Mapping[str, Any]) -> None:
        """Change the configuration of a host: what is set there stays, unless it is set anew here."""
        file = self.folder / host / CONFIGURATION
        merged = tomllib.loads(file.read_text("utf-8"))
        for section, keys in settings.items():
            if isinstance(keys, list):
                merged[section] = [*keys, *merged.get(section, [])]
            else:
                merged.setdefault(section, {}).update(keys)
        file.write_text("\n".join(_toml(merged)), "utf-8")

    def _program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text, "utf-8")
        path.chmod(0o755)


def _toml(settings: Mapping[str, Any]) -> list[str]:
    lines = []
    for section, value in settings.items():
        for table in value if isinstance(value, list) else [value]:
            lines.append(f"[[{section}]]" if isinstance(value, list) else f"[{section}]")
            lines += [f"{key} = {json.dumps(one, ensure_ascii=False)}" for key, one in table.items()]
    return lines
