"""``ami-bridge account``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ami_bridge.cli.configured import as_owner, configured
from ami_bridge.cli.words import Moment, in_zone, on_screen, print_json, print_table
from ami_bridge.config import Config
from ami_bridge.core.accounts import Account, Language, Scope
from ami_bridge.core.duties import Duty
from ami_bridge.services.invoker import invoker

if TYPE_CHECKING:
    from ami_bridge.services.people import People

DUTY = click.argument("duty", type=click.Choice([duty.value for duty in Duty]))
SECRETS = ("password", "codes")


@click.group("account")
def account_command() -> None:
    """Look after the personal accounts of those who work with recordings, and their duties."""


def of_login(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the log-in name and the configuration."""
    return click.argument("login")(configured(as_owner(verb)))


@account_command.command("add")
@click.option("--name", required=True, help="The person's name.")
@click.option("--language", type=click.Choice([one.value for one in Language]), default="fi", show_default=True)
@of_login
def add(config: Config, login: str, name: str, language: str) -> None:
    """Make an account for one person. It has no duty and no password yet."""
    with people(config) as looks_after:
        account = looks_after.add(login, name, Language(language))
    click.echo(f"{account.login} has the account {account.id}. Next: 'ami-bridge account password {account.login}'.")


@account_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@configured
@as_owner
def list_accounts(config: Config, as_json: bool) -> None:
    """List the accounts, their duties and clearances."""
    with people(config) as looks_after:
        found = looks_after.all()
    if as_json:
        print_json([as_dict(account) for account in found])
        return
    now, zone = datetime.now(UTC), config.controller.zone
    print_table(("Log-in", "Name", "Duties", "Teams and queues", "Cleared until", "State", "Id"), [
        (one.login, one.name, ", ".join(sorted(one.duties)), ", ".join(sorted(one.scope.teams | one.scope.queues)),
         on_screen(one.clearance_until, zone), one.standing(now).replace("-", " "), str(one.id)) for one in found])


@account_command.command("grant")
@click.option("--team", "teams", multiple=True, help="A team whose calls are theirs; may be given more than once.")
@click.option("--queue", "queues", multiple=True, help="A queue whose calls are theirs; may be given more than once.")
@of_login
@DUTY
def grant(config: Config, login: str, duty: str, teams: tuple[str, ...], queues: tuple[str, ...]) -> None:
    """Give a duty. Teams and queues, where given, take the place of those they had. Nobody both listens and grants."""
    from ami_bridge.services.people import has_scope

    wanted = Scope(frozenset(teams), frozenset(queues)) if teams or queues else None
    if wanted and not has_scope(Duty(duty)):
        raise click.UsageError(f"{duty} is not a duty of some teams and queues")
    with people(config) as looks_after:
        account = looks_after.grant(login, Duty(duty), wanted)
    click.echo(f"{login} is {', '.join(sorted(account.duties))}.")


@account_command.command("revoke")
@of_login
@DUTY
def revoke(config: Config, login: str, duty: str) -> None:
    """Take a duty away."""
    with people(config) as looks_after:
        account = looks_after.revoke(login, Duty(duty))
    click.echo(f"{login} is {', '.join(sorted(account.duties)) or 'nothing'} now.")


@account_command.command("password")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input, one line, instead of asking.")
@click.option("--initial", is_flag=True, help="Make a random one and print it once; the person must change it.")
@of_login
def password(config: Config, login: str, password_stdin: bool, initial: bool) -> None:
    """Set the password, 12 to 128 characters; it is asked for. A lock ends."""
    if initial and password_stdin:
        raise click.UsageError("say either --password-stdin, or --initial")
    if initial:
        with people(config) as looks_after:
            click.echo(looks_after.give_password(login))
        return
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else click.prompt(
        "Password", hide_input=True, confirmation_prompt=True, err=True)
    with people(config) as looks_after:
        looks_after.set_password(login, given)
    click.echo(f"The password of {login} is set.")


@account_command.command("codes")
@of_login
def codes(config: Config, login: str) -> None:
    """Make a new secret for the one-time codes, and print it once: the person's telephone takes it up."""
    with people(config) as looks_after:
        click.echo(looks_after.set_codes(login))


@account_command.command("clearance")
@click.option("--until", type=Moment(ends=True), help="When it lapses; a date means its end.")
@click.option("--none", "nothing", is_flag=True, help="There is no clearance, or no longer one.")
@of_login
def clearance(config: Config, login: str, until: datetime | None, nothing: bool) -> None:
    """Set until when somebody is security-cleared. Without a clearance, or when it has lapsed, they hear no recording."""
    if nothing is bool(until):
        raise click.UsageError("say either --until, or --none")
    ends = in_zone(until, config.controller.zone)
    with people(config) as looks_after:
        looks_after.set_clearance(login, ends)
    until_when = f"cleared until {on_screen(ends, config.controller.zone)}" if ends else "not cleared"
    click.echo(f"{login} is {until_when}.")


@account_command.command("disable")
@of_login
def disable(config: Config, login: str) -> None:
    """Shut an account. It stays, because the trail names it."""
    with people(config) as looks_after:
        looks_after.disable(login)
    click.echo(f"The account {login} is shut.")


@account_command.command("enable")
@of_login
def enable(config: Config, login: str) -> None:
    """Open an account that was shut."""
    with people(config) as looks_after:
        looks_after.enable(login)
    click.echo(f"The account {login} is open.")


@account_command.command("unlock")
@of_login
def unlock(config: Config, login: str) -> None:
    """Forget failed tries to sign in."""
    with people(config) as looks_after:
        looks_after.unlock(login)
    click.echo(f"The account {login} is not locked.")


@contextmanager
def people(config: Config) -> "Iterator[People]":
    """Open the register for the account of this machine that runs the verb."""
    from ami_bridge.app import people
    from ami_bridge.register import Register

    with closing(Register.open(config.register.url)) as register:
        yield people(config, register, invoker())


def as_dict(account: Account) -> dict[str, Any]:
    """Return an account as JSON takes it: no hash, no secret."""
    shown = {name: value for name, value in asdict(account).items() if name not in SECRETS}
    return shown | {"duties": sorted(account.duties), "scope": {"teams": sorted(account.scope.teams),
                                                                "queues": sorted(account.scope.queues)},
                    "password": bool(account.password), "codes": bool(account.codes)}
