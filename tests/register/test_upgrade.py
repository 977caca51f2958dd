"""A register of every earlier version, with all that it can hold, is brought to ours; wholly or not at all."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from ami_bridge.core.actions import Action
from ami_bridge.core.audit import Trace
from ami_bridge.core.audit_check import Finding, verify
from ami_bridge.core.errors import RegisterError
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Participant
from ami_bridge.register import CallFilter, Register, RegisterUnavailable, schema, upgrading
from tests.register.older import (
    LATER,
    NOON,
    OTHER,
    SINCE_CALLS,
    VERSIONS,
    Kept,
    engine,
    entry,
    filled,
    insert,
    number,
    proof,
)

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def read(url: str) -> Kept:
    """Return all that a register of our version holds, by its own reader."""
    with closing(Register.open(url)) as register, register.reading() as work:
        found = work.calls.find(CallFilter(now=LATER))
        run = work.destructions.last_run()
        return Kept(entries=sorted(found, key=lambda call: call.id), agents=work.agents.all("helsinki"), holds=work.holds.all(),
                    intents=work.destructions.certified(), runs=[run] if run else [], gaps=work.gaps.between(BEGINNING, LATER),
                    findings=work.findings.since(BEGINNING), accounts=work.accounts.all(), trail=list(work.audit.places()),
                    forgotten=work.audit.checkpoint())


def revision(url: str) -> str | None:
    with engine(url) as used, used.connect() as connection:
        return schema.found_revision(connection)


@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_an_earlier_version_held_is_read_by_ours(empty_url: str, version: str) -> None:
    with filled(empty_url, version) as held:
        done = upgrading.upgrade(empty_url)
    assert done.found == version and [step for step, _ in done.steps] == [later for later in VERSIONS if later > version]
    now = read(empty_url)
    assert now == held
    assert len(now.entries) == {"0001": 0, "0002": 5, "0003": 6, "0004": 7, "0005": 7, "0006": 8, "0007": 8}.get(version, 9)
    assert (len(now.accounts), len(now.trail)) == ((2, 3) if version >= "0007" else (0, 0))


@pytest.mark.parametrize("version", [version for version in VERSIONS if version >= "0007"])
def test_the_trail_of_an_upgraded_register_is_whole_and_goes_on_and_still_nobody_changes_it(empty_url: str, version: str) -> None:
    with filled(empty_url, version) as held:
        upgrading.upgrade(empty_url)
    with closing(Register.open(empty_url)) as register:
        with register.writing() as work:
            new = work.audit.leave(Trace(actor="daemon", action=Action.CALLS_SEARCHED), LATER)
        with register.reading() as work:
            found = verify(work.audit.places, [], work.audit.checkpoint()[0])
    assert (new.entry.number, new.previous) == (6, held.trail[-1].digest) and (found.finding, found.entries) == (Finding.WHOLE, 4)
    with engine(empty_url) as used:
        for change in ("UPDATE audit_entries SET actor = 'os:x'", "DELETE FROM audit_entries WHERE number = 6", "DELETE FROM audit_checkpoints"):
            with pytest.raises(IntegrityError), used.begin() as connection:
                connection.execute(text(change))


@pytest.mark.parametrize("version", SINCE_CALLS)
def test_an_upgraded_register_takes_what_only_ours_can_say_on_a_day_it_had_already(empty_url: str, version: str) -> None:
    with filled(empty_url, version):
        upgrading.upgrade(empty_url)
    agent = Participant(interface="PJSIP/6001", name="Inkeri", team="Palvelu", joined_at=NOON, left_at=LATER)
    new = entry(50, reason=Reason.OPTED_OUT, notice=proof("9"), queue="tuki", participants=(agent,))
    with closing(Register.open(empty_url)) as register:
        with register.writing() as work:
            assert work.calls.add(new, OTHER) and not work.calls.add(replace(new, route="another"), OTHER)
        with register.reading() as work:
            found = work.calls.find(CallFilter(now=LATER, number="040 123 4567"))
        assert new in found and entry(4).id in {call.id for call in found}


@pytest.mark.parametrize("version", SINCE_CALLS)
def test_an_upgraded_register_is_as_a_new_one_with_its_conditions_and_its_trigger(empty_url: str, version: str) -> None:
    with filled(empty_url, version):
        upgrading.upgrade(empty_url)
    with engine(empty_url) as used:
        with used.connect() as connection:
            assert upgrading.differences(connection) == []
        wrong = [f"UPDATE calls SET {change}" for change in ("expires_at = '2030-01-01T00:00:00.000000+00:00'", "reason = 'because'")]
        for statement in [*wrong, "UPDATE findings SET kind = 'x'", "UPDATE recordings SET state = 'x'"]:
            if version < "0003" and "findings" in statement:
                continue
            with pytest.raises(IntegrityError), used.begin() as connection:
                connection.execute(text(statement))


@pytest.mark.parametrize("version", [None, *VERSIONS])
def test_a_dry_run_says_what_would_be_done_and_changes_nothing(empty_url: str, version: str | None) -> None:
    if version:
        with filled(empty_url, version):
            pass
    said = upgrading.plan(empty_url)
    assert said.found == version == revision(empty_url)
    assert said == upgrading.upgrade(empty_url)
    assert upgrading.plan(empty_url).steps == ()


def test_each_step_says_what_it_is_for(empty_url: str) -> None:
    steps = dict(upgrading.plan(empty_url).steps)
    assert steps["0003"] == "Gaps and findings; calls that were not recorded because the disk was full."
    assert all(steps[version].endswith((".", ";")) or "\n" not in steps[version] for version in VERSIONS)


def test_unsealed_calls_of_the_first_version_are_not_carried_over_and_not_lost(empty_url: str) -> None:
    with filled(empty_url, "0001"), engine(empty_url) as used, used.begin() as connection:
        insert(connection, "calls", **dict.fromkeys(("route", "origin", "caller", "callee", "caller_digits", "callee_digits", "uniqueid", "linkedid"), "x"),
               id=number(1), expiry_day="2026-12-24", exchange="pbx", direction="inbound", reason="announced", started_at=NOON, ended_at=LATER,
               expires_at=entry(1).expires_at)
    with pytest.raises(RegisterError, match="did not seal"):
        upgrading.upgrade(empty_url)
    assert revision(empty_url) == "0001"
    with engine(empty_url) as used, used.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM calls")).scalar() == 1


@pytest.mark.parametrize("version", ["0002", "0005"])
def test_what_another_process_has_open_is_not_upgraded(empty_url: str, version: str) -> None:
    with filled(empty_url, version) as held:
        with engine(empty_url) as other, other.connect() as connection:
            connection.execute(text("SELECT 1"))
            connection.rollback()
            with pytest.raises(RegisterError, match=r"in use, and was not upgraded.*systemctl stop ami-bridge"):
                upgrading.upgrade(empty_url)
        assert revision(empty_url) == version
        upgrading.upgrade(empty_url)
        assert read(empty_url) == held


def test_a_register_that_is_ours_already_may_be_in_use(url: str) -> None:
    with closing(Register.open(url)) as register, register.reading():
        assert upgrading.plan(url).steps == upgrading.upgrade(url).steps == ()


@pytest.mark.parametrize(("version", "statement", "said"), [
    ("0005", "ALTER TABLE calls DROP COLUMN linkedid", "calls"),
    ("0004", "DROP INDEX ix_findings_found_at", "ix_findings_found_at"),
    ("0006", "DROP TABLE gaps", "gaps"),
])
def test_a_register_that_somebody_altered_is_recognised_and_left_as_it_was(empty_url: str, version: str, statement: str, said: str) -> None:
    with filled(empty_url, version), engine(empty_url) as used, used.begin() as connection:
        connection.execute(text(statement))
    with pytest.raises(RegisterError, match=rf"is not as version .*{said}.*nothing was changed"):
        upgrading.upgrade(empty_url)
    assert revision(empty_url) == version


def test_tables_without_a_version_are_recognised(empty_url: str) -> None:
    with filled(empty_url, "0004"), engine(empty_url) as used, used.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(RegisterError, match=r"does not say of which version.*rebuild"):
        upgrading.upgrade(empty_url)
    with engine(empty_url) as used:
        assert "calls" in inspect(used).get_table_names()


def test_a_newer_register_is_left_alone(url: str) -> None:
    with engine(url) as used, used.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (upgrading.plan, upgrading.upgrade):
        with pytest.raises(RegisterError, match=r"too new .*9999.*Upgrade ami-bridge"):
            attempt(url)


def test_an_upgrade_makes_no_copy(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/register.db"
    with filled(url, "0003"):
        upgrading.upgrade(url)
    assert [file.name for file in tmp_path.iterdir()] == ["register.db"]


def test_whoever_comes_while_the_server_was_upgraded_by_another_program_has_his_calls_wait(empty_url: str) -> None:
    """A daemon of this version lost its server; meanwhile another exchange brought the shared register to a later version."""
    if empty_url.startswith("sqlite"):
        pytest.skip("a file that somebody has open cannot be upgraded")
    with closing(Register.create(empty_url)) as register:
        with register.writing() as work:
            work.gaps.between(NOON, LATER)
        with engine(empty_url) as used, used.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                                    "AND datname = current_database()"))
        with pytest.raises(RegisterUnavailable, match="too new"), register.writing() as work:
            work.calls.add(entry(9, started_at=NOON - timedelta(minutes=1)), OTHER)
