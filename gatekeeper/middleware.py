"""What holds for every request and every answer, before anybody is known."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import is_valid_path
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _

from gatekeeper import addresses, proxies
from gatekeeper.views import errors

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
        by_https = request.META.get("HTTP_X_FORWARDED_PROTO", "").lower() == "https"
        for header in FORWARDED:
            request.META.pop(header, None)
        if found.proto:
            request.META["HTTP_X_FORWARDED_PROTO"] = found.proto
        request.META["REMOTE_ADDR"] = found.address
        _normalise(request)
        request.origin = found  # type: ignore[attr-defined]  # ours, beside Django's own
        if by_https and settings.SECURE_SSL_REDIRECT and found.problem in ("socket", "untrusted"):
            return _not_trusted(request, found)
        return self.get_response(request)


def _not_trusted(request: HttpRequest, found: proxies.Origin) -> HttpResponse:
    """A proxy took the request by HTTPS and is not believed: a redirect to HTTPS would lead here again, for
    ever. Nobody can sign in yet, so that the page of checks cannot say it."""
    with override(get_language_from_request(request)):
        text = _(
            "Gatekeeper does not trust the web server before it, and so nobody can sign in. An administrator"
            " sets GATEKEEPER_TRUSTED_PROXIES=%(peer)s, where that is the server, and restarts it."
        ) % {"peer": found.peer or "unix"}
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Retry-After": "60"}
    return HttpResponse(f"{text}\n", "text/plain; charset=utf-8", 503, headers=headers)


def _normalise(request: HttpRequest) -> None:
    """Host and Origin in the form in which browsers write them, whatever a proxy made of them
    ('Host.test:443'): Django compares them letter by letter."""
    if "HTTP_HOST" in request.META:
        request.META["HTTP_HOST"] = addresses.sent_host(request.META["HTTP_HOST"], request.scheme or "")
    if "HTTP_ORIGIN" in request.META:
        request.META["HTTP_ORIGIN"] = addresses.sent_origin(request.META["HTTP_ORIGIN"])


#: By which headers a browser, or whoever loads pages for it, says that nobody asked for this one yet.
AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
AHEAD_WORDS = ("prefetch", "prerender", "preview")


class OnlyWhenAskedMiddleware:
    """Answer without a view what no person asked to see, so that it records nothing and takes nothing out.

    Our GETs have effects: that a row of the log was opened is recorded, a paper that was downloaded is
    counted as taken. HEAD says whether there is such an address, the same to everybody, and looks at no
    session. A fetch ahead of a click (by speculation rules, which some proxies add to pages by themselves)
    gets 503, upon which browsers drop it and ask anew when somebody clicks.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "HEAD":
            path = request.path_info
            return HttpResponse(status=200 if is_valid_path(path) or is_valid_path(f"{path}/") else 404)
        if request.method == "GET" and _is_ahead(request):
            return HttpResponse(status=503)
        return self.get_response(request)


def _is_ahead(request: HttpRequest) -> bool:
    said = " ".join(request.headers.get(name, "") for name in AHEAD).lower()
    return any(word in said for word in AHEAD_WORDS)


class NotAllowedMiddleware:
    """Another method than a view takes is answered with a page, where Django's answer is empty."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return errors.not_allowed(request, response)
        return response


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
