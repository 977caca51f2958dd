"""All SQL for destructions: what was intended, how far it has come, and the runs of the nightly job."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ami_bridge.core.destructions import Intent, Run, RunOutcome, Step
from ami_bridge.register.tables import destructions, runs

RUNS_KEPT = 10_000


class Destructions:
    """Destructions and runs, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, intent: Intent) -> None:
        """Commit to a destruction: from here on it will be finished, whatever happens. RegisterError for a used number."""
        self._connection.execute(destructions.insert(), asdict(intent))

    def advance(self, number: int, step: Step, **changed: Any) -> None:
        """Note that a destruction has come to ``step``, and what was found on the way."""
        change = destructions.update().where(destructions.c.number == number)
        self._connection.execute(change.values(step=step.value, **changed))

    def unfinished(self) -> list[Intent]:
        """Return what was begun and not certified, oldest first."""
        query = select(destructions).where(destructions.c.step != Step.CERTIFIED.value)
        return [_intent(row) for row in self._connection.execute(query.order_by(destructions.c.number))]

    def certified(self, after: int = 0) -> list[Intent]:
        """Return what is certified, from number ``after`` + 1 on."""
        wanted = (destructions.c.step == Step.CERTIFIED.value, destructions.c.number > after)
        return [_intent(row) for row in self._connection.execute(
            select(destructions).where(*wanted).order_by(destructions.c.number))]

    def last_number(self) -> int:
        """Return the highest number in use; 0 when there is none."""
        return self._connection.execute(select(func.coalesce(func.max(destructions.c.number), 0))).scalar_one()

    def record(self, run: Run) -> None:
        """Keep how a run went; very old runs go."""
        done = self._connection.execute(runs.insert(), asdict(run))
        (newest,) = done.inserted_primary_key or (0,)
        self._connection.execute(runs.delete().where(runs.c.id <= newest - RUNS_KEPT))

    def last_run(self) -> Run | None:
        """Return the latest run."""
        row = self._connection.execute(select(runs).order_by(runs.c.id.desc()).limit(1)).first()
        return _run(row) if row else None

    def last_success(self) -> datetime | None:
        """Return when the latest good run ended."""
        query = select(runs.c.finished_at).where(runs.c.outcome == RunOutcome.DONE.value).order_by(runs.c.id.desc()).limit(1)
        return self._connection.execute(query).scalar()

    def failures_since_success(self) -> int:
        """Return how many runs failed or were refused since the last good one."""
        good = select(func.coalesce(func.max(runs.c.id), 0)).where(runs.c.outcome == RunOutcome.DONE.value).scalar_subquery()
        return self._connection.execute(select(func.count()).select_from(runs).where(runs.c.id > good)).scalar_one()


def _intent(row: Row) -> Intent:
    return Intent(**row._asdict() | {"step": Step(row.step)})


def _run(row: Row) -> Run:
    return Run(started_at=row.started_at, finished_at=row.finished_at, outcome=RunOutcome(row.outcome), boot=row.boot,
               since_boot=row.since_boot)
