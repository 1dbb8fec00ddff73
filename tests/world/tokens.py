"""A form's token as a page would have it: for those who post without having read one."""

from __future__ import annotations

from django.http import HttpRequest
from django.middleware.csrf import get_token


def fresh_token(secret: str) -> str:
    """The token of the cookie's secret, masked again: a form that comes with the same one was answered."""
    page = HttpRequest()
    page.META["CSRF_COOKIE"] = secret
    return get_token(page)
