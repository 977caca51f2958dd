"""The daemon's log in a real systemd-journald, which runs in a /run of its own, and read by journalctl."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.machine import REPOSITORY

JOURNALD = Path("/lib/systemd/systemd-journald")
CALL = "01900000-0000-7000-8000-000000000001"
# systemd-cat connects stderr as systemd does, but (in 252) does not say so in JOURNAL_STREAM: the script does.
PROGRAM = f"""
import logging
from ami_bridge.daemon.logs import log_to_stderr
log_to_stderr()
log = logging.getLogger("ami_bridge")
log.critical("The keys suffice for %d days", 4, extra={{"action": "alarm", "alarm": "keys-few"}})
log.info("Mäkinen\\nand more", extra={{"action": "call_registered", "call": "{CALL}", "reason": "announced"}})
"""
SCRIPT = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d || exit 1
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\n' > /run/systemd/journald.conf.d/test.conf
[ -s /etc/machine-id ] || { echo 0123456789abcdef0123456789abcdef > /run/id; mount --bind /run/id /etc/machine-id; }
"$1" & journald=$!
for n in $(seq 200); do [ -S /run/systemd/journal/socket ] && break; sleep 0.05; done
systemd-cat sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" -c "$1"' "$2" "$3" || exit 1
for n in $(seq 200); do journalctl --quiet -o json AMI_BRIDGE_ACTION=call_registered | grep -q . && break; sleep 0.05; done
journalctl --quiet -o json -t ami-bridge
kill $journald
"""

pytestmark = [
    pytest.mark.live, pytest.mark.no_stream,
    pytest.mark.skipif(not JOURNALD.exists() or not shutil.which("systemd-cat"), reason="systemd is not installed")]


def test_systemd_keeps_the_fields_and_journalctl_finds_them() -> None:
    with subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh", str(JOURNALD), sys.executable,
                           PROGRAM], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, start_new_session=True,
                          env=os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"}) as shell:
        try:
            said, _ = shell.communicate(timeout=60)
        except BaseException:
            os.killpg(shell.pid, signal.SIGKILL)
            raise
    alarm, call = (json.loads(line) for line in said.splitlines())
    assert (alarm["MESSAGE"], alarm["PRIORITY"]) == ("The keys suffice for 4 days action=alarm alarm=keys-few", "2")
    assert (alarm["AMI_BRIDGE_ACTION"], alarm["AMI_BRIDGE_ALARM"], alarm["_TRANSPORT"]) == ("alarm", "keys-few", "journal")
    assert call["MESSAGE"] == f"Mäkinen and more action=call_registered call={CALL} reason=announced"
    assert (call["AMI_BRIDGE_CALL"], call["AMI_BRIDGE_REASON"], call["PRIORITY"]) == (CALL, "announced", "6")
