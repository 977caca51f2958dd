"""The letter to a caller who asked: what was found, what it is used for, how long it stays, and their rights.

What it must say: GDPR, articles 12 and 15(1). One content for the page and for the PDF; nothing of it on a disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ami_bridge.config import Config
from ami_bridge.core.accounts import Language
from ami_bridge.core.entries import Entry
from ami_bridge.core.requests import Answer
from ami_bridge.services.notice_text import NO_OFFICER
from ami_bridge.services.subject_requests import CallOf, Dossier
from ami_bridge.web.times import day_in
from ami_bridge.web.words import Words

ANSWERED = {Answer.COPY: "copy", Answer.TRANSCRIPT: "transcript", Answer.HEARD_OFFERED: "heard",
            Answer.RESTRICTED: "restricted", Answer.ERASED: "erased", Answer.KEPT: "kept"}

Facts = tuple[tuple[str, str], ...]
"""Names and values, in order."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the letter: a heading, paragraphs, and lists of facts."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[Facts, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter. ``appendices`` begin a page each."""

    language: Language
    title: str
    head: Facts
    sections: tuple[Section, ...]
    appendices: tuple[Section, ...]


def written(dossier: Dossier, config: Config, language: Language, now: datetime) -> Letter:
    """Return the letter that answers a request, in a language."""
    return _Writing(dossier, config, language).letter(now)


class _Writing:
    def __init__(self, dossier: Dossier, config: Config, language: Language) -> None:
        self._dossier, self._config, self._language = dossier, config, language
        self._t = Words(language)
        self._theirs = [one for one in dossier.calls if one.found.answer is not Answer.OTHERS]

    def letter(self, now: datetime) -> Letter:
        sections = (self._found(), self._calls(), self._purposes(), self._retention(), self._rights(), self._contact())
        return Letter(self._language, self._t(f"letter.title_{self._dossier.request.kind}"), self._head(now),
                      tuple(section for section in sections if section), tuple(self._transcripts()))

    def _head(self, now: datetime) -> Facts:
        request, controller = self._dossier.request, self._config.controller
        to = "\n".join(part for part in (request.name, request.contact) if part)
        sender = f"{controller.called(self._language)}\n{controller.address}".strip()
        return self._named(("from", sender), ("to", to), ("day", self._day(now)), ("reference", str(request.id)))

    def _found(self) -> Section:
        request = self._dossier.request
        said = [self._t("letter.received", day=self._day(request.received_at)),
                self._t("letter.searched", numbers=", ".join(request.numbers))]
        if request.extension:
            reason = self._t.of("request_extensions", request.extension)
            said.append(self._t("letter.extended", reason=reason, day=self._day(self._dossier.last_day)))
        if not self._theirs:
            said.append(self._t("letter.nothing"))
        return Section("", tuple(said))

    def _calls(self) -> Section | None:
        items = tuple(self._call(one) for one in self._theirs if one.found.answer is not Answer.NONE)
        return Section(self._t("letter.calls"), (), items) if items else None

    def _call(self, one: CallOf) -> Facts:
        answer = ("answered", self._t(f"letter.answer_{ANSWERED[one.found.answer]}"))
        return self._named(*(self._of(one.entry) if one.entry else [("reference", str(one.found.call))]), answer)

    def _of(self, entry: Entry) -> list[tuple[str, str]]:
        agents = ", ".join(dict.fromkeys(party.name for party in entry.participants if party.name))
        withheld = self._t("requests.withheld")
        seconds = round(entry.seconds)
        return [("began", self._when(entry.started_at)), ("direction", self._t.of("directions", entry.direction)),
                ("caller", entry.caller or withheld), ("callee", entry.callee or withheld), ("agents", agents),
                ("length", f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}")]

    def _purposes(self) -> Section:
        said = self._config.purposes.said(self._language) or self._config.purposes.names
        return Section(self._t("letter.purposes"), (*(f"- {one}" for one in said), self._t("letter.source")))

    def _retention(self) -> Section:
        return Section(self._t("letter.retention"), (self._t("letter.retention_text", days=self._config.retention.days),))

    def _rights(self) -> Section:
        authority = self._config.authority
        reach = ", ".join(filter(None, (authority.called(self._language), authority.phone, authority.mail, authority.web)))
        said = self._t("letter.rights_text"), self._t("letter.complain", authority=reach)
        return Section(self._t("letter.rights"), said)

    def _contact(self) -> Section:
        controller = self._config.controller
        officer = controller.data_protection_officer
        reach = controller.called(self._language), controller.address, controller.phone, controller.mail
        said = [", ".join(filter(None, reach))]
        if officer and officer != NO_OFFICER:
            said.append(self._t("letter.officer", officer=officer))
        return Section(self._t("letter.contact"), tuple(filter(None, said)))

    def _transcripts(self) -> Iterator[Section]:
        for one in self._theirs:
            if one.found.answer is Answer.TRANSCRIPT and one.found.transcript:
                at = self._when(one.entry.started_at) if one.entry else str(one.found.call)
                yield Section(self._t("letter.appendix", at=at), tuple(one.found.transcript.splitlines()))

    def _named(self, *facts: tuple[str, str]) -> Facts:
        return tuple((self._t(f"letter.{name}"), value) for name, value in facts if value)

    def _day(self, at: datetime) -> str:
        return day_in(at.astimezone(self._zone), self._language)

    def _when(self, at: datetime) -> str:
        there = at.astimezone(self._zone)
        return f"{self._day(at)} {there:%H:%M}" if self._language is Language.ENGLISH else f"{self._day(at)} {there:%H.%M}"

    @property
    def _zone(self) -> ZoneInfo:
        return self._config.controller.zone
