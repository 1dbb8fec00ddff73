"""What holds for every request and every answer, before anybody is known."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from gatekeeper import addresses, proxies

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)

GetResponse = Callable[[HttpRequest], HttpResponse]


class TrustedProxyMiddleware:
    """Believe forwarded headers from trusted proxies only; from anybody else they are dropped.

    REMOTE_ADDR becomes the client's address (gatekeeper.proxies), and '' where it is not known. How it was
    found stands on the request as `origin`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.header = settings.FORWARDED_HEADER
        self.trusted = proxies.Trusted.read(settings.TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = proxies.origin(request.META, trusted=self.trusted, header=self.header)
        for header in FORWARDED:
            request.META.pop(header, None)
        if found.proto:
            request.META["HTTP_X_FORWARDED_PROTO"] = found.proto
        request.META["REMOTE_ADDR"] = found.address
        _normalise(request)
        request.origin = found  # type: ignore[attr-defined]  # ours, beside Django's own
        return self.get_response(request)


def _normalise(request: HttpRequest) -> None:
    """Host and Origin in the form in which browsers write them, whatever a proxy made of them
    ('Host.test:443'): Django compares them letter by letter."""
    if "HTTP_HOST" in request.META:
        request.META["HTTP_HOST"] = addresses.sent_host(request.META["HTTP_HOST"], request.scheme or "")
    if "HTTP_ORIGIN" in request.META:
        request.META["HTTP_ORIGIN"] = addresses.sent_origin(request.META["HTTP_ORIGIN"])


class NoStoreMiddleware:
    """No page of ours stands in anybody's cache, or loads into anybody else's page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response
