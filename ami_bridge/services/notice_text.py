"""The controller's privacy notice for callers, and its entry in the record of processing, made from the configuration.

What they must say: General Data Protection Regulation, articles 12, 13 and 30. Each promise N1 to N12 is a named block of
the notice's template, so that a test finds its sentence in each language.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from html import escape
from pathlib import Path
from textwrap import fill
from typing import Any

from jinja2 import Environment, FileSystemLoader

import ami_bridge
from ami_bridge.config import Config
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.notice import Choice

TEMPLATES = Path(ami_bridge.__file__).parent / "notice_texts"
LANGUAGES = ("fi", "sv", "en")
NO_OFFICER = "none"
WIDTH = 78
_HTML = """\
<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head>
<body>
<main>
{body}</main>
</body>
</html>
"""


class Kind(StrEnum):
    """Which text: its template is ``<kind>.<language>.md``."""

    NOTICE = "notice"
    RECORD = "record"


class Form(StrEnum):
    """How it is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


def written(config: Config, language: str, kind: Kind = Kind.NOTICE, form: Form = Form.TEXT) -> str:
    """Return a text in ``fi``, ``sv`` or ``en``; ConfigurationError where what the law asks for is not configured."""
    lacking = missing(config, language)
    if lacking:
        raise ConfigurationError(f"the {kind} cannot be written: not configured: {', '.join(lacking)}",
                                 "Set them: callers must be told (GDPR article 13).")
    if form is Form.HTML:
        return _html(_rendered(config, language, kind, _in_markdown), language)
    if form is Form.MARKDOWN:
        return _rendered(config, language, kind, _in_markdown)
    return _plain(_rendered(config, language, kind, str))


def missing(config: Config, language: str) -> list[str]:
    """Return the settings that a text in ``language`` needs and that are empty."""
    return [setting for setting, value in needed(config, language) if not value]


def needed(config: Config, language: str) -> Iterator[tuple[str, Any]]:
    """Yield the settings that a text in ``language`` needs, and what they say."""
    controller, authority = config.controller, config.authority
    yield "[controller] address", controller.address
    yield "[controller] phone or mail", controller.phone or controller.mail
    yield "[controller] data_protection_officer", controller.data_protection_officer
    yield "[authority] phone, mail or web", authority.phone or authority.mail or authority.web
    yield f"[controller] name or name_{language}", controller.called(language)
    yield f"[authority] {language}", authority.called(language)
    yield f"[purposes] {language}", config.purposes.said(language)
    if controller.legal_basis in ("c", "f"):
        yield f"[controller] basis_{language}", controller.basis(language)


def values(config: Config, language: str) -> dict[str, Any]:
    """Return what the templates are filled with."""
    controller, authority = config.controller, config.authority
    routes = [route for route in config.policy_routes() if route.record]
    officer = controller.data_protection_officer
    return {
        "controller": {"name": controller.called(language), "address": controller.address, "phone": controller.phone,
                       "mail": controller.mail},
        "officer": "" if officer == NO_OFFICER else officer, "purposes": config.purposes.said(language),
        "basis": controller.legal_basis, "basis_text": controller.basis(language), "processors": controller.processors,
        "days": config.retention.days, "shortest": min((route.days for route in routes), default=config.retention.days),
        "on_demand": any(route.on_demand for route in routes),
        "opt_out": sorted({route.choice_key for route in routes if route.choice is Choice.OPT_OUT}),
        "opt_in": sorted({route.choice_key for route in routes if route.choice is Choice.OPT_IN}),
        "authority": {"name": authority.called(language), "phone": authority.phone, "mail": authority.mail,
                      "web": authority.web},
        "spoken": config.notice.languages,
    }


def publish(config: Config) -> list[Path]:
    """Write the notice in every language to ``[controller] published`` as HTML, readable for all; return the files."""
    made = []
    for language in LANGUAGES:
        path = published(config, language)
        text = written(config, language, form=Form.HTML)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            path.chmod(0o644)
        except OSError as error:
            raise ConfigurationError(f"the notice {path} cannot be written ({error.strerror})",
                                     "Choose another folder: [controller] published.") from None
        made.append(path)
    return made


def published(config: Config, language: str) -> Path:
    """Return where the notice in a language is published; ConfigurationError where nobody said where."""
    if config.controller.published is None:
        raise ConfigurationError("it is not configured where the notice is published", "Set [controller] published.")
    return config.controller.published / f"{Kind.NOTICE}.{language}.html"


@cache
def _environment(finalize: Any) -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), trim_blocks=True, lstrip_blocks=True, finalize=finalize,
                       autoescape=False)  # noqa: S701 - the templates are Markdown; what fills them is escaped as such


def _rendered(config: Config, language: str, kind: Kind, finalize: Any) -> str:
    text = _environment(finalize).get_template(f"{kind}.{language}.md").render(values(config, language))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"\n +", " ", text)).strip() + "\n"


def _in_markdown(value: Any) -> Any:
    """Write a value so that nothing in it is taken for a sign of Markdown or HTML."""
    if not isinstance(value, str):
        return value
    quoted = re.sub(r"([\\`*_\[\]<>#&|~])", r"\\\1", value)
    return re.sub(r"^(\d{1,9})([.)])", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", quoted))


def _plain(text: str) -> str:
    """Return plain text of lines that fit a letter."""
    return "\n".join(_line(line) for line in text.splitlines()) + "\n"


def _line(line: str) -> str:
    if heading := re.match(r"(#+) (.*)", line):
        return f"{heading[2]}\n{('=' if len(heading[1]) == 1 else '-') * len(heading[2])}"
    return fill(line, WIDTH, subsequent_indent="  " if line.startswith("- ") else "", break_on_hyphens=False,
                break_long_words=False)


def _html(text: str, language: str) -> str:
    from markdown_it import MarkdownIt

    title = text.partition("\n")[0].removeprefix("# ")
    return _HTML.format(language=language, title=escape(title), body=MarkdownIt("commonmark", {"html": False}).render(text))
