"""Which other machines the configuration names, and whether the controller vouches for them (promise N7).

Names are compared as they are written: nobody is asked what a name means, so the answer does not depend on the network.
Source: PostgreSQL manual, libpq, "Parameter Key Words" (host, hostaddr, service; a host that begins with / is a folder).
"""

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


def strangers(settings: Mapping[str, str], vouched: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each setting, and the host in it, that is neither this machine nor among ``vouched``."""
    allowed = tuple(vouched)
    for setting, value in settings.items():
        yield from ((setting, host) for host in hosts(value) if not (is_here(host) or is_vouched(host, allowed)))


def hosts(value: str) -> list[str]:
    """Return the hosts in a setting: a host, or those of a database URL. A socket's folder and a file are none.

    A URL that cannot be read has none: the register says what is wrong with it when it is opened.
    """
    if "://" not in value:
        return [value]
    return [] if value.startswith("sqlite") else [host for host in _of_database(value) if host and not host.startswith("/")]


def _of_database(url: str) -> Iterator[str]:
    """Yield the hosts as the driver will take them; where the URL names none, those of libpq's own variables."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return
    named = [address.host or "", *_texts(address.query.get("host")), *_texts(address.query.get("hostaddr"))]
    if not any(named):
        named = [os.environ.get(variable, "") for variable in ("PGHOST", "PGHOSTADDR")]
    yield from (_without_port(host) for names in named for host in names.split(","))
    yield from (f"service={service}" for service in _texts(address.query.get("service")))


def _texts(value: str | Sequence[str] | None) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value or ()


def is_here(host: str) -> bool:
    """Tell whether a host is this machine: loopback, its own name, or an address of its own."""
    name = host.lower()
    if name in LOCAL_NAMES or name == socket.gethostname().lower():
        return True
    address = _address(name)
    return address is not None and (address.is_loopback or _is_own(address))


def is_loopback(host: str) -> bool:
    """Tell whether what is said to a host never leaves this machine's memory."""
    address = _address(host.lower())
    return host.lower() in LOCAL_NAMES or (address is not None and address.is_loopback)


def is_vouched(host: str, vouched: Iterable[str]) -> bool:
    """Tell whether a host is among names, addresses and networks."""
    address = _address(host)
    return any(host.lower() == one.lower() or (address is not None and _within(address, one)) for one in vouched)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if _address(host) else host.partition(":")[0]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _within(address: IPv4Address | IPv6Address, network: str) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False


@cache
def _is_own(address: IPv4Address | IPv6Address) -> bool:
    """A socket can be bound to an address of this machine only; nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    if address.is_unspecified or address.is_multicast:
        return address.is_unspecified
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
