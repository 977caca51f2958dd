"""Officers who answer callers, on one register, vault and set of certificates, with a clock of their own."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from ami_bridge.core.accounts import Account, Language
from ami_bridge.core.audit import AuditEntry, Link
from ami_bridge.core.duties import Duty
from ami_bridge.core.requests import Answer, FoundCall, Identity, Kind, Outcome, SubjectRequest
from ami_bridge.services.agreeing import Agreeing
from ami_bridge.services.destroying import Destroying
from ami_bridge.services.erasing import Erasing
from ami_bridge.services.holds import Holding
from ami_bridge.services.listen import Listen
from ami_bridge.services.releasing import release_agreed
from ami_bridge.services.request_closing import close, close_agreed
from ami_bridge.services.request_search import RequestSearch, Searched
from ami_bridge.services.rights import Rights
from ami_bridge.services.subject_requests import Application, SubjectRequests
from ami_bridge.services.supervising import Supervising
from ami_bridge.services.trail import Trail
from tests.samples import TICKET
from tests.services.test_purge import House

OUTI, SEPPO, KAISA, LAURI = "outi", "seppo", "kaisa", "lauri"
DUTIES = {OUTI: Duty.DATA_PROTECTION_OFFICER, SEPPO: Duty.DATA_PROTECTION_OFFICER, KAISA: Duty.RETENTION_OFFICER,
          LAURI: Duty.LISTENER}
HELSINKI = ZoneInfo("Europe/Helsinki")


def some_id(at: datetime) -> UUID:
    return UUID(bytes=os.urandom(16))


class Bureau:
    """Each service, on behalf of somebody, at ``now``. ``waited``: the seconds that a search waited for a purge."""

    def __init__(self, house: House, now: datetime, *, staffed: bool = False) -> None:
        self.house, self.now, self.waited = house, now, []
        for number, (login, duty) in enumerate(() if staffed else DUTIES.items(), 1):
            account = Account(id=UUID(int=number), login=login, name=login.title(), language=Language.ENGLISH, created_at=now)
            with house.register.writing() as work:
                work.accounts.add(account)
                work.accounts.change(account.id, clearance_until=now + timedelta(days=400))
                work.accounts.grant(account.id, duty)

    def rights(self, who: str) -> Rights:
        with self.house.register.reading() as work:
            account = work.accounts.named(who)
        assert account
        traces = Trail(self.house.register, f"account:{account.id}", lambda: self.now, lambda alarm: None)
        return Rights(account, traces, ("training",), lambda: self.now)

    def agreeing(self, who: str) -> Agreeing:
        return Agreeing(self.house.register, self.rights(who), lambda: self.now, some_id, (release_agreed, close_agreed))

    def requests(self, who: str = OUTI) -> SubjectRequests:
        return SubjectRequests(self.house.register, self.house.vault, self.rights(who), self.agreeing(who), HELSINKI,
                               lambda: self.now, some_id)

    def open(self, kind: Kind = Kind.ACCESS, who: str = OUTI, **changes) -> SubjectRequest:
        asked = {"kind": kind, "received_at": self.now, "identity": Identity.STRONG, "name": "Maija Meikäläinen",
                 "numbers": (TICKET.caller,), "contact": "maija@example.net"}
        return self.requests(who).open(Application(**asked | changes))

    def search(self, request: SubjectRequest, who: str = OUTI, wait: Callable[[float], None] | None = None) -> Searched:
        return self.searching(who, wait).search(request.id)

    def searching(self, who: str = OUTI, wait: Callable[[float], None] | None = None) -> RequestSearch:
        rights = self.rights(who)
        holding = Holding(self.house.vault, self.house.register, lambda: self.now, some_id, rights.trail.within)
        return RequestSearch(self.house.register, self.house.vault, holding, rights, HELSINKI, lambda: self.now,
                             wait or self.waited.append)

    def listen(self, who: str = OUTI) -> Listen:
        return Listen(self.house.register, self.house.vault, self.rights(who), lambda: self.now)

    def answer(self, request: SubjectRequest, answer: Answer = Answer.TRANSCRIPT, outcome: Outcome = Outcome.GRANTED) -> None:
        for one in self.calls(request):
            if one.answer is Answer.NONE:
                self.requests().answer(request.id, one.call, answer, "Hei.", verbatim=True)
        self.requests().settle(request.id, outcome)

    def close(self, request: SubjectRequest) -> None:
        """Have two officers close it."""
        close(self.agreeing(OUTI), request.id)
        close(self.agreeing(SEPPO), request.id)

    def erasing(self, who: str = OUTI) -> Erasing:
        destroying = Destroying(self.house.vault, self.house.register, self.house.certificates, "pbx", 31, lambda: self.now)
        return Erasing(self.house.register, self.house.vault, self.agreeing(who), destroying)

    def agree(self, request: SubjectRequest, who: str = SEPPO) -> None:
        """Have somebody agree to what is proposed for a request."""
        with self.house.register.reading() as work:
            waiting = next(one for one in work.proposals.since(self.now - timedelta(days=30)) if one.object == str(request.id))
        self.agreeing(who).approve(waiting.id)

    def supervising(self, who: str = OUTI) -> Supervising:
        return Supervising(self.house.register, self.house.vault, self.rights(who), lambda: self.now, some_id)

    def calls(self, request: SubjectRequest) -> list[FoundCall]:
        with self.house.register.reading() as work:
            return work.requests.calls(request.id)

    def kept(self, request: SubjectRequest) -> SubjectRequest:
        with self.house.register.reading() as work:
            found = work.requests.get(request.id)
        assert found
        return found

    def holds(self) -> int:
        with self.house.register.reading() as work:
            return sum(hold.active(self.now) for hold in work.holds.all())

    def trail(self, *actions: str) -> list[AuditEntry]:
        with self.house.register.reading() as work:
            entries = [place.entry for place in work.audit.places() if isinstance(place, Link)]
        return [one for one in entries if not actions or one.action in actions]
