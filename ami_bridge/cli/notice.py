"""``ami-bridge notice``."""

import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.tracing import afterwards
from ami_bridge.cli.words import on_screen, print_json, print_table
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.services.notices import publish, speak_shipped, store

RESTART = "A running daemon takes it up when it is restarted: systemctl restart ami-bridge"


@click.group("notice")
def notice_command() -> None:
    """Add, list and publish the notices that callers hear."""


@notice_command.command("add")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--language", required=True, help="One of [notice] languages.")
@click.option("--name", default="recorded", show_default=True, help="The prompt's name, as in a route's notice.")
@configured
def add(config: Config, file: Path, language: str, name: str) -> None:
    """Convert a sound file and make it the current version of a notice. Older versions are kept."""
    _refuse_odd(config, name, language)
    prompt = store(config).add(file, name, language, datetime.now(UTC))
    afterwards(config, Action.NOTICE_ADDED, prompt.sha256)
    click.echo(f"{name} in {language}: version {prompt.version}, {prompt.samples / 8000:.1f} s, SHA-256 {prompt.sha256}")
    click.echo(RESTART if publish(config) else "It is current and published.")


@notice_command.command("list")
@click.option("--all", "all_versions", is_flag=True, help="Older versions too.")
@click.option("--json", "as_json", is_flag=True)
@configured
def list_notices(config: Config, all_versions: bool, as_json: bool) -> None:
    """List the notices."""
    prompts = store(config)
    versions = prompts.versions() if all_versions else prompts.newest()
    if as_json:
        print_json([asdict(version) for version in versions])
        return
    zone = config.controller.zone
    print_table(("Name", "Language", "Version", "Seconds", "Added", "SHA-256"), [
        (v.name, v.language, str(v.version), f"{v.seconds:.1f}", on_screen(datetime.fromisoformat(v.added_at), zone),
         v.sha256[:12]) for v in versions])


@notice_command.command("speak")
@configured
def speak(config: Config) -> None:
    """Speak the notices that come with ami-bridge, where the store has none yet (needs espeak-ng)."""
    with tempfile.TemporaryDirectory() as scratch:
        prompts = speak_shipped(config, Path(scratch), datetime.now(UTC))
    if prompts:
        afterwards(config, Action.NOTICE_ADDED, *(prompt.sha256 for prompt in prompts))
    for prompt in prompts:
        click.echo(f"{prompt.name} in {prompt.language}: {prompt.samples / 8000:.1f} s")
    click.echo(RESTART if publish(config) else "Nothing changed.")


@notice_command.command("publish")
@configured
def publish_notices(config: Config) -> None:
    """Write the notice policy for the scripts, and set the prompts' plain names to their current versions."""
    store(config).point_to_current()
    click.echo(RESTART if publish(config) else "The notice policy is up to date.")


def _refuse_odd(config: Config, name: str, language: str) -> None:
    """Refuse what no route could ask for."""
    from pydantic import TypeAdapter, ValidationError

    from ami_bridge.config.kinds import PromptName

    try:
        TypeAdapter(PromptName).validate_python(name)
    except ValidationError:
        raise ConfigurationError(f"{name!r} cannot be the name of a prompt",
                                 "Use small letters, digits and -, without an ending like -v2.") from None
    if language not in config.notice.languages:
        raise ConfigurationError(f"the language {language!r} is not among [notice] languages",
                                 f"Use one of {', '.join(config.notice.languages)}, or add it there.")
