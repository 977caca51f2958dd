"""The doctor's look at the spool, from our side and from that of Asterisk's user."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ami_bridge.asterisk.process import Identity
from ami_bridge.config import Config
from ami_bridge.services.doctor_asterisk import found
from ami_bridge.services.findings import Finding, error, ok, warning
from ami_bridge.services.mounts import MOUNTS, Mount, mount_of
from ami_bridge.spool import INODES, Spool

EVERYBODY = 0o007
SCARCE, USED_UP = 500 << 20, 50 << 20
"""Bytes free in the spool: an hour of one call is about 58 MB."""

FEW_INODES = 10 * INODES
GROUP_READS = 0o040
SET_UMASK = "Set UMask=0027 in Asterisk's unit, and restart it."
MADE_BY_INIT = "Run 'ami-bridge init'."
USER = "asterisk-user"


def spool_folder(config: Config) -> Iterator[Finding]:
    """Look at the spool: there, ours alone, in memory, with room."""
    spool = Spool(config.spool.directory)
    folders = (spool.root, spool.tickets, spool.live)
    absent = [folder for folder in folders if not folder.is_dir()]
    if absent:
        yield error("spool", f"the folder {absent[0]} is not there", MADE_BY_INIT)
        return
    shut = [folder for folder in folders if not os.access(folder, os.W_OK | os.X_OK)]
    if shut:
        yield error("spool", f"this user cannot write in {shut[0]}", "Run as the daemon's user, or mend its owner.")
    elif spool.root.stat().st_mode & EVERYBODY:
        yield error("spool", f"{spool.root} is open to everybody on this machine", f"Run 'chmod o= {spool.root}'.")
    else:
        yield ok("spool", f"{spool.root} is there and writable")
    yield in_memory(spool.root, mount_of(spool.root, MOUNTS.read_text("utf-8")))
    yield room(shutil.disk_usage(spool.root).free)
    disk = os.statvfs(spool.root)
    if disk.f_files:
        yield inodes(disk.f_favail)


def in_memory(folder: Path, mount: Mount) -> Finding:
    """Judge the spool's file system: unsealed audio should not reach a disk."""
    if mount.in_memory:
        return ok("spool-memory", f"{folder} is in memory ({mount.kind})")
    return warning("spool-memory", f"{folder} is on {mount.kind}: audio of calls in progress reaches the disk unsealed",
                   "Put [spool] directory on a tmpfs, such as /run.")


def room(free: int) -> Finding:
    """Judge the free bytes of the spool."""
    said = f"{free >> 20} MB free"
    if free >= SCARCE:
        return ok("spool-room", said)
    remedy = "Make the tmpfs larger, or look why finished calls are not taken in."
    return (error if free < USED_UP else warning)("spool-room", said, remedy)


def inodes(free: int) -> Finding:
    """Judge the free inodes of the spool: a call takes three."""
    said = f"{free} inodes free"
    if free >= FEW_INODES:
        return ok("spool-inodes", said)
    remedy = "Mount the tmpfs with more inodes (nr_inodes), or look why finished calls are not taken in."
    return (error if free < INODES else warning)("spool-inodes", said, remedy)


def asterisk_user(config: Config) -> Iterator[Finding]:
    """Look whether Asterisk's user gets where it must: the spool, the prompts, the generated dialplan, our program."""
    who = found(config).identity
    if config.exchange.configuration is None:
        return
    if who is None:
        yield warning(USER, "it cannot be told as which user Asterisk runs: what it may read and write was not looked at",
                      "Run the doctor on Asterisk's host while it runs; see [exchange] configuration.")
        return
    faults = [*unreachable(config, who), *too_open(who)]
    yield from faults or [ok(USER, f"Asterisk's user {who.name} can write the spool, and read prompts and scripts")]


def unreachable(config: Config, who: Identity) -> Iterator[Finding]:
    """Yield where Asterisk's user does not get to."""
    spool, prompts = Spool(config.spool.directory), config.notice.played_from
    ways = [(folder, os.W_OK | os.X_OK, "write in") for folder in (spool.live, spool.legs_folder)]
    ways += [(path, os.R_OK, "read") for path in sorted(prompts.rglob("*.*law")) + sorted(prompts.rglob("*.wav"))]
    ways += [(spool.policy, os.R_OK, "read"), (config.agi.process, os.R_OK | os.X_OK, "run")]
    told: set[Path] = set()
    for path, wanted, does in ways:
        if path.exists() and (bar := who.stopped_at(path.resolve(), wanted)) and bar not in told:
            told.add(bar)
            barred = "" if bar == path else f": {bar} is in the way"
            yield error(USER, f"Asterisk's user {who.name} cannot {does} {path}{barred}",
                        f"Put it into the group of {bar} and restart Asterisk, or mend owner and mode.")


def too_open(who: Identity) -> Iterator[Finding]:
    """Judge the mode that Asterisk's new files get: ours to read, nobody else's."""
    if who.umask is not None and who.umask & GROUP_READS:
        yield error(USER, f"Asterisk's umask is {who.umask:04o}: the daemon cannot read what it records", SET_UMASK)
    elif who.umask is not None and who.umask & EVERYBODY != EVERYBODY:
        yield warning(USER, f"Asterisk's umask is {who.umask:04o}: what it writes elsewhere is open to everybody", SET_UMASK)
