"""A changed configuration leaves one trace, that tells no secret; a daemon goes on without it, a console does not."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from ami_bridge.app import build, note_configuration
from ami_bridge.config import Config
from ami_bridge.core.audit import AuditEntry, Link
from ami_bridge.core.errors import RegisterError
from ami_bridge.daemon.main import _note_configuration
from ami_bridge.register import Register
from ami_bridge.services.configuration_trace import digest_of
from ami_bridge.web.serving import serve
from tests.cli.conftest import bare, machine  # noqa: F401 - a fixture
from tests.cli.machine import Machine
from tests.register.test_audit import on_database


@pytest.fixture
def register(machine: Machine) -> Iterator[Register]:  # noqa: F811
    with closing(Register.open(machine.config.register.url)) as register:
        yield register


def entries(register: Register) -> list[AuditEntry]:
    with register.reading() as work:
        return [place.entry for place in work.audit.places() if isinstance(place, Link)]


def changed(machine: Machine, **settings: str) -> Config:  # noqa: F811
    machine.ports.update(settings)
    return machine.config


def test_it_is_recorded_once_for_each_change(machine: Machine, register: Register) -> None:  # noqa: F811
    first = machine.config
    note_configuration(first, register)
    note_configuration(first, register)
    second = changed(machine, AMI_BRIDGE__CONSOLE__IDLE_MINUTES="7")
    note_configuration(second, register)
    note_configuration(first, register)
    assert [(entry.actor, entry.action, entry.object) for entry in entries(register)] == [
        ("daemon", "configuration-changed", digest_of(config)) for config in (first, second, first)]


def test_no_secret_is_in_the_digest(machine: Machine) -> None:  # noqa: F811
    before = digest_of(machine.config)
    machine.ports["AMI_BRIDGE__AMI__SECRET"] = "another-secret-of-the-manager"
    assert digest_of(machine.config) == before
    one, other = (digest_of(changed(machine, AMI_BRIDGE__REGISTER__URL=f"postgresql://me:{word}@localhost/calls"))
                  for word in ("first", "second"))
    assert one == other != before


def test_a_trail_that_cannot_be_written_stops_the_console_and_not_the_daemon(machine: Machine,  # noqa: F811
                                                                            caplog: pytest.LogCaptureFixture) -> None:
    config = machine.config
    app = build(config)
    on_database(config.register.url, "CREATE TRIGGER refuse BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END")
    with closing(app.register):
        _note_configuration(app)
    assert "trail-unwritten" in caplog.text or "The trail has no entry of this: configuration-changed" in caplog.text
    with pytest.raises(RegisterError):
        serve(config, lambda now: [])
