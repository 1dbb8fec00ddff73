"""Sealing the log, proofs out of it, and verifying it."""
