"""Where the console listens, and how long one sits there."""

from pydantic import Field, field_validator, model_validator

from ami_bridge.config import kinds
from ami_bridge.config.endpoints import is_loopback
from ami_bridge.config.section import Section


class ConsoleServer(Section):
    """The page where supervisors listen, callers are answered and the trail is read (`ami-bridge console`)."""

    host: kinds.Address = Field("127.0.0.1", description=(
        "Address on which it listens. Any other than this machine's own needs `certificate` and `key`."))
    port: kinds.Port = Field(8443, description="Its TCP port, 1 to 65535.")
    certificate: kinds.OptionalPath = Field(None, description=(
        "The certificate for TLS, and those it rests on (PEM). Not set: no TLS, on this machine only, behind a proxy."))
    key: kinds.OptionalPath = Field(None, description="The certificate's private key (PEM).")
    names: kinds.HostNames = Field((), description=(
        "The names and addresses by which browsers know it. Not set: `localhost`, `127.0.0.1` and `host`."))
    idle_minutes: int = Field(15, ge=1, le=120, description=(
        "Who does nothing for so long is signed out, 1 to 120 minutes."))
    longest_hours: int = Field(10, ge=1, le=24, description="After so long everybody signs in anew, 1 to 24 hours.")

    @model_validator(mode="after")
    def _not_in_the_clear(self) -> "ConsoleServer":
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("certificate and key: give both, or neither")
        if self.certificate is None and not is_loopback(self.host):
            raise ValueError(f"host: on {self.host} recordings would cross the network in the clear. Give "
                             "certificate and key, or listen on 127.0.0.1")
        return self

    @field_validator("names")
    @classmethod
    def _small(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.lower() for name in names)

    @property
    def where(self) -> str:
        """Return where it listens, as it stands in an address (RFC 3986, section 3.2.2)."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def known_as(self) -> frozenset[str]:
        """Return the hosts that a browser may name in a request."""
        return frozenset(self.names) or frozenset({"localhost", "127.0.0.1", self.host.lower()})
