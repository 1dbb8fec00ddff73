"""Papers: agreements, authorisations and registers as PDF, sealed so that any change shows."""

from staff.nda.documents.evidence import Evidence
from staff.nda.documents.nda import agreement
from staff.nda.documents.pdf_signing import countersign

__all__ = ["Evidence", "agreement", "countersign"]
