"""Signing in: passwords, second factors, one-time links, and the lock after failures."""
