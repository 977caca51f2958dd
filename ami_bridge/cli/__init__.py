"""The command ``ami-bridge``: each verb's file is imported only when that verb is used."""

from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from ami_bridge import __version__
from ami_bridge.core.errors import AmiBridgeError


class Verb(NamedTuple):
    """Where a verb is, and its line in the list of verbs."""

    module: str
    summary: str


VERBS = {
    "init": Verb("init", "Set up everything that is not there yet, in Asterisk's configuration too."),
    "run": Verb("run", "Run the daemon in the foreground."),
    "calls": Verb("calls", "List registered calls."),
    "show": Verb("show", "Show all that is kept of one call."),
    "pause": Verb("pause", "Silence the recording of a call in progress, for a private passage."),
    "resume": Verb("resume", "End that silence."),
    "notice": Verb("notice", "Add, list and publish the notices that callers hear."),
    "agents": Verb("agents", "Import and list who uses which device."),
    "doctor": Verb("doctor", "Say what is wrong, and what to do about it."),
    "notice-text": Verb("notice_text", "Write the privacy notice for callers, from the configuration."),
    "notice-check": Verb("notice_check", "Say clause by clause whether the privacy notice is kept."),
    "status": Verb("status", "Show on one screen how things stand."),
    "dashboards": Verb("dashboards", "Write out what Prometheus and Grafana need to watch ami-bridge."),
    "keys": Verb("keys", "Make, publish, list and destroy the keys that recordings are sealed to."),
    "purge": Verb("purge", "Destroy what is past its time, and certify it: the nightly job."),
    "hold": Verb("hold", "Keep a call beyond its time: place, list, show and release holds."),
    "certificate": Verb("certificate", "List and verify the certificates of destruction."),
    "findings": Verb("findings", "List what was found amiss, and when the exchange was not heard."),
    "verify": Verb("verify", "Compare register, vault and certificates; report what does not agree."),
    "rebuild": Verb("rebuild", "Make an empty register anew from the vault and the keys."),
    "console": Verb("console", "Run the page where one listens, answers callers and reads the trail."),
    "account": Verb("account", "Look after personal accounts and their duties."),
    "audit": Verb("audit", "Read and verify the trail of who looked at what, and did what."),
    "dialplan": Verb("dialplan", "Print the generated part of the dialplan."),
    "register": Verb("register", "Look after the retention database."),
    "uninstall": Verb("uninstall", "Leave Asterisk's configuration as it was; recordings and keys stay."),
    "capture": Verb("capture", "Record the exchange's events to a test fixture, people replaced."),
}


class Verbs(click.Group):
    """A group whose list needs no import, and that turns our errors into a sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of a newcomer's day."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb."""
        if cmd_name not in VERBS:
            return None
        module = VERBS[cmd_name].module
        command = getattr(import_module(f"ami_bridge.cli.{module}"), f"{module}_command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.summary) for name, verb in VERBS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb. Our errors end it with their exit code; what is left over is a bug and shows as such."""
        try:
            return super().invoke(ctx)
        except AmiBridgeError as error:
            click.echo(f"ami-bridge: {error}", err=True)
            ctx.exit(error.exit_code)


@click.command(cls=Verbs)
@click.version_option(__version__, message="ami-bridge %(version)s")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file; else AMI_BRIDGE_CONFIG, else "
              "/etc/ami-bridge/ami-bridge.toml.")
def main(config: Path | None) -> None:
    """The call-recording register that keeps a privacy notice true on Asterisk."""
