"""Figures for Prometheus, without personal data. Slow to import: the daemon alone does."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from ami_bridge.core.alarms import Name, Seen

log = logging.getLogger(__name__)

UNKNOWN = float("nan")


class Metrics:
    """The figures, in a registry of their own, and the HTTP server that shows them. ``policy`` is the days promised."""

    def __init__(self, policy: timedelta) -> None:
        self.registry = CollectorRegistry()
        self._policy = policy
        self._stop: Callable[[], None] = lambda: None
        self._last_success = self._gauge("last_successful_purge", "When the last good run of the purge ended, in seconds "
                                         "since 1970; 0: never.")
        self._oldest_age = self._gauge("oldest_entry_age_seconds", "Age of the entry that is to be forgotten first, counted "
                                       "so that the days of [retention] x 86400 are the end of its time; 0: no entry.")
        self._failures = self._gauge("purge_failures", "Runs of the purge refused or failed since the last good one.")
        self._key_days = self._gauge("key_days_left", "For how many days, today the first, the keys suffice.")
        self._waiting = self._gauge("calls_waiting", "Finished calls that are not in the register yet.")
        self._alarm = Gauge("ami_bridge_alarm", "Whether the alarm holds.", ["name"], registry=self.registry)
        self.alarms(())

    def seen(self, seen: Seen, now: datetime) -> None:
        """Show what a look found; what the register did not say is not a number."""
        kept = seen.kept
        last = kept.last_success if kept else None
        self._last_success.set(UNKNOWN if kept is None else last.timestamp() if last else 0)
        self._oldest_age.set(UNKNOWN if kept is None else self._age(kept.oldest_expiry, now))
        self._failures.set(kept.failures if kept else UNKNOWN)
        self._key_days.set(max(seen.key_days, 0))

    def alarms(self, names: Iterable[Name]) -> None:
        """Show which alarms hold."""
        held = set(names)
        for name in Name:
            self._alarm.labels(name.value).set(name in held)

    def count_waiting(self, count: Callable[[], int]) -> None:
        """Take the number of waiting calls from ``count``, at each look of Prometheus; called in any thread."""
        self._waiting.set_function(count)

    def figure(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a figure that is asked for at each look of Prometheus; ``value`` is called in any thread."""
        self._gauge(name, meaning).set_function(value)

    def serve(self, host: str, port: int) -> int:
        """Show the figures by HTTP until ``stop``; port 0: not at all. Return the port that serves, 0 when none does.

        A port that is taken is no reason not to record: it is logged.
        """
        if port == 0:
            return 0
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            log.warning("The figures cannot be shown on %s:%d (%s): see [metrics]", host, port, error.strerror,
                        extra={"action": "metrics_not_shown"})
            return 0

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

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"ami_bridge_{name}", meaning, registry=self.registry)

    def _age(self, oldest_expiry: datetime | None, now: datetime) -> float:
        return (now - oldest_expiry + self._policy).total_seconds() if oldest_expiry else 0
