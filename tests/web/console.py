"""A console as it really runs: its own TLS, its own port, a register, keys and a vault made by ``init``."""

import datetime
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import httpx
import pyotp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ami_bridge.app import people
from ami_bridge.cli import VERBS
from ami_bridge.config import Config
from ami_bridge.core.accounts import Account, Language, Scope
from ami_bridge.core.audit import AuditEntry, Link
from ami_bridge.core.duties import Duty
from ami_bridge.register import Register
from ami_bridge.services.people import People
from ami_bridge.services.promises import examine
from ami_bridge.web.house import House
from ami_bridge.web.serving import Server
from ami_bridge.web.visit import COOKIE
from tests.cli.machine import Machine
from tests.ports import free_port

PASSWORD = "correct horse battery"
NAMES = {"listener": "Lauri Lahti", "trainer": "Terhi Toivonen", "officer": "Outi Oksanen", "second": "Seppo Salo",
         "keeper": "Kaisa Korpi", "admin": "Aino Aalto", "auditor": "Arto Ahonen", "nobody": "Niilo Niemi"}
DUTIES = {"listener": Duty.LISTENER, "trainer": Duty.TRAINER, "officer": Duty.DATA_PROTECTION_OFFICER,
          "second": Duty.DATA_PROTECTION_OFFICER, "keeper": Duty.RETENTION_OFFICER, "admin": Duty.ACCOUNT_ADMINISTRATOR,
          "auditor": Duty.AUDITOR}
"""One person for each duty, a second officer to approve, and one with none."""

SCOPE = Scope(frozenset({"support"}), frozenset({"q-support"}))
"""Where the listener and the trainer work."""


@dataclass
class Console:
    """A running console. ``secrets``: of the one-time codes, by log-in name."""

    config: Config
    register: Register
    server: Server
    authority: Path
    secrets: dict[str, str] = field(default_factory=dict)
    hash: str = ""

    @property
    def url(self) -> str:
        scheme = "https" if self.config.console.certificate else "http"
        return f"{scheme}://localhost:{self.config.console.port}"

    @property
    def house(self) -> House:
        return self.server.config.app.state.house  # type: ignore[union-attr]

    def account(self, login: str) -> Account:
        with self.register.reading() as work:
            found = work.accounts.named(login)
        assert found
        return found

    def employ(self, *logins: str, cleared: bool = True) -> None:
        """Make accounts of ``NAMES`` that can sign in, each with its duty."""
        at_work = people(self.config, self.register, "os:tests")
        for login in logins:
            at_work.add(login, NAMES[login], Language.ENGLISH)
            self._set_password(login, at_work)
            self.secrets[login] = parse_qs(urlparse(at_work.set_codes(login)).query)["secret"][0]
            duty = DUTIES.get(login)
            if duty:
                at_work.grant(login, duty, SCOPE if duty in (Duty.LISTENER, Duty.TRAINER) else None)
            if cleared and duty:
                at_work.set_clearance(login, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=300))

    def _set_password(self, login: str, at_work: People) -> None:
        """Set the same password for everybody; it is hashed once, since that takes its time."""
        if not self.hash:
            self.hash = at_work.set_password(login, PASSWORD).password
        with self.register.writing() as work:
            work.accounts.change(work.accounts.named(login).id, password=self.hash)

    def code(self, login: str) -> str:
        return pyotp.TOTP(self.secrets[login]).now()

    @contextmanager
    def stranger(self, **options) -> Iterator[httpx.Client]:
        """A browser without scripts, that nobody has signed in with."""
        trust = ssl.create_default_context(cafile=str(self.authority))
        with httpx.Client(base_url=self.url, verify=trust, timeout=30, **options) as client:
            yield client

    @contextmanager
    def browser(self, login: str, **options) -> Iterator[httpx.Client]:
        """A browser in which somebody has signed in (the session is begun without the form: a code is good only once)."""
        token, session = self.house.sessions.begin(self.account(login), bearer=False)
        with self.stranger(**options) as client:
            client.cookies.set(COOKIE, token, domain="localhost.local", path="/")
            client.csrf = session.csrf
            client.session = session
            yield client

    @contextmanager
    def program(self, login: str) -> Iterator[httpx.Client]:
        """A program that uses the API as somebody."""
        token, _ = self.house.sessions.begin(self.account(login), bearer=True)
        with self.stranger(headers={"Authorization": f"Bearer {token}"}) as client:
            yield client

    def trail(self, action: str = "") -> list[AuditEntry]:
        """Return what the trail says, in order."""
        with self.register.reading() as work:
            entries = [place.entry for place in work.audit.places() if isinstance(place, Link)]
        return [entry for entry in entries if action in ("", entry.action)]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256()))
    certificate, private = folder / "console.pem", folder / "console.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
    return certificate, private


def where_it_listens(folder: Path) -> dict[str, str]:
    """What the environment sets of a console with a certificate of its own in a folder."""
    certificate, key = make_certificate(folder)
    return {"AMI_BRIDGE__CONSOLE__PORT": str(free_port()), "AMI_BRIDGE__CONSOLE__CERTIFICATE": str(certificate),
            "AMI_BRIDGE__CONSOLE__KEY": str(key)}


@contextmanager
def console(machine: Machine) -> Iterator[Console]:
    """Run the console of a machine that ``init`` has set up."""
    machine.ports.update(where_it_listens(machine.folder))
    with running(machine.config, machine.file) as console:
        yield console


@contextmanager
def running(config: Config, file: Path) -> Iterator[Console]:
    """Run the console of a configuration (and its file); whoever asks trusts its certificate, where it has one."""
    with closing(Register.open(config.register.url)) as register:
        server = Server(House(config, register, partial(examine, config, file, verbs=tuple(VERBS))))
        thread = threading.Thread(target=server.run, name="console", daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the console did not start"
            time.sleep(0.02)
        try:
            yield Console(config, register, server, config.console.certificate or Path())
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
