"""That the configuration changed, in the trail: noticed when the daemon or the console begins with another."""

import hashlib

from ami_bridge.config import Config
from ami_bridge.core.actions import Action
from ami_bridge.core.audit import canonical
from ami_bridge.register import Register
from ami_bridge.register.engine import address_of
from ami_bridge.services.trail import Trail


def digest_of(config: Config) -> str:
    """Return the SHA-256 (hex) of all settings in effect, as canonical JSON. No secret is in it, so anybody may know it."""
    settings = config.model_dump(mode="json")
    settings["register_"]["url"] = address_of(config.register.url).render_as_string(hide_password=True)
    return hashlib.sha256(canonical(settings)).hexdigest()


def record_configuration(config: Config, register: Register, trail: Trail) -> None:
    """Leave a trace unless the last of its kind is of the same settings. RegisterError when that cannot be."""
    digest = digest_of(config)
    with register.writing() as work:
        if work.audit.latest_object(Action.CONFIGURATION_CHANGED) != digest:
            trail.within(work, Action.CONFIGURATION_CHANGED, digest)
