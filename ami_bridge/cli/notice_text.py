"""``ami-bridge notice-text``."""

import click

from ami_bridge.cli.configured import configured
from ami_bridge.config import Config


@click.command("notice-text")
@click.option("--language", type=click.Choice(["fi", "sv", "en"]), help="Finnish, Swedish or English; else the first of "
              "[notice] languages that is one of these.")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "html"]), default="text", show_default=True,
              help="How it is written.")
@click.option("--record-of-processing", "record", is_flag=True, help="Instead, the entry for the record of processing "
              "activities (GDPR article 30).")
@click.option("--publish", is_flag=True, help="Write the notice as HTML in all three languages to [controller] published.")
@configured
def notice_text_command(config: Config, language: str | None, form: str, record: bool, publish: bool) -> None:
    """Print the controller's privacy notice for callers, as the configuration makes it true."""
    from ami_bridge.services import notice_text

    if publish:
        if record or language or form != "text":
            raise click.UsageError("--publish writes the notice as HTML in all languages, and goes with no other option.")
        for path in notice_text.publish(config):
            click.echo(f"Wrote {path}")
        return
    spoken = language or next((one for one in config.notice.languages if one in notice_text.LANGUAGES), "en")
    kind = notice_text.Kind.RECORD if record else notice_text.Kind.NOTICE
    click.echo(notice_text.written(config, spoken, kind, notice_text.Form(form)), nl=False)
