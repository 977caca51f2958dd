"""The nightly destruction, with real databases, real keys and real files."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ami_bridge.certificates import Certificates, verify
from ami_bridge.core.clock import Clock
from ami_bridge.core.entries import Entry
from ami_bridge.core.errors import Busy, KeyMissing, PurgeRefused
from ami_bridge.core.findings import Kind
from ami_bridge.core.gaps import Cause, Gap
from ami_bridge.core.retention import Fate, Why, days_of_keys
from ami_bridge.core.tickets import Ticket
from ami_bridge.register import CallFilter
from ami_bridge.services.holds import Holding, Wish
from ami_bridge.services.purge import Asked, Purge, Report, Rules
from ami_bridge.services.sweep import Sweep
from ami_bridge.vault import day_key
from tests.clocks import clock_at
from tests.samples import FACTS, START, TICKET, wav
from tests.services.test_intake import Place
from tests.services.two_persons import released

END = START + timedelta(seconds=60)
EXPIRES = END + timedelta(days=31)
RULES = Rules(exchange="pbx", days=31, cap=3, small=1000, synchronised=True)
CANARIES = (b"0401234567", "Maija Mäkinen".encode(), b"PJSIP/6001")


class House(Place):
    """A place where calls come in, are held and forgotten."""

    def __init__(self, root: Path, url: str = "", *, furnished: bool = False) -> None:
        root.mkdir(exist_ok=True)
        super().__init__(root, url, furnished=furnished)
        self.root = root
        if not furnished:
            self.keys.make(map(day_key, days_of_keys(START.date() + timedelta(days=31), 9, 0)))
        self.certificates = Certificates(root / "certificates", root / "certificate.key")
        self.certificates.create()
        self.rules = RULES

    def take(self, *numbers: int, **changes) -> None:
        """Take calls in, one a number."""
        for number in numbers:
            ticket: Ticket = replace(TICKET, call=UUID(int=number << 64), recording=UUID(int=(number << 64) + 1), **changes)
            self.put(ticket, FACTS)
            wav(self.spool.audio(ticket.recording))
            self.intake.take(ticket.call)

    def purge(self, now: datetime, **asked) -> Report:
        return self.job(now).run(Asked(**asked))

    def job(self, now: datetime) -> Purge:
        sweep = Sweep(spool=self.spool, days=31)
        return Purge(self.vault, self.register, self.certificates, self.rules, clock_at(now), sweep)

    def hold(self, call: str, now: datetime = EXPIRES - timedelta(days=1), **wish) -> UUID:
        ids = iter([UUID(bytes=os.urandom(16))])
        holding = Holding(self.vault, self.register, lambda: now, lambda at: next(ids))
        return holding.place(Wish(**{"call": call, "reason": "a complaint", "basis": "request 7", "by": "dpo",
                                     "until": EXPIRES + timedelta(days=10), **wish})).id

    def alive(self, now: datetime = START) -> list[Entry]:
        with self.register.reading() as work:
            return work.calls.find(CallFilter(now=now))

    def keys_of_holds(self) -> list[str]:
        return [pair.name for pair in self.keys.pairs() if pair.name.startswith("hold-")]

    def sealed(self) -> list[str]:
        return sorted(file for key in self.vault.keys_in_use() for file in self.vault.files(key))


@pytest.fixture
def house(tmp_path: Path, url: str) -> Iterator[House]:
    house = House(tmp_path / "house", url)
    yield house
    house.register.close()


def test_nothing_younger_than_its_time_is_destroyed_and_everything_older_is(house: House) -> None:
    house.take(1, 2)
    house.take(3, days=32)
    assert house.purge(EXPIRES - timedelta(seconds=1)).calls == 0 and len(house.alive()) == 3
    report = house.purge(EXPIRES)
    assert (report.calls, report.files) == (2, 4) and [entry.id for entry in house.alive()] == [UUID(int=3 << 64)]
    assert house.vault.keys.has_identity("2026-12-24"), "the day is not over, so its key lives"
    house.purge(EXPIRES + timedelta(hours=23))
    assert len(house.alive()) == 1 and not house.vault.keys.has_identity("2026-12-24")
    house.purge(EXPIRES + timedelta(days=1))
    assert house.alive() == [] and house.vault.keys.has_identity("2026-12-25")


def test_a_day_that_is_over_dies_whole_key_files_rows_and_certificate(house: House) -> None:
    house.take(1, 2, 3)
    before = [house.vault.path(file).read_bytes() for file in house.sealed()]
    report = house.purge(datetime(2026, 12, 25, 1, tzinfo=UTC))
    day = next(one for one in report.certificates if one.key == "2026-12-24")
    assert (day.calls, day.files, day.unregistered, day.digests, day.whole) == (3, 6, 0, 6, True)
    assert day.key_fate == "destroyed" and len(day.fingerprint) == 64
    assert house.alive() == [] and house.sealed() == [] and len(before) == 6
    with pytest.raises(KeyMissing):
        house.vault.keys.identity("2026-12-24")
    assert verify(house.certificates.directory) == []


def test_after_the_purge_no_trace_is_left_in_any_file_of_ours(house: House, request: pytest.FixtureRequest) -> None:
    for number in range(1, 200):
        house.take(number)
    house.purge(datetime(2026, 12, 25, 1, tzinfo=UTC))
    files = [path for path in house.root.parent.rglob("*") if path.is_file()]
    assert len(files) > 5
    for canary in CANARIES:
        assert [path for path in files if canary in path.read_bytes()] == []


def test_days_without_calls_die_too_and_what_an_old_backup_brings_back_goes(house: House) -> None:
    house.take(1)
    copies = {file: house.vault.path(file).read_bytes() for file in house.sealed()}
    after = datetime(2026, 12, 25, 1, tzinfo=UTC)
    house.purge(after)
    (house.vault.root / "2026-12-24").mkdir()
    for file, content in copies.items():
        (house.vault.root / file).write_bytes(content)
    with pytest.raises(KeyMissing):
        house.vault.read(next(iter(copies)))
    report = house.purge(after + timedelta(hours=1))
    assert [(one.key, one.files, one.unregistered, one.key_fate) for one in report.certificates] == [("2026-12-24", 2, 2, "not here")]
    assert house.sealed() == [] and verify(house.certificates.directory) == []


def test_a_dry_run_says_the_same_and_does_nothing(house: House) -> None:
    house.take(1)
    later = datetime(2026, 12, 25, 1, tzinfo=UTC)
    dry = house.purge(later, dry=True)
    assert len(house.alive()) == 1 and len(house.sealed()) == 2 and dry.certificates == []
    assert dry.planned == house.purge(later).planned
    assert [one.why for one in dry.planned if one.key == "2026-12-24"] == [Why.DAY_OVER]


def test_too_many_at_once_need_a_person(house: House) -> None:
    house.rules = replace(RULES, small=2, cap=1)
    house.take(*range(1, 4))
    house.take(*range(4, 5), days=40, opened_at=START)
    later = datetime(2026, 12, 25, 1, tzinfo=UTC)
    house.purge(START + timedelta(days=1))
    last = EXPIRES - timedelta(hours=6)
    house.purge(last)
    with pytest.raises(PurgeRefused, match=r"3 calls.*--accept-size 3") as refused:
        house.purge(later)
    assert refused.value.exit_code == 10 and len(house.alive()) == 4
    with pytest.raises(PurgeRefused):
        house.purge(later, accept_size=2)
    assert house.purge(later, accept_size=3).calls == 3


def test_a_clock_that_cannot_be_right_destroys_nothing(house: House) -> None:
    house.take(1)
    job = house.job(END)
    for clock, why in ((Clock(EXPIRES, "a", 1.0, synchronised=False), "not synchronised"),
                       (Clock(START, "a", 1.0, synchronised=True), "earlier than the end of a call")):
        job._clock = lambda clock=clock: clock
        with pytest.raises(PurgeRefused, match=why):
            job.run()
    job._clock = lambda: Clock(END, "boot", 1000.0, synchronised=True)
    job.run()
    job._clock = lambda: Clock(END + timedelta(days=40), "boot", 1600.0, synchronised=True)
    with pytest.raises(PurgeRefused, match="moved by more than five minutes"):
        job.run()
    assert len(house.alive()) == 1 and len(house.sealed()) == 2
    with house.register.reading() as work:
        assert work.destructions.failures_since_success() == 1
    assert job.run(Asked(accept_clock=True)).calls == 1


def test_a_clock_that_was_set_back_destroys_nothing(house: House) -> None:
    house.take(1)
    house.purge(END + timedelta(days=2))
    with pytest.raises(PurgeRefused, match="earlier than at the last run"):
        house.purge(END + timedelta(days=1))


def test_of_two_runs_at_once_the_second_steps_aside(house: House) -> None:
    with house.vault.alone(), pytest.raises(Busy):
        house.purge(EXPIRES)


def test_a_held_call_outlives_its_day_and_dies_with_its_hold(house: House) -> None:
    house.take(1, 2)
    held = house.hold(str(UUID(int=1 << 64)))
    house.purge(datetime(2026, 12, 25, 1, tzinfo=UTC))
    assert house.alive() == [] and not house.vault.keys.has_identity("2026-12-24")
    holding = Holding(house.vault, house.register, lambda: EXPIRES + timedelta(days=2), lambda at: UUID(int=9))
    _, entry = holding.show(str(held))
    assert entry.caller == TICKET.caller
    assert sorted(house.sealed()) == [f"hold-{held}/{UUID(int=1 << 64)}.json.age", f"hold-{held}/{UUID(int=(1 << 64) + 1)}.wav.age",
                                      f"hold-{held}/hold.json.age"]
    report = house.purge(EXPIRES + timedelta(days=10, hours=1))
    assert f"hold-{held}" in [one.key for one in report.certificates]
    assert house.sealed() == [] and not house.vault.keys.has_identity(f"hold-{held}")
    with house.register.reading() as work:
        assert work.holds.all() == []


def test_a_released_hold_dies_at_the_next_run_but_the_call_only_in_its_time(house: House) -> None:
    house.take(1)
    held = house.hold(str(UUID(int=1 << 64)))
    released(house.register, held, EXPIRES - timedelta(hours=20))
    report = house.purge(EXPIRES - timedelta(hours=13))
    assert [one.key for one in report.certificates if one.key.startswith("hold")] == [f"hold-{held}"]
    assert len(house.alive()) == 1 and all(file.startswith("2026-12-24/") for file in house.sealed())


def test_a_hold_without_its_copy_keeps_the_day(house: House) -> None:
    house.take(1)
    held = house.hold(str(UUID(int=1 << 64)))
    house.vault.destroy(list(house.vault.files(f"hold-{held}")))
    report = house.purge(datetime(2026, 12, 25, 1, tzinfo=UTC))
    assert [(one.fate, one.why) for one in report.planned if one.key == "2026-12-24"] == [(Fate.KEEP, Why.HOLD_INCOMPLETE)]
    assert len(house.alive()) == 1 and house.vault.keys.has_identity("2026-12-24")


def test_keys_on_another_host_are_left_to_it_and_the_certificate_says_so(house: House) -> None:
    house.take(1)
    house.vault.keys.private = None
    report = house.purge(datetime(2026, 12, 25, 1, tzinfo=UTC))
    assert {one.key_fate for one in report.certificates} == {"not here"} and house.sealed() == [] and house.alive() == []


def test_the_report_names_nobody(house: House) -> None:
    house.take(1)
    house.purge(datetime(2026, 12, 25, 1, tzinfo=UTC))
    written = b"".join(path.read_bytes() for path in house.certificates.directory.iterdir())
    assert not [canary for canary in CANARIES if canary in written] and str(UUID(int=1 << 64)).encode() not in written


def test_gaps_and_findings_are_forgotten_when_every_call_of_their_time_is(house: House) -> None:
    house.take(1)
    gap = Gap(id=UUID(int=5), exchange="pbx", cause=Cause.LINK_LOST, began_at=START, ended_at=END)
    with house.register.writing() as work:
        work.gaps.keep(gap)
        work.gaps.keep(replace(gap, id=UUID(int=6), ended_at=None))
    assert [one.kind for one in house.findings()] == [Kind.LENGTH_MISMATCH]
    house.purge(EXPIRES - timedelta(days=1))
    assert len(house.findings()) == 1
    house.purge(EXPIRES + timedelta(days=2))
    assert house.findings() == []
    with house.register.reading() as work:
        assert [one.id for one in work.gaps.between(START, END)] == [UUID(int=6)]
