"""``ami-bridge agents``."""

from contextlib import closing
from pathlib import Path

import click

from ami_bridge.cli.configured import configured
from ami_bridge.cli.tracing import looking
from ami_bridge.cli.words import on_screen, print_table
from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import MOST, Detail
from ami_bridge.services.agents import read_csv
from ami_bridge.services.invoker import invoker


@click.group("agents")
def agents_command() -> None:
    """Import and list who uses which device."""


@agents_command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@configured
def import_agents(config: Config, file: Path) -> None:
    """Import a CSV file with the columns key, name, team, valid_from, valid_to. All of it, or nothing if a line is wrong."""
    from ami_bridge.app import trail
    from ami_bridge.register import Register

    agents = read_csv(file, config.controller.zone)
    with closing(Register.open(config.register.url)) as register, register.writing() as work:
        changed = work.agents.put(agents)
        trail(config, register, invoker()).within(work, Action.AGENTS_IMPORTED, detail={Detail.FOUND: min(changed, MOST)})
    click.echo(f"{len(agents)} lines read, {changed} new or changed.")


@agents_command.command("list")
@configured
def list_agents(config: Config) -> None:
    """List the directory."""
    with looking(config, Action.AGENTS_LISTED) as look, look.register.reading() as work:
        agents = work.agents.all(config.exchange.name)
        look.detail[Detail.FOUND] = min(len(agents), MOST)
    zone = config.controller.zone
    print_table(("Key", "Name", "Team", "From", "To"), [
        (agent.key, agent.name, agent.team, on_screen(agent.valid_from, zone), on_screen(agent.valid_to, zone))
        for agent in agents])
