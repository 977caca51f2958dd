"""All SQL of the directory: who used which device, from when to when."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from ami_bridge.core.errors import RegisterError
from ami_bridge.core.ids import aware
from ami_bridge.core.parties import Agent
from ami_bridge.register.engine import serialise
from ami_bridge.register.tables import agents

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
WRITING = 0x6167656E74730000
HINT = "Give the earlier line an end (valid_to) that is not after the beginning of the later one."


class Agents:
    """The directory, within one transaction. ``exchange`` empty: the lines that hold on every exchange."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, given: Collection[Agent], exchange: str = "") -> int:
        """Add lines, or change those of the same key and beginning; return how many are new or changed.

        RegisterError naming the device when two people would have it at one moment; then nothing is changed.
        """
        serialise(self._connection, WRITING)
        known = {slot(agent): agent for agent in self._lines(agents.c.exchange == exchange)}
        wanted = set(given)
        replaced = {slot(agent) for agent in wanted}
        refuse_overlap([*wanted, *(agent for place, agent in known.items() if place not in replaced)])
        new = wanted - set(known.values())
        for agent in new:
            self._write(agent, exchange, slot(agent) in known)
        return len(new)

    def all(self, exchange: str = "") -> list[Agent]:
        """Return the directory as ``exchange`` sees it: its own lines first, by key and time."""
        return self._lines(agents.c.exchange.in_({exchange, ""}))

    def spelled(self, name: str) -> str:
        """Return a name as the directory writes it, whatever its capital letters; the name itself where nobody has it."""
        names = set(self._connection.execute(select(agents.c.name).distinct()).scalars())
        return name if name in names else min((one for one in names if one.casefold() == name.casefold()), default=name)

    def at(self, moment: datetime, exchange: str = "") -> list[Agent]:
        """Return the lines that hold at ``moment`` (aware), in the order of ``all``."""
        begun = agents.c.valid_from <= aware(moment)
        lasting = or_(agents.c.valid_to.is_(None), agents.c.valid_to > moment)
        return self._lines(and_(agents.c.exchange.in_({exchange, ""}), begun, lasting))

    def _lines(self, condition: ColumnElement[bool]) -> list[Agent]:
        order = (agents.c.exchange.desc(), agents.c.key, agents.c.valid_from)
        return [_agent(row) for row in self._connection.execute(select(agents).where(condition).order_by(*order))]

    def _write(self, agent: Agent, exchange: str, known: bool) -> None:
        key = {"exchange": exchange, "key": agent.key, "valid_from": agent.valid_from or BEGINNING}
        values = {"name": agent.name, "team": agent.team, "valid_to": agent.valid_to}
        if known:
            self._connection.execute(agents.update().filter_by(**key).values(values))
        else:
            self._connection.execute(agents.insert().values(**key, **values))


def slot(agent: Agent) -> tuple[str, datetime]:
    """Return what a line is known by: the device and the beginning of its span."""
    return agent.key, aware(agent.valid_from or BEGINNING)


def refuse_overlap(lines: list[Agent]) -> None:
    """Refuse lines of one device whose spans overlap, and a span that ends before it begins (RegisterError)."""
    free_from: dict[str, datetime] = {}
    for agent in sorted(lines, key=slot):
        begin, end = slot(agent)[1], aware(agent.valid_to or END)
        if end <= begin:
            raise RegisterError(f"the directory gives {agent.key} a span that ends before it begins", HINT)
        if begin < free_from.get(agent.key, BEGINNING):
            raise RegisterError(f"the directory gives {agent.key} to two people at one time", HINT)
        free_from[agent.key] = end


def _agent(row: Row) -> Agent:
    begin = None if row.valid_from == BEGINNING else row.valid_from
    return Agent(key=row.key, name=row.name, team=row.team, valid_from=begin, valid_to=row.valid_to)
