"""The daemon: one process, named tasks.

``ami`` listens to the exchange, ``present`` asks it a little later who is still there, ``follow`` turns what it hears into
journaled facts, ``intake`` takes finished calls in, ``again`` tries those that could not be, ``housekeeping`` finds what no
event announced, ``watch`` alarms a human. The FastAGI server answers the dialplan meanwhile. Whatever blocks runs in a
thread of its own, so that a call that waits for its verdict waits for nothing else.
"""

from ami_bridge.daemon.main import run

__all__ = ["run"]
