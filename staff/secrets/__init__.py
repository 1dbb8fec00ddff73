"""Secrets and how they are kept: the key ring, one-time codes, recovery codes."""
