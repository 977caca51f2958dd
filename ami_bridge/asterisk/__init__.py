"""Asterisk, translated: AMI and FastAGI on one side, core events and scripts on the other."""
