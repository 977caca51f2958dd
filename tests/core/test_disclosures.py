"""What leaves, and the tables that tell of it: pure."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.disclosures import CALLER, Disclosure, Kind, checked, digest_of
from ami_bridge.core.eea import EEA, EU
from ami_bridge.core.errors import ConfigurationError
from ami_bridge.core.tables_as_text import as_csv, cell

MADE = Disclosure(id=UUID(int=1), kind=Kind.AUTHORITY, call=UUID(int=2), recipient="Poliisi", country="FI", statute="PolL 4:2",
                  recipient_key="age1x", made_by="account:1", made_at=datetime(2026, 11, 23, 12, tzinfo=UTC))
CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


COMPUTED = frozenset("=+-@＝＋－＠﹦﹢﹣﹫⁺⁼₊₌\u2212")
"""With what one spreadsheet or another begins a formula."""


def computed(text: str) -> bool:
    """Whether a spreadsheet may take a cell for a formula: some pass over what is not seen before the first sign."""
    seen = [sign for sign in text if sign.isprintable() and not sign.isspace()]
    return text[:1] in ("\t", "\r", "\n") or bool(seen and seen[0] in COMPUTED)


def test_the_countries_are_those_of_the_treaties() -> None:
    assert len(EU) == 27 and {"IS", "LI", "NO"} == EEA - EU and not EEA & {"GB", "CH", "US", "RU", "EL", "UK"}


@given(st.text(st.characters(categories=("Lu",)), min_size=2, max_size=2))
def test_nothing_leaves_for_a_country_outside(country: str) -> None:
    if country in EEA:
        assert checked(replace(MADE, country=country.lower())).country == country
    else:
        for kind in Kind:
            with pytest.raises(ConfigurationError, match="N7"):
                checked(replace(MADE, kind=kind, country=country))


def test_a_copy_names_nobody() -> None:
    copy = replace(MADE, kind=Kind.COPY, request=UUID(int=3), recipient="Maija", statute="", recipient_key="")
    assert checked(copy).recipient == CALLER
    with pytest.raises(ConfigurationError, match="names no request"):
        checked(replace(copy, request=None))


@pytest.mark.parametrize("change", [{"recipient": "x"}, {"country": "SE"}, {"statute": "x"}, {"recipient_key": "x"}, {"call": UUID(int=3)},
                                    {"made_by": "x"}, {"request": UUID(int=1)}, {"kind": Kind.COPY}, {"made_at": MADE.made_at + timedelta(seconds=1)}], ids=str)
def test_whatever_is_altered_shows(change: dict) -> None:
    assert digest_of(replace(MADE, **change)) != digest_of(MADE) == digest_of(replace(MADE))


@given(st.lists(st.lists(CELLS, min_size=1), min_size=1))
def test_no_cell_is_a_formula_and_none_is_lost(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(as_csv(rows), newline="")))
    assert [[one.removeprefix("'") if one != kept else one for one, kept in zip(row, was, strict=True)]
            for row, was in zip(read, rows, strict=True)] == rows
    assert not any(computed(one) for row in read for one in row)


@given(st.text(st.characters(categories=("Zs", "Zl", "Zp", "Cc", "Cf"), exclude_characters="\0")), st.sampled_from(sorted(COMPUTED)),
       CELLS)
def test_what_a_spreadsheet_computes_is_text_however_it_is_written(unseen: str, sign: str, rest: str) -> None:
    text = f"{unseen}{sign}{rest}"
    assert computed(text) and cell(text) == f"'{text}" and not computed(cell(text))


@pytest.mark.parametrize("text", ["=1+1", "+358", "-1", "@x", "\t=1", "\r", " =1", "＝1", "\u00a0=1+1", "\u2003@x", "\ufeff=1", "﹢1",
                                  "\u2212" "1", "=\u0338"])
def test_what_could_be_computed_has_an_apostrophe_before_it(text: str) -> None:
    assert cell(text) == f"'{text}" and cell(f"x{text}") == f"x{text}"
