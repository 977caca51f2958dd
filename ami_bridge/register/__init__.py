"""The retention database: the only place with SQL. Import it late: SQLAlchemy takes some tenths of a second."""

from ami_bridge.register.audit import TrailFilter
from ami_bridge.register.refusals import RegisterUnavailable
from ami_bridge.register.register import Register, Work
from ami_bridge.register.search import CallFilter, Place

__all__ = ["CallFilter", "Place", "Register", "RegisterUnavailable", "TrailFilter", "Work"]
