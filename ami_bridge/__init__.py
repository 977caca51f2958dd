"""ami-bridge: the call-recording register that keeps a privacy notice true."""

__version__ = "0.7.0"
