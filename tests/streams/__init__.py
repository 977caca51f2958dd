"""What a real Asterisk said of one call each, and the entry that came of it: see README.md."""
