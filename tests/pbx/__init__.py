"""The PBX under test: a real Asterisk in a cached root file system, and SIPp phones that really talk."""
