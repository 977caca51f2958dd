"""When two notations mean one line."""

import pytest

from ami_bridge.register.numbers import same_line, significant


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("0401234567", "401234567"),
        ("+358 40 123 4567", "358401234567"),
        ("00358-40-1234567", "358401234567"),
        ("tel:(040) 1234567", "401234567"),
        ("101", "101"),
        ("000", ""),
        ("anonymous", ""),
        ("", ""),
        ("٠٤٠", ""),
    ],
)
def test_significant_digits(written: str, digits: str) -> None:
    assert significant(written) == digits


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("401234567", "358401234567", True),
        ("358401234567", "401234567", True),
        ("1234567", "358401234567", True),
        ("101", "101", True),
        ("101", "358400000101", False),
        ("401234567", "401234568", False),
        ("35840123456", "358401234567", False),
        ("", "401234567", False),
    ],
)
def test_same_line(one: str, other: str, same: bool) -> None:
    assert same_line(one, other) is same
