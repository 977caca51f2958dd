"""What is kept of a password, and what it costs to compare one."""

import argon2
import pytest

from ami_bridge import credentials
from ami_bridge.credentials import is_password, password_hash

pytestmark = pytest.mark.usefixtures("passwords_as_in_use")


def test_a_hash_costs_what_is_recommended_where_memory_is_short() -> None:
    found = argon2.extract_parameters(password_hash("correct horse battery"))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (argon2.Type.ID, 65_536, 3, 4)


def test_a_password_is_compared_at_the_same_cost_where_there_is_no_account() -> None:
    nobodys = argon2.extract_parameters(credentials.NOBODYS.format(**credentials.HASHING))
    theirs = argon2.extract_parameters(password_hash("correct horse battery"))
    assert (nobodys.type, nobodys.version, nobodys.memory_cost, nobodys.time_cost, nobodys.parallelism, nobodys.hash_len) == (
        theirs.type, theirs.version, theirs.memory_cost, theirs.time_cost, theirs.parallelism, theirs.hash_len)
    assert not is_password("", "correct horse battery")


def test_a_password_is_known_by_its_hash_and_no_other_is() -> None:
    kept = password_hash("correct horse battery")
    assert is_password(kept, "correct horse battery") and not is_password(kept, "wrong horse battery")
    assert not is_password("no hash", "correct horse battery")
