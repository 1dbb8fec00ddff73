"""What holds for every request and every answer, before anybody is known."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)

GetResponse = Callable[[HttpRequest], HttpResponse]


def _networks() -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(name) for name in settings.TRUSTED_PROXIES]
    except ValueError as error:
        raise ImproperlyConfigured(
            "GATEKEEPER_TRUSTED_PROXIES holds something that is no address or network."
        ) from error


class TrustedProxyMiddleware:
    """Believe X-Forwarded-* from named proxies only; from anybody else they are dropped.

    From a proxy, REMOTE_ADDR becomes the last address in X-Forwarded-For that is no proxy of ours:
    those before it were written by the client, and may say anything.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.networks = _networks()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        proto = request.META.get("HTTP_X_FORWARDED_PROTO", "")
        chain = request.META.get("HTTP_X_FORWARDED_FOR", "")
        for header in FORWARDED:
            request.META.pop(header, None)
        if self._trusted(request.META.get("REMOTE_ADDR", "")):
            request.META["HTTP_X_FORWARDED_PROTO"] = proto
            for address in reversed(chain.split(",")):
                if not self._address(address.strip()):
                    break
                request.META["REMOTE_ADDR"] = address.strip()
                if not self._trusted(address.strip()):
                    break
        return self.get_response(request)

    @staticmethod
    def _address(text: str) -> bool:
        try:
            ip_address(text)
        except ValueError:
            return False
        return True

    def _trusted(self, text: str) -> bool:
        return self._address(text) and any(ip_address(text) in net for net in self.networks)


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
