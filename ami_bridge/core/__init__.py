"""Decisions: pure functions and values. Standard library only; no clock, no files, no logging, no async."""
