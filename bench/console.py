"""The console among a million entries: how long a page takes, beside the same question put to the database by hand.

The pages are asked for over TLS by another process, and each is recorded in the trail before it is sent; the SQL is one
SELECT: what lies between the two is what the console costs. Everything lies in memory; no disk is waited for.
"""

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ami_bridge.app import people, vault_of
from ami_bridge.core.duties import Duty
from ami_bridge.core.entries import Entry
from ami_bridge.register import CallFilter, Place
from ami_bridge.web.sessions import Session
from ami_bridge.web.terms import place_as_text
from ami_bridge.web.visit import COOKIE
from bench.asking import Ask, Request, ask
from bench.filling import agent_of, calls_of, fill, number_of, rows
from bench.pbx import memory_folder
from bench.questions import EVERYWHERE, LIMITED, Question, by_hand, questions
from bench.report import Figure, Limit, percentile
from bench.search import as_autovacuum_does
from tests import postgresql
from tests.cli.machine import Machine
from tests.ports import free_port
from tests.web.console import Console, console
from tests.web.recordings import record, tone

DAYS = 31
WANTED_MS = 10.0
WARMING = 20
PATIENCE = 20.0
"""Seconds after which the peer is not asked again."""

AT_ONCE = 8
SOUND_SECONDS = 120.0
PIECE = "bytes=960000-1440000"
"""Half a minute of sound, from the middle."""


class Load(NamedTuple):
    """How much is in the register, and how much is asked."""

    entries: int
    requests: int


def run(*, quick: bool) -> Iterator[Limit]:
    """Give the time of all but one of a hundred answers."""
    load = Load(100_000, 60) if quick else Load(1_000_000, 300)
    yield from measured("", "SQLite", load)
    programs = postgresql.binaries()
    if programs:
        with postgresql.running(programs, in_memory=True) as server:
            yield from measured(server.make("bench"), "PostgreSQL", load)


def measured(url: str, name: str, load: Load) -> Iterator[Limit]:
    """Fill the register of a console and ask it."""
    where = f"{load.entries} entries, {name}"
    with office(url, load.entries) as (running, asked):
        for question in asked:
            yield answered(running, question, load.requests, where)
        yield from of_a_call(running, load.requests, where)
        yield crowded(running, asked[0], load.requests, where)


