"""A knock at the console's door: whether it answers where it is configured, which version, and with which certificate.

Nothing is asked that needs a sign-in, and nothing is trusted of what is said: the certificate is looked at, not believed.
"""

import hashlib
import re
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from ami_bridge.config.console import ConsoleServer
from ami_bridge.services.said import ANYWHERE

PATIENCE, LARGEST = 3.0, 1 << 16
DOOR, MARK = "/sign-in", "__Host-ami-bridge-form"
"""The page that everybody gets, and the cookie that the console alone sets with it."""

VERSION = re.compile(r"ami-bridge (\d+\.\d+\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a knock. ``ours``: a console answered. ``certificate``: SHA-256 of the one shown; empty without TLS."""

    address: str
    answered: bool
    ours: bool = False
    version: str = ""
    certificate: str = ""


def knock(console: ConsoleServer) -> Answer:
    """Ask the console who it is; never raises."""
    tls = console.certificate is not None
    address = f"{'https' if tls else 'http'}://{console.where}"
    connection = _connection(console, tls)
    try:
        connection.connect()
    except (OSError, ValueError):
        return Answer(address=address, answered=False)
    certificate = _shown(connection)
    try:
        connection.request("GET", DOOR, headers={"Host": min(console.known_as)})
        said = connection.getresponse()
        version = VERSION.search(said.read(LARGEST).decode("utf-8", "replace"))
        return Answer(address=address, answered=True, ours=MARK in said.getheader("Set-Cookie", ""),
                      version=version[1] if version else "", certificate=certificate)
    except (OSError, HTTPException, ValueError):
        return Answer(address=address, answered=True, certificate=certificate)
    finally:
        connection.close()


def _shown(connection: HTTPConnection) -> str:
    line = connection.sock
    found = line.getpeercert(binary_form=True) if isinstance(line, ssl.SSLSocket) else None
    return hashlib.sha256(found).hexdigest() if found else ""


def _connection(console: ConsoleServer, tls: bool) -> HTTPConnection:
    host = ANYWHERE.get(console.host, console.host)
    if not tls:
        return HTTPConnection(host, console.port, timeout=PATIENCE)
    unbelieving = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unbelieving.check_hostname, unbelieving.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection(host, console.port, timeout=PATIENCE, context=unbelieving)
