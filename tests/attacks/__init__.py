"""Attacks in SQL, a file each, and what becomes of them (README.md)."""