@contextmanager
def office(url: str, entries: int) -> Iterator[tuple[Console, list[Question]]]:
    """Run a console with so many entries; give it, and what it shall be asked."""
    folder = memory_folder()
    settings = {"AMI_BRIDGE__AMI__PORT": str(free_port()), "AMI_BRIDGE__AGI__PORT": str(free_port()),
                "AMI_BRIDGE__EXCHANGE__CONFIGURATION": str(folder / "none")}
    machine = Machine(folder, settings | ({"AMI_BRIDGE__REGISTER__URL": url} if url else {}))
    machine.said("init", "--directory", str(folder / "state"))
    now = datetime.now(UTC)
    try:
        with console(machine) as running:
            running.employ(EVERYWHERE, LIMITED)
            fill(running.register, rows(entries, DAYS), now.replace(hour=1, minute=0) + timedelta(days=1))
            as_autovacuum_does(running.register)
            a_day = entries // DAYS
            some = [call for day in range(DAYS) for call in calls_of(day, a_day)[:: a_day // 10]]
            yield running, questions(now, [number_of(call) for call in some], sorted({agent_of(call)[0] for call in some}),
                                     far_down(running, now))
    finally:
        shutil.rmtree(folder)


def far_down(running: Console, now: datetime) -> Place:
    """Return the place of a call that began 25 days ago."""
    with running.register.reading() as work:
        (entry,) = work.calls.find(CallFilter(now=now, until=now - timedelta(days=25), limit=1))
    return Place(entry.started_at, entry.id)


def answered(running: Console, question: Question, count: int, where: str) -> Limit:
    """Ask for the page, then the database for the same."""
    times = asked_by(running, question, count, clients=1)
    numbers = itertools.count()
    theirs = times_of(lambda: by_hand(running.register, question, running.house.now(), next(numbers)), count)
    return beside(f"console, {question.name}, {where}", times, theirs, "SQL by hand")


def asked_by(running: Console, question: Question, count: int, clients: int) -> list[float]:
    """Return the milliseconds of the pages of a search, asked for by so many clients at once."""
    if question.scope is not None:
        people(running.config, running.register, "os:bench").grant(question.login, Duty.LISTENER, question.scope)
    cookie, session = signed_in(running, question.login)
    after = f"&after={place_as_text(question.after)}" if question.after else ""
    words = [session.keep_search(terms) for terms in question.terms[:40]]
    paths = [f"/calls?search={words[number % len(words)]}{after}" for number in range(WARMING + count)]
    return asking(running, [Request(path, cookie) for path in paths], clients)


def of_a_call(running: Console, count: int, where: str) -> Iterator[Limit]:
    """Ask for the page of a call with two minutes of sound, and for a part of that; then register and vault for the same."""
    entry = record(running, tone(SOUND_SECONDS))
    cookie, session = signed_in(running, EVERYWHERE)
    session.purposes[entry.id] = running.config.purposes.names[0]
    pages = asking(running, [Request(f"/calls/{entry.id}", cookie)] * (WARMING + count // 4), 1)
    bare = times_of(lambda: looked_up(running, entry), count)
    yield beside(f"console, a call's page, {where}", pages, bare, "the bare register")
    (recording,) = entry.recordings
    wanted = Request(f"/calls/{entry.id}/recordings/{recording.id}/audio", cookie | {"Range": PIECE}, status=206)
    yield beside(f"console, half a minute of sound, {where}", asking(running, [wanted] * (WARMING + count), 1),
                 times_of(lambda: opened(running, entry), count), "the bare vault")


def crowded(running: Console, question: Question, count: int, where: str) -> Limit:
    """Ask for the same page from several clients at once."""
    begun = time.perf_counter()
    times = asked_by(running, question, count, clients=AT_ONCE)
    rate = (count + WARMING) / (time.perf_counter() - begun)
    return Limit(name=f"console, {question.name}, {AT_ONCE} clients at once, {where}", unit="ms (p99)",
                 ours=Figure(percentile(times, 0.99)), wanted=WANTED_MS,
                 remark=f"p50 {percentile(times, 0.5):.1f} ms, {rate:.0f} pages/s")


def beside(name: str, ours: list[float], peer: list[float], peer_name: str) -> Limit:
    """Put our times beside the peer's."""
    half, theirs = percentile(ours, 0.5), percentile(peer, 0.5)
    return Limit(name=name, unit="ms (p99)", ours=Figure(percentile(ours, 0.99)), wanted=WANTED_MS, remark=(
        f"p50 {half:.1f} ms; {peer_name}: p50 {theirs:.1f}, p99 {percentile(peer, 0.99):.1f} ms; ratio {half / theirs:.2f}"))


def signed_in(running: Console, login: str) -> tuple[dict[str, str], Session]:
    """Return what a browser sends in a new session, and the session."""
    token, session = running.house.sessions.begin(running.account(login), bearer=False)
    return {"Cookie": f"{COOKIE}={token}"}, session


def asking(running: Console, requests: list[Request], clients: int) -> list[float]:
    """Have the requests put; return the milliseconds of all but each client's first."""
    found = ask(Ask(running.config.console.port, str(running.authority), clients, requests))
    return found[WARMING:] if clients == 1 else found


def looked_up(running: Console, entry: Entry) -> None:
    """Read a call from the register."""
    with running.register.reading() as work:
        work.calls.get(str(entry.id), running.house.now())


def opened(running: Console, entry: Entry) -> None:
    """Open the same part of the recording."""
    (recording,) = entry.recordings
    assert recording.audio
    with vault_of(running.config).reader(recording.audio.file) as sound:
        sound.read(960_000, 480_001)


def times_of(work: Callable[[], object], count: int) -> list[float]:
    """Return how long it takes each time, in milliseconds; fewer times, where all would take longer than PATIENCE."""
    found: list[float] = []
    while len(found) < count and sum(found) < PATIENCE * 1000:
        found.append(clocked(work))
    return found


def clocked(work: Callable[[], object]) -> float:
    """Return how long it takes, in milliseconds."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
