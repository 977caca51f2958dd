"""Evidence of what callers are told: proofs, prompts, purposes, contacts (N1, N2, N12); and what the program can do."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

from ami_bridge.core.findings import LOSSES, Kind
from ami_bridge.core.promise_evidence import Prompts, Proved, Texts, Told
from ami_bridge.prompts import PromptStore, Version
from ami_bridge.services.notices import store
from ami_bridge.services.promises_house import OUR_LANGUAGES, House


def proofs(house: House) -> list[Told]:
    """Count the recorded calls of the register by what they were told."""
    with house.reading() as work:
        return work.proofs.told()


def proved(house: House) -> Proved:
    """Look for each version that a proof names in the store."""
    prompts = store(house.config)
    there = {(one.name, one.language, one.version, one.sha256, one.samples): one for one in prompts.versions()}
    named = sorted({told.prompt for told in proofs(house) if told.prompt})
    return Proved(named=len(named),
                  unknown=tuple(_called(one) for one in named if one not in there),
                  changed=tuple(_called(one) for one in named if one in there and not _unchanged(prompts, there[one])))


def _called(prompt: tuple[str, str, int, str, int]) -> str:
    name, language, version, _, _ = prompt
    return f"{name} version {version} in {language}"


def _unchanged(prompts: PromptStore, version: Version) -> bool:
    try:
        return sha256((prompts.directory / f"{version.stem}.wav").read_bytes()).hexdigest() == version.sha256
    except FileNotFoundError:
        return False


def prompts(house: House) -> Prompts:
    """Look at the current notices of every route."""
    prompts = store(house.config)
    there = {(one.name, one.language) for one in prompts.newest()}
    lacking = [f"{route.notice} in {language} (route {route.name})" for route in house.config.policy_routes()
               if route.record and route.notice for language in route.languages if (route.notice, language) not in there]
    return Prompts(there=len(there), lacking=tuple(lacking), harmed=tuple(prompts.check()))


def rogue(house: House) -> int:
    """Count recordings of other programs that were found."""
    return found(house, Kind.ROGUE_RECORDING)


def losses(house: House) -> int:
    """Count calls whose sound was found to be lost."""
    return found(house, *LOSSES)


def found(house: House, *kinds: Kind) -> int:
    """Count findings of some kinds, as far back as findings are kept."""
    with house.reading() as work:
        counts = work.findings.counts(house.now - timedelta(days=house.config.retention.days))
    return sum(counts.get(kind, 0) for kind in kinds)


def purposes(house: House) -> Texts:
    """Look whether the purposes are said in every language."""
    said = house.config.purposes
    missing = tuple(f"[purposes] {language}" for language in house.languages if not said.said(language))
    return Texts(there=len(said.names), missing=missing)


def contacts(house: House) -> Texts:
    """Look whether controller, officer and authority are configured."""
    settings = list(_contacts(house))
    foreign = tuple(one for one in house.config.notice.languages if one not in OUR_LANGUAGES)
    return Texts(there=len(settings), missing=tuple(name for name, value in settings if not value), foreign=foreign)


def _contacts(house: House) -> Iterator[tuple[str, str]]:
    """Yield what the notice needs: the setting, and what it says."""
    controller, authority = house.config.controller, house.config.authority
    yield "[controller] address", controller.address
    yield "[controller] phone or mail", controller.phone or controller.mail
    yield "[controller] data_protection_officer", controller.data_protection_officer
    yield "[authority] phone, mail or web", authority.phone or authority.mail or authority.web
    for language in house.languages:
        yield f"[controller] name or name_{language}", controller.called(language)
        yield f"[authority] {language}", authority.called(language)
        if controller.legal_basis in ("c", "f"):
            yield f"[controller] basis_{language}", controller.basis(language)


GATHERERS: dict[str, Callable[[House], Any]] = {
    "proofs": proofs, "proved-prompts": proved, "prompts": prompts, "rogue-recordings": rogue, "losses": losses,
    "purposes": purposes, "contacts": contacts,
    "listening": lambda house: house.verbs, "exits": lambda house: house.verbs}
