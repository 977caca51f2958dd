"""What the console says: each text in three languages, with the same gaps to fill; none missing, none left over."""

import re
from enum import StrEnum
from string import Formatter

import pytest

from ami_bridge.core import (
    alarms,
    audit,
    disclosures,
    findings,
    gaps,
    holds,
    notice,
    parties,
    proposals,
    recordings,
    request_clock,
    requests,
    supervision,
)
from ami_bridge.core.accounts import LONGEST_PASSWORD, MOST_NAMES, SHORTEST_PASSWORD, Language
from ami_bridge.core.actions import Action
from ami_bridge.core.duties import Duty, Why
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.web.mistakes import mistake_of
from ami_bridge.web.terms import LONGEST_MINUTES
from ami_bridge.web.words import FOLDER, Words, catalogue, language_of

WEB = FOLDER.parent
SOURCES = [*WEB.rglob("*.html"), *WEB.rglob("*.py")]
AREAS = {key.partition(".")[0] for key in catalogue()}
LITERAL = re.compile(r"""["']([a-z_-]+\.[a-z0-9_-]+)["'](?!\s*~)""")
OPEN = re.compile(r"""(?:["']([a-z_-]+\.[a-z0-9_-]*)["']\s*~|\.of\(\s*["']([a-z_-]+)["']|f["']([a-z_-]+\.[a-z0-9_-]*)\{)""")
"""Where the key is made of what is found: ``t("area." ~ word)``, ``t.of("area", word)``, ``f"area.{word}"``."""

ENUMERATIONS: dict[str, list[type[StrEnum]]] = {
    "actions": [Action], "alarms": [alarms.Name], "amiss": [findings.Kind], "causes": [gaps.Cause], "details": [audit.Detail],
    "directions": [parties.Direction], "disclosure_kinds": [disclosures.Kind], "duties": [Duty], "findings": [findings.Kind],
    "outcomes": [audit.Outcome], "searched_by": [audit.By], "steps": [requests.Step], "proposal_states": [proposals.State], "reasons": [notice.Reason, recordings.State],
    "recorded": [notice.Reason], "request_answers": [requests.Answer], "request_extensions": [requests.Extension],
    "request_identities": [requests.Identity], "request_kinds": [requests.Kind], "request_outcomes": [requests.Outcome],
    "request_states": [requests.State], "request_urgencies": [request_clock.Urgency], "silences": [recordings.Why],
    "states": [recordings.State], "why": [Why]}
MISTAKE = re.compile(r"""mistake="([a-z-]+)\"|_wrong\(.*"([a-z-]+)"\)""")
NEVER_SHOWN = {"why": {Why.DUTY, Why.AGREED}}
"""Words that no page says: it says only why something is refused."""


def named(pattern: re.Pattern[str]) -> set[str]:
    """What the pages name, by one of the ways."""
    return {next(filter(None, found.groups())) for source in SOURCES for found in pattern.finditer(source.read_text("utf-8"))}


