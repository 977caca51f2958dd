"""Who answers for the recordings, what for, and who watches over it: what the privacy notice says of them."""

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from ami_bridge.config import kinds
from ami_bridge.config.section import Section


class Controller(Section):
    """Who answers for the recordings. All but `time_zone` stands in the privacy notice, or decides what it says."""

    name: kinds.Words = Field("", description="The organisation, as callers know it.")
    name_fi: kinds.Words = Field("", description="Its name in Finnish. Empty: `name`.")
    name_sv: kinds.Words = Field("", description="Its name in Swedish. Empty: `name`.")
    name_en: kinds.Words = Field("", description="Its name in English. Empty: `name`.")
    address: kinds.Words = Field("", description="Its postal address.")
    phone: kinds.Words = Field("", description="Its telephone number. The notice needs this or `mail`.")
    mail: kinds.Words = Field("", description="Its mail address.")
    data_protection_officer: kinds.Words = Field("", description=(
        "How to reach the data protection officer: mail or telephone, a name if you like. `none`: there is none, nor need "
        "be."))
    legal_basis: Literal["a", "b", "c", "e", "f"] = Field("e", description=(
        "The letter of GDPR article 6(1): `a` consent, `b` contract, `c` legal obligation, `e` public task, `f` legitimate "
        "interest. The rights that the notice names follow from it."))
    basis_fi: kinds.Words = Field("", description=(
        "In Finnish: the statute behind it, or the interest. Needed where it is `c` or `f`."))
    basis_sv: kinds.Words = Field("", description="The same in Swedish.")
    basis_en: kinds.Words = Field("", description="The same in English.")
    processors: kinds.WordList = Field((), description=(
        "Who handles recordings on the controller's behalf (a hosting company), one text each."))
    endpoints: kinds.Endpoints = Field((), description=(
        "Hosts, addresses and networks (`10.1.0.0/16`) that the controller vouches to be in the EU or EEA. The register, "
        "the mail server and the manager interface must be on this machine or among these."))
    published: kinds.OptionalPath = Field(None, description=(
        "Folder where the notice is published, as `notice-text --publish` writes it: `notice-check` compares. Not set: it "
        "cannot."))
    time_zone: kinds.Zone = Field(
        "Europe/Helsinki", description="Times on screen and dates in commands are of this zone. Kept are UTC times.")

    @property
    def zone(self) -> ZoneInfo:
        """Return the controller's time zone."""
        return ZoneInfo(self.time_zone)

    def called(self, language: str) -> str:
        """Return the controller's name in a language."""
        return str(getattr(self, f"name_{language}", "") or self.name)

    def basis(self, language: str) -> str:
        """Return the statute or the interest behind the legal basis, in a language; empty when none is configured."""
        return str(getattr(self, f"basis_{language}", ""))


class Purposes(Section):
    """What recordings are used for, and nothing else. The lists run in parallel: one purpose, one place in each."""

    names: kinds.PurposeNames = Field(("service", "training"), min_length=1, description=(
        "A short name of each: small letters, digits and `-`."))
    fi: kinds.WordList = Field(("palvelumme toimivuuden varmistaminen", "henkilöstön koulutus"), description=(
        "The purposes in Finnish, as the notice lists them."))
    sv: kinds.WordList = Field(("att säkerställa att vår tjänst fungerar", "att utbilda personalen"), description=(
        "The same in Swedish."))
    en: kinds.WordList = Field(("verifying that our service works", "training our staff"), description=(
        "The same in English."))

    @model_validator(mode="after")
    def _in_parallel(self) -> "Purposes":
        for language in ("fi", "sv", "en"):
            texts = self.said(language)
            if texts and len(texts) != len(self.names):
                raise ValueError(f"{language} has {len(texts)} texts for {len(self.names)} names; "
                                 "give one for each, or none")
        return self

    def said(self, language: str) -> tuple[str, ...]:
        """Return the purposes in a language; none where they are not said in it."""
        return tuple(getattr(self, language, ()))


class Authority(Section):
    """The supervisory authority, to which a caller may complain. The defaults are Finland's."""

    fi: kinds.Words = Field("Tietosuojavaltuutetun toimisto, PL 800, 00531 Helsinki", description=(
        "Its name and postal address in Finnish."))
    sv: kinds.Words = Field("Dataombudsmannens byrå, PB 800, 00531 Helsingfors", description="The same in Swedish.")
    en: kinds.Words = Field("Office of the Data Protection Ombudsman, P.O. Box 800, FI-00531 Helsinki, Finland",
                            description="The same in English.")
    phone: kinds.Words = Field("+358 29 566 6700", description="Its telephone number.")
    mail: kinds.Words = Field("tietosuoja@om.fi", description="Its mail address.")
    web: kinds.Words = Field("https://tietosuoja.fi", description="Its web site.")

    def called(self, language: str) -> str:
        """Return name and address in a language; empty when they are not said in it."""
        return str(getattr(self, language, ""))
