"""Whether a certificate and its private key can be used for TLS, before anything listens."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

PAIR = "Give PEM files that belong together, readable by the service's user, the key without a password."


def why_not(certificate: Path, key: Path) -> str:
    """Return what keeps the two from being used, naming the file; empty where nothing does."""
    try:
        shown, private = certificate.read_bytes(), key.read_bytes()
    except OSError as problem:
        return f"{problem.filename} cannot be read ({problem.strerror})"
    return _no_certificate(certificate, shown) or _no_key(key, private) or _strangers(certificate, key)


def _no_certificate(file: Path, content: bytes) -> str:
    try:
        x509.load_pem_x509_certificates(content)
    except ValueError:
        return f"{file} is no certificate in PEM"
    return ""


def _no_key(file: Path, content: bytes) -> str:
    try:
        serialization.load_pem_private_key(content, None)
    except TypeError:
        return f"{file} is locked with a password, and nobody is there to type it"
    except ValueError:
        return f"{file} is no private key in PEM"
    return ""


def _strangers(certificate: Path, key: Path) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as problem:
        return f"{certificate} and {key} cannot be used together ({problem.reason or type(problem).__name__})"
    return ""
