"""The triggers that guard the register: there as the migrations make them, and missed when somebody took one away."""

from contextlib import closing

import pytest

from ami_bridge.register import Register
from ami_bridge.register.guards import ON_POSTGRESQL, ON_SQLITE
from tests.register.test_audit import on_database

NAMES = {"sqlite": [guard.name for guard in ON_SQLITE], "postgresql": [guard.name for guard in ON_POSTGRESQL]}


def of(url: str) -> list[str]:
    return NAMES["sqlite" if url.startswith("sqlite") else "postgresql"]


def drop(url: str, name: str) -> None:
    table = next(guard.table for guard in ON_POSTGRESQL + ON_SQLITE if guard.name == name)
    on_database(url, f"DROP TRIGGER {name}" + ("" if url.startswith("sqlite") else f" ON {table}"))


def test_a_register_as_it_is_made_has_all_its_guards_and_no_other_trigger(url: str) -> None:
    with closing(Register.open(url)) as register:
        assert register.unguarded() == ()
        with register.reading() as work:
            assert work.audit.unguarded() == ()
    made = ("SELECT name FROM sqlite_master WHERE type = 'trigger'" if url.startswith("sqlite") else
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0")
    with closing(Register.open(url)) as register, register._connected(writing=False) as connection:
        assert sorted(connection.exec_driver_sql(made).scalars()) == sorted(of(url))


def test_each_guard_that_was_taken_away_is_missed_and_put_back(url: str) -> None:
    for name in of(url):
        drop(url, name)
        with closing(Register.open(url)) as register:
            assert register.unguarded() == (name,)
            with register.reading() as work:
                assert work.audit.unguarded() == ((name,) if name.startswith("audit_") else ())
            assert register.guard() == (name,) and register.unguarded() == () == register.guard()


def test_a_guard_that_does_something_else_is_missed(url: str) -> None:
    drop(url, "audit_entries_fixed")
    if url.startswith("sqlite"):
        on_database(url, "CREATE TRIGGER audit_entries_fixed BEFORE UPDATE ON audit_entries WHEN 0 BEGIN SELECT 1; END")
    else:
        on_database(url, "CREATE TRIGGER audit_entries_fixed BEFORE UPDATE ON audit_entries FOR EACH ROW WHEN (false) "
                         "EXECUTE FUNCTION audit_never()")
    with closing(Register.open(url)) as register:
        assert register.unguarded() == ("audit_entries_fixed",)


@pytest.mark.postgresql
@pytest.mark.parametrize("statement", [
    "ALTER TABLE audit_entries DISABLE TRIGGER USER", "ALTER TABLE audit_entries ENABLE REPLICA TRIGGER audit_entries_stay",
    "ALTER FUNCTION audit_goes_in_time() RESET search_path",
    "ALTER FUNCTION audit_goes_in_time() SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION audit_goes_in_time() RETURNS trigger LANGUAGE plpgsql "
    "SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN RETURN OLD; END $$"])
def test_a_guard_that_was_switched_off_is_missed(request: pytest.FixtureRequest, statement: str) -> None:
    server = request.getfixturevalue("server")
    url = server.make("switched_off", "made")
    try:
        on_database(url, statement)
        with closing(Register.open(url)) as register:
            assert "audit_entries_stay" in register.unguarded()
            assert set(register.unguarded()) <= set(of(url))
            assert register.guard() and register.unguarded() == ()
    finally:
        server.drop("switched_off")
