"""`python -m bench.asking`: put requests to a server from some clients at once, and tell how long each took.

A process of its own, so that what it costs to ask does not slow down who answers. Standard input: JSON, see `Ask`; standard
output: JSON, the milliseconds of each request, those of each client in the order in which it asked.
"""

import http.client
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request, and the status that must come back."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    status: int = 200

    @property
    def method(self) -> str:
        """Return POST for what has a body."""
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True)
class Ask:
    """What to ask of whom: each client takes every ``clients``-th request, one after the other, on one connection."""

    port: int
    authority: str
    clients: int
    requests: Sequence[Request]


def ask(asked: Ask) -> list[float]:
    """Have another process ask; return the milliseconds. An answer of another status is an error."""
    done = subprocess.run([sys.executable, "-m", "bench.asking"], input=json.dumps(asdict(asked)), capture_output=True,
                          text=True)
    if done.returncode:
        raise RuntimeError(f"the console did not answer as it should: {done.stderr.strip().splitlines()[-1]}")
    found: list[float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Ask what standard input says."""
    given = json.load(sys.stdin)
    requests = [Request(**one) for one in given.pop("requests")]
    asked = Ask(**given, requests=requests)
    with ThreadPoolExecutor(asked.clients) as clients:
        shares = [requests[number :: asked.clients] for number in range(asked.clients)]
        found = list(clients.map(lambda share: timed(asked, share), shares))
    print(json.dumps([milliseconds for client in found for milliseconds in client]))


def timed(asked: Ask, requests: Sequence[Request]) -> list[float]:
    """Ask one after the other; return the milliseconds of each. The connection is there before the first."""
    trust = ssl.create_default_context(cafile=asked.authority)
    connection = http.client.HTTPSConnection("localhost", asked.port, timeout=60, context=trust)
    connection.connect()
    try:
        return [milliseconds(connection, one) for one in requests]
    finally:
        connection.close()


def milliseconds(connection: http.client.HTTPSConnection, request: Request) -> float:
    """Return how long one answer takes, from the first byte of the request to the last of the answer."""
    body = None if request.body is None else json.dumps(request.body)
    typed = {"Content-Type": "application/json"} if body else {}
    begun = time.perf_counter()
    connection.request(request.method, request.path, body, request.headers | typed)
    answer = connection.getresponse()
    said = answer.read()
    seconds = time.perf_counter() - begun
    if answer.status != request.status:
        raise RuntimeError(f"{answer.status} to {request.method}: {said[:300]!r}")
    return seconds * 1000


if __name__ == "__main__":
    main()