def gaps(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize(("accepted", "language"), [
    ("sv-FI,sv;q=0.9,en;q=0.8", "sv"), ("en;q=0.1, SV;q=0.9", "sv"), ("fil-PH,en;q=0.9", "en"), ("en;q=0,sv;q=0.5", "sv"),
    ("de, en-GB", "en"), ("sv;q=0.5,en;q=0.5", "sv"), ("*", "fi"), ("de", "fi"), ("", "fi"), ("en;q=high", "fi"), ("sv;q=0", "fi")])
def test_the_language_is_the_one_of_ours_that_a_browser_wants_most(accepted: str, language: str) -> None:
    assert language_of(accepted, Language.FINNISH) == language


def test_each_text_is_there_in_the_three_languages() -> None:
    wanted = set(Language)
    assert {key for key, texts in catalogue().items() if set(texts) != wanted or not all(text.strip() for text in texts.values())} == set()


def test_the_three_leave_the_same_gaps_to_be_filled() -> None:
    assert {key: texts for key, texts in catalogue().items() if len({tuple(gaps(text)) for text in texts.values()}) > 1} == {}


def test_each_text_that_a_page_names_is_there() -> None:
    keys = {key for key in named(LITERAL) if key.partition(".")[0] in AREAS and not key.endswith((".html", ".py", ".toml", ".js"))}
    assert keys and keys - set(catalogue()) == set()


def test_no_text_is_left_over() -> None:
    used, beginnings = named(LITERAL), tuple(part if "." in part else f"{part}." for part in named(OPEN))
    assert {key for key in catalogue() if key not in used and not key.startswith(beginnings)} == set()


@pytest.mark.parametrize("area", ENUMERATIONS)
def test_each_word_of_ours_has_its_text_and_no_text_is_of_a_word_that_we_have_not(area: str) -> None:
    words = {word.value for kind in ENUMERATIONS[area] for word in kind}
    texts = {key.partition(".")[2] for key in catalogue() if key.startswith(f"{area}.")}
    assert (words - texts - NEVER_SHOWN.get(area, set()), texts - words) == (set(), set())


def test_each_word_of_a_mistake_has_its_text_and_no_text_is_without_its_use() -> None:
    code = [source.read_text("utf-8") for source in WEB.parent.rglob("*.py")]
    used = {found[1] or found[2] for text in code for found in MISTAKE.finditer(text)}
    texts = {key.partition(".")[2] for key in catalogue() if key.startswith("mistakes.")}
    assert (used - texts, texts - used) == (set(), set()) and len(used) > 40


@pytest.mark.parametrize(("word", "numbers"), [
    ("length", [LONGEST_MINUTES]), ("password-length", [SHORTEST_PASSWORD, LONGEST_PASSWORD]), ("scope-size", [MOST_NAMES]),
    ("hold-text", [holds.LONGEST_TEXT]), ("disclosure-text", [disclosures.LONGEST_TEXT]),
    ("number", [requests.LONGEST_NUMBER, requests.MOST_NUMBERS]), ("session-length", [supervision.SHORTEST, supervision.LONGEST])])
def test_the_limits_that_a_mistake_names_are_those_that_hold(word: str, numbers: list[int]) -> None:
    for text in catalogue()[f"mistakes.{word}"].values():
        assert [int(number) for number in re.findall(r"\d+", text)] == numbers, text


def test_a_mistake_without_a_word_is_told_in_english_and_said_to_be() -> None:
    finnish = Words(Language.FINNISH)
    assert mistake_of(ConfigurationError("it is so", "Mend it."), finnish) == ("it is so. Mend it.", Language.ENGLISH, "")
    assert mistake_of(ConfigurationError("x", mistake="old-search"), finnish) == (
        "Haku on vanhentunut. Tee se uudelleen.", Language.FINNISH, "old-search")


@pytest.mark.parametrize("language", list(Language))
def test_a_text_that_is_filled_has_no_gap_left(language: Language) -> None:
    words = Words(language)
    filled = {key: words(key, **dict.fromkeys(gaps(texts[language]), "…")) for key, texts in catalogue().items()}
    assert {key for key, text in filled.items() if "{" in text or "}" in text} == set()


def test_no_page_says_anything_that_is_not_of_the_words() -> None:
    """Text between tags in a template is code, a name of a language or of a program, or a sign."""
    allowed = {"Suomeksi", "På svenska", "In English"}
    for template in (WEB / "templates").glob("*.html"):
        bare = re.sub(r"{%.*?%}|{#.*?#}|{{.*?}}|\b(ami-bridge|Asterisk|CSV|JSON)\b", "", template.read_text("utf-8"), flags=re.S)
        found = {part.strip() for part in re.sub(r"<[^>]*>", "\n", bare).splitlines()}
        assert {part for part in found if re.search(r"[^\W\d_]{2}", part)} <= allowed, template.name
