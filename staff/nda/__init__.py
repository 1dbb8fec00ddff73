"""Agreements: versions, signatures, the register, and their documents."""
