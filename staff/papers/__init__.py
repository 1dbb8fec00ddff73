"""Papers: agreements, authorisations and registers as PDF, sealed so that any change shows (P15)."""

from staff.papers.evidence import Evidence
from staff.papers.nda import agreement
from staff.papers.sealing import countersign

__all__ = ["Evidence", "agreement", "countersign"]
