"""Whether the static files that pages name were collected."""

from __future__ import annotations

from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage


def uncollected() -> list[str]:
    """Return the static files that the manifest lacks; none where the storage needs no manifest."""
    if not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        return []
    known = staticfiles_storage.hashed_files
    return sorted(path for finder in get_finders() for path, _ in finder.list([]) if path not in known)
