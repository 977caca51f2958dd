"""The scripts that the dialplan calls, each written once, run by the daemon (FastAGI) or as a process of its own.

They import the core, the spool and pyst2 only: as a process they must start in tens of milliseconds.
"""
