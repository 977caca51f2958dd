"""The doctor's look at Asterisk's version: known faults, and whether its branch is still mended."""

from collections.abc import Iterator
from datetime import date

from ami_bridge.core.advisories import AS_OF, standing
from ami_bridge.core.versions import release_of
from ami_bridge.services.findings import Finding, ok, warning

NAME = "advisories"


def known(version: str, today: date) -> Iterator[Finding]:
    """Tell what is known of a version on a day."""
    release = release_of(version)
    stands = standing(release, today) if release else None
    if release is None or stands is None or not stands.known:
        yield ok(NAME, f"version {version or 'unknown'} is not known to our table of {AS_OF}")
        return
    if stands.ended:
        yield warning("support", f"Asterisk {release.major} gets no fixes from its makers since {stands.ended}",
                      "Plan the upgrade to a branch that is mended; until then watch your distribution's own fixes.")
    else:
        yield ok("support", f"Asterisk {release.major} is mended by its makers")
    for fault in stands.faults:
        mended = fault.mended.get(release.major)
        yield warning(NAME, f"{version} has the known fault {fault.name}: {fault.does}",
                      f"Upgrade to {'.'.join(map(str, mended))} or later." if mended else "Upgrade to a newer branch.")
    if not stands.faults:
        whose = "; security fixes are its distribution's: keep the package up to date" if release.patched_elsewhere else ""
        yield ok(NAME, f"our table of {AS_OF} knows no fault of {version}{whose}")
