"""The console: pages and an API for those who listen, answer callers, look after accounts and read the trail.

Views only: each parses, calls one service on behalf of who is signed in, and shows what comes back.
"""
