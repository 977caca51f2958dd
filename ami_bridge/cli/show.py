"""``ami-bridge show``."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ami_bridge.cli import purposes
from ami_bridge.cli.configured import configured
from ami_bridge.cli.tracing import looking
from ami_bridge.cli.words import duration, entry_as_dict, harmless, on_screen, print_json
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import NotFound
from ami_bridge.core.findings import Kind

if TYPE_CHECKING:
    from ami_bridge.services.remarks import Remarked

WIDTH = 14


@click.command("show")
@click.argument("call_id", metavar="ID")
@purposes.option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
def show_command(config: Config, call_id: str, purpose: str | None, as_json: bool) -> None:
    """Show all that is kept of one call. ID is its id or the beginning of it."""
    one = get(config, call_id, purposes.purpose_of(config, purpose))
    entry = one.entry
    if as_json:
        print_json(entry_as_dict(entry) | {"gap": one.gap, "findings": one.findings})
        return
    for name, value in [*lines(entry, config.controller.zone), *remarks(one)]:
        click.echo(f"{name:<{WIDTH}}{harmless(value)}".rstrip())


def get(config: Config, call_id: str, purpose: str) -> "Remarked":
    """Return the one call whose id begins so, for a purpose that stands in the trail; NotFound otherwise."""
    from ami_bridge.services.remarks import remarked

    with looking(config, Action.CALL_VIEWED, purpose) as look, look.register.reading() as work:
        entry = work.calls.get(call_id, datetime.now(UTC))
        if entry is None:
            raise NotFound("there is no such call in the register", "List them with 'ami-bridge calls'.")
        look.object = str(entry.id)
        found = remarked(work, [entry])[0]
    return found


def remarks(one: "Remarked") -> Iterator[tuple[str, str]]:
    """Yield what is to be said of a call beside its entry."""
    if one.gap:
        yield "gap", "the exchange was not heard all the time: participants and their times may be missing"
    for kind in one.findings:
        yield "amiss", f"{kind}{MEANS.get(kind, '')}"


MEANS = {
    Kind.AUDIO_CUT: ": the exchange died before it closed the file; the last two seconds may be missing",
    Kind.AUDIO_LOST: ": the exchange died before anything reached the disk",
    Kind.AUDIO_MISSING: ": the file never came",
    Kind.LENGTH_MISMATCH: ": the sound is shorter or longer than the conversation",
}


def lines(entry: Entry, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield name and value of everything kept, in the order it is shown."""
    yield "id", str(entry.id)
    yield "exchange", f"{entry.exchange} (uniqueid {entry.uniqueid}, linkedid {entry.linkedid})"
    yield "direction", str(entry.direction)
    yield "caller", entry.caller or "withheld"
    yield "callee", entry.callee
    yield "started", on_screen(entry.started_at, zone)
    yield "answered", on_screen(entry.answered_at, zone) or "never"
    yield "ended", f"{on_screen(entry.ended_at, zone)} ({duration(entry.seconds)})"
    yield "expires", on_screen(entry.expires_at, zone)
    yield "route", entry.route or "none"
    yield "queue", entry.queue or "none"
    yield "reason", f"{entry.reason} (decided by {'the dialplan alone' if entry.origin == 'dialplan' else 'the script'})"
    yield from _participants(entry, zone)
    yield from _silences(entry, zone)
    yield from _notice(entry, zone)
    yield from _recordings(entry)


def _participants(entry: Entry, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for party in entry.participants:
        until = on_screen(party.left_at, zone) or "the end"
        who = f"{party.name or 'unknown'} on {party.interface}" + (f" of {party.team}" if party.team else "")
        yield "participant", f"{who}, {on_screen(party.joined_at, zone)} to {until}"


def _silences(entry: Entry, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for silence in entry.silences:
        by = f" by {silence.by}" if silence.by else ""
        yield "silent", f"{silence.why}{by}, {on_screen(silence.began_at, zone)} to {on_screen(silence.ended_at, zone)}"


def _notice(entry: Entry, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    proof = entry.notice
    if proof is None:
        return
    pressed = f", pressed {proof.pressed}" if proof.pressed else ""
    yield "notice", (f"{proof.prompt} version {proof.version} in {proof.language}, heard {proof.heard_samples} of "
                     f"{proof.samples} samples by {on_screen(proof.at, zone)}, witness: {proof.witness}{pressed}")
    yield "", f"SHA-256 {proof.sha256}"


def _recordings(entry: Entry) -> Iterator[tuple[str, str]]:
    for recording in entry.recordings:
        yield "recording", f"{recording.segment}: {recording.state}, {recording.id}"
        if recording.audio:
            audio = recording.audio
            yield "", f"{audio.file}, {duration(audio.seconds)}, {audio.rate} samples a second, {audio.size} bytes"
            yield "", f"SHA-256 {audio.sha256}"
            yield "", f"sealed: {audio.sealed_size} bytes, SHA-256 {audio.sealed_sha256}"
            if audio.found_sha256:
                yield "", f"as the crash left it: SHA-256 {audio.found_sha256}"
