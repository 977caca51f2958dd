"""All SQL that counts proofs of notice: no number and no name comes out."""

from sqlalchemy import Connection, and_, func, select

from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.promise_evidence import Told
from ami_bridge.core.recordings import KEPT
from ami_bridge.register.tables import calls, notice_proofs, recordings


class Proofs:
    """What recorded calls were told, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def told(self) -> list[Told]:
        """Return how many calls with sound have the same reason, direction and proof; all calls are counted."""
        proof = notice_proofs.c
        named = (proof.prompt, proof.language, proof.version, proof.sha256, proof.samples)
        whole = and_(proof.heard_samples >= proof.samples, proof.samples > 0)
        by = (calls.c.reason, calls.c.direction, *named, whole.label("whole"))
        of_call = and_(proof.expiry_day == calls.c.expiry_day, proof.call_id == calls.c.id)
        sound = select(recordings.c.id).where(
            recordings.c.expiry_day == calls.c.expiry_day, recordings.c.call_id == calls.c.id,
            recordings.c.state.in_([state.value for state in KEPT])).exists()
        query = select(*by, func.count()).select_from(calls.outerjoin(notice_proofs, of_call)).where(sound).group_by(*by)
        return [_told(*row) for row in self._connection.execute(query)]


def _told(reason: str, direction: str, prompt: str | None, language: str, version: int, sha256: str, samples: int,
          whole: bool | None, count: int) -> Told:
    named = None if prompt is None else (prompt, language, version, sha256, samples)
    return Told(reason=Reason(reason), direction=Direction(direction), prompt=named, whole=bool(whole), calls=count)
