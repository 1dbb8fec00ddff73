"""auditlog's middleware, with our facts: it is the outer level, and views never set their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlog.cid import correlation_id
from auditlog.middleware import AuditlogMiddleware
from django.http import HttpRequest, HttpResponseBase

from audit.context import WHO, context, request_id, who


class AuditMiddleware(AuditlogMiddleware):  # type: ignore[misc]  # django-auditlog ships no types
    """Put who, whence and under which number on every entry that a request writes.

    auditlog's own would trust the first X-Forwarded-For, store the actor's e-mail, and fail on
    a long correlation id: none of its readings of the request is used.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id(request)
        response: HttpResponseBase = super().__call__(request)
        # Other work on this thread must not carry this request's number.
        correlation_id.set(None)
        return response

    def get_extra_data(self, request: HttpRequest) -> dict[str, Any]:
        """Facts under the names of columns; who it is is asked when the entry is written, for
        signing in changes it. Without the key `actor` auditlog stores no e-mail."""
        correlation_id.set(request_id(request))
        return {**context(request), "remote_port": None, **_lazy_facts(request)}


def _lazy_facts(request: HttpRequest) -> dict[str, Callable[[], Any]]:
    def asker(name: str) -> Callable[[], Any]:
        return lambda: who(request)[name]

    return {name: asker(name) for name in WHO}
