"""What the daemon's metrics port shows."""

from urllib.request import urlopen


def figures(port: int) -> dict[str, float]:
    """The figures by name, labels included, as the port shows them now; OSError when it does not answer."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as page:
        lines = page.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}
