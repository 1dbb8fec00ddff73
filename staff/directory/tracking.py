"""What django-auditlog records of members: an allow-list.

These are the facts that members change of themselves. What access rests on changes in SQL, which
records it itself. Of a password only that it changed is kept, never a value.
"""

from __future__ import annotations

from auditlog.registry import auditlog

from staff.models import Member

auditlog.register(
    Member,
    include_fields=["language", "theme", "password"],
    mask_fields=["password"],
    mask_callable="audit.masking.drop",
)
