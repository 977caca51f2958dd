"""The retention database: the only place with SQL. Import it late: SQLAlchemy takes some tenths of a second."""

from ami_bridge.register.audit import TrailFilter
from ami_bridge.register.calls import CallFilter
from ami_bridge.register.refusals import RegisterUnavailable
from ami_bridge.register.register import Register, Work

__all__ = ["CallFilter", "Register", "RegisterUnavailable", "TrailFilter", "Work"]
