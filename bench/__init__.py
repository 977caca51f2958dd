"""Our speed beside a peer's, measured in the same run: `make bench`, or `python -m bench NAME`."""
