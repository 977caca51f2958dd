"""Figures for Prometheus, without personal data. Slow to import: the daemon alone does.

What the daemon counts stands in plain counters where it happens, and is read when Prometheus looks; two lengths of time are
histograms. A label is a word of ours (a direction, a reason, a kind), a version or the exchange's configured name.
"""

import json
import logging
import math
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, disable_created_metrics, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer

from ami_bridge.core.alarms import Name, Seen
from ami_bridge.core.entries import Entry
from ami_bridge.core.faults import fault
from ami_bridge.core.findings import Kind
from ami_bridge.core.notice import Reason
from ami_bridge.core.parties import Direction
from ami_bridge.core.recordings import State

disable_created_metrics()

log = logging.getLogger(__name__)

UNKNOWN = math.nan
VERDICT_SECONDS = (.001, .0025, .005, .01, .025, .05, .1, .25, .5, .75, 1, 2, 5)
INTAKE_SECONDS = (.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400)
PASSED = (Reason.ROUTE_SAYS_NO, Reason.NO_ROUTE)
"""The reasons for which a call leaves no entry."""

BEGUN = (Reason.ANNOUNCED, Reason.NOTICE_NOT_REQUIRED)
ENDS = (State.SEALED, State.RECOVERED, State.NO_AUDIO, State.MISSING)

STATUS = {True: "200 OK", False: "503 Service Unavailable", None: "404 Not Found"}

Page = Callable[[], tuple[bool | None, object]]
"""A page of JSON: whether all is well (200, else 503; None: no such page), and what it says. Called in any thread."""


class Metrics:
    """The figures, in a registry of their own, and the HTTP server that shows them. ``policy`` is the days promised.

    ``held``: the alarms that hold; None before the first look of the watch.
    """

    def __init__(self, policy: timedelta) -> None:
        self.registry = CollectorRegistry()
        self.held: frozenset[Name] | None = None
        self._policy = policy
        self._families: dict[str, Gauge] = {}
        self._stop: Callable[[], None] = lambda: None
        self._last_success = self._gauge("last_successful_purge", "When the last good run of the purge ended, in seconds "
                                         "since 1970; 0: never.")
        self._oldest_age = self._gauge("oldest_entry_age_seconds", "Age of the entry that is to be forgotten first, counted "
                                       "so that the days of [retention] x 86400 are the end of its time; 0: no entry.")
        self._failures = self._gauge("purge_failures", "Runs of the purge refused or failed since the last good one.")
        self._key_days = self._gauge("key_days_left", "For how many days, today the first, the keys suffice.")
        self._waiting = self._gauge("calls_waiting", "Finished calls that are not in the register yet.")
        self._last_look = self._gauge("last_look", "When the watch last looked, in seconds since 1970; 0: not yet.")
        self._findings = self._gauge("findings", "Findings of the last day.", "kind")
        self._alarm = self._gauge("alarm", "Whether the alarm holds.", "name")
        self._verdict = self._histogram("verdict_seconds", "From the connection of the dialplan until it has the verdict, "
                                        "without answering, the notice's playing and waiting for a key.", VERDICT_SECONDS)
        self._intake = self._histogram("intake_seconds", "From the end of a call with a recording until it is in the "
                                       "register.", INTAKE_SECONDS)
        self._calls: Counter[tuple[str, ...]] = Counter(dict.fromkeys(_combinations(), 0))
        self._passed: Counter[tuple[str, ...]] = Counter({(str(d), str(r)): 0 for d in Direction for r in PASSED})
        self.counts("calls_total", "Calls registered.", ("direction", "reason", "state"), lambda: self._calls)
        self.counts("calls_passed_total", "Calls that were not to be recorded, and left no entry.", ("direction", "reason"),
                    lambda: self._passed)
        ProcessCollector(registry=self.registry)
        self._show_alarms(())

    def seen(self, seen: Seen, now: datetime) -> None:
        """Show what a look found; what the register did not say is not a number."""
        kept = seen.kept
        last = kept.last_success if kept else None
        self._last_success.set(UNKNOWN if kept is None else last.timestamp() if last else 0)
        self._oldest_age.set(UNKNOWN if kept is None else self._age(kept.oldest_expiry, now))
        self._failures.set(kept.failures if kept else UNKNOWN)
        for kind in Kind:
            self._findings.labels(kind.value).set(kept.found.get(kind, 0) if kept else UNKNOWN)
        self._key_days.set(max(seen.key_days, 0))
        self._last_look.set(now.timestamp())

    def alarms(self, names: Iterable[Name]) -> None:
        """Show which alarms hold."""
        self.held = frozenset(names)
        self._show_alarms(self.held)

    def count_waiting(self, count: Callable[[], int]) -> None:
        """Take the number of waiting calls from ``count``, at each look of Prometheus; called in any thread."""
        self._waiting.set_function(count)

    def registered(self, entry: Entry, now: datetime) -> None:
        """Count a call that has come into the register, and how long that took since its end. For one thread."""
        self._calls[entry.direction.value, entry.reason.value, entry.state.value] += 1
        if entry.recordings:
            self._intake.observe(max((now - entry.ended_at).total_seconds(), 0.0))

    def passed(self, direction: Direction, reason: Reason) -> None:
        """Count a call that was not to be recorded. For one thread."""
        self._passed[direction.value, reason.value] += 1

    def answered(self, seconds: float) -> None:
        """Count a conversation that came to its verdict, and how long that took."""
        self._verdict.observe(seconds)

    def figure(self, name: str, meaning: str, value: Callable[[], float], **labels: str) -> None:
        """Add a figure that is asked for at each look of Prometheus; ``value`` is called in any thread.

        Where it meets an OSError (a disk that failed, say) it is not a number, and the others are shown all the same.
        """
        def asked() -> float:
            try:
                return value()
            except OSError:
                return UNKNOWN

        gauge = self._families.get(name) or self._gauge(name, meaning, *labels)
        self._families[name] = gauge
        (gauge.labels(**labels) if labels else gauge).set_function(asked)

    def counts(self, name: str, meaning: str, labels: tuple[str, ...], read: Callable[[], Mapping[Any, int]]) -> None:
        """Add what is counted elsewhere; ``read`` gives it by the values of ``labels`` (tuples), in any thread."""
        def collect() -> Iterator[Metric]:
            family = CounterMetricFamily(f"ami_bridge_{name}", meaning, labels=labels)
            for values, count in dict(read()).items():
                family.add_metric(values, count)
            yield family

        self.registry.register(_Asked(collect))

    def info(self, name: str, meaning: str, read: Callable[[], dict[str, str]]) -> None:
        """Add words about the program, as labels of a figure that is always 1; nothing is shown while there are none."""
        def collect() -> Iterator[Metric]:
            if words := read():
                yield InfoMetricFamily(f"ami_bridge_{name}", meaning, words)

        self.registry.register(_Asked(collect))

    def serve(self, host: str, port: int, pages: Mapping[str, Page] | None = None) -> int:
        """Show the figures, and further ``pages`` by their paths, by HTTP until ``stop``; port 0: not at all.

        Return the port that serves, 0 when none does. A port that is taken is no reason not to record: it is logged.
        """
        if port == 0:
            return 0
        try:
            server = make_server(host, port, _paths(self.registry, pages or {}), _server_for(host), _Quiet)
        except OSError as error:
            log.warning("The figures cannot be shown on %s:%d (%s): see [metrics]", host, port, error.strerror,
                        extra={"action": "metrics_not_shown"})
            return 0
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        self._stop = stop
        return port

    def stop(self) -> None:
        """End the HTTP server. May be repeated."""
        stop, self._stop = self._stop, lambda: None
        stop()

    def _show_alarms(self, held: Iterable[Name]) -> None:
        for name in Name:
            self._alarm.labels(name.value).set(name in frozenset(held))

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"ami_bridge_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"ami_bridge_{name}", meaning, buckets=buckets, registry=self.registry)

    def _age(self, oldest_expiry: datetime | None, now: datetime) -> float:
        return (now - oldest_expiry + self._policy).total_seconds() if oldest_expiry else 0


