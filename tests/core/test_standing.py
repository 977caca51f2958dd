"""How an account stands, in a word: the first thing that keeps its person out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ami_bridge.core.accounts import Account, Language, Standing
from ami_bridge.core.sign_in import Attempts

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = Attempts(5, NOW, NOW + timedelta(minutes=15))


@pytest.mark.parametrize(("changes", "standing"), [
    ({}, Standing.OPEN), ({"password_due": True}, Standing.PASSWORD_DUE),
    ({"codes": "", "password_due": True}, Standing.NOT_READY), ({"password": ""}, Standing.NOT_READY),
    ({"attempts": LATER, "codes": ""}, Standing.LOCKED), ({"attempts": Attempts(5, NOW, NOW)}, Standing.OPEN),
    ({"disabled_at": NOW, "attempts": LATER}, Standing.SHUT)])
def test_what_keeps_somebody_out_is_said(changes: dict[str, Any], standing: Standing) -> None:
    given: dict[str, Any] = {"password": "hash", "codes": "sealed"} | changes
    account = Account(id=UUID(int=1), login="maija", name="Maija", language=Language.FINNISH, created_at=NOW, **given)
    assert account.standing(NOW) is standing
