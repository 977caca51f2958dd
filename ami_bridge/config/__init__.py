"""The configuration: one frozen, validated ``Config`` from a TOML file and the environment."""

from ami_bridge.config.loading import DEFAULT_PATH, load, outdated, where
from ami_bridge.config.model import Config
from ami_bridge.config.reference import reference

__all__ = ["DEFAULT_PATH", "Config", "load", "outdated", "reference", "where"]