def _combinations() -> Iterator[tuple[str, str, str]]:
    """Yield what calls may come to, so that the first of a kind is seen as a rise from nought."""
    for direction in Direction:
        yield from ((direction.value, reason.value, state.value) for reason in BEGUN for state in ENDS)
        untold = (reason for reason in Reason if reason not in BEGUN + PASSED)
        yield from ((direction.value, reason.value, State.UNANNOUNCED.value) for reason in untold)


class _Asked:
    """A collector, as the library wants it: an object with ``collect``."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self.collect = collect


def _paths(registry: CollectorRegistry, pages: Mapping[str, Page]) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application: the figures at / and /metrics, the pages at their paths."""
    figures = make_wsgi_app(registry)

    def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        try:
            if path in ("/", "/metrics"):
                return figures(environ, start_response)
            page = pages.get(path, lambda: (None, "not found"))
            well, said = page()
        except Exception as problem:  # noqa: BLE001 - as it stands it would be printed with its words
            log.error("A page of figures cannot be shown (%s)", fault(problem), extra={"action": "metrics_failed"})
            well, said = False, "fault"
        start_response(STATUS[well], [("Content-Type", "application/json")])
        return [json.dumps(said).encode() + b"\n"]

    return application


def _server_for(host: str) -> type[ThreadingWSGIServer]:
    """Return the kind of server that speaks the address family of ``host``."""
    family = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    return type("Server", (_Server,), {"address_family": family})


class _Server(ThreadingWSGIServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that went away, or said nothing in time."""


class _Quiet(WSGIRequestHandler):
    timeout = 10.0

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a look every few seconds is no event."""
