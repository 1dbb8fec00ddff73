"""Attacks in SQL, a file each, and what becomes of them (tests/attacks/README.md)."""
