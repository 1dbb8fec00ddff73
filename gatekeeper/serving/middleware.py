"""What holds for every request and every answer, before anybody is known."""

from __future__ import annotations

from collections.abc import Callable

from csp.constants import HEADER as POLICY
from csp.utils import build_policy
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseNotFound,
    QueryDict,
)
from django.urls import is_valid_path

from gatekeeper.installation import addresses, connection_budget, proxies
from gatekeeper.serving import endless, errors

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)

GetResponse = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]

#: What stands for what cannot be read, as in Unicode.
UNREADABLE = "\ufffd"


class TrustedProxyMiddleware:
    """Believe forwarded headers from trusted proxies only; from anybody else they are dropped.

    REMOTE_ADDR becomes the client's address (gatekeeper.installation.proxies), and '' where it is not known.
    How it was found stands on the request as `origin`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.header = settings.FORWARDED_HEADER
        self.trusted = proxies.Trusted.read(settings.TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = proxies.origin(request.META, trusted=self.trusted, header=self.header)
        sent = {header: request.META.pop(header, "") for header in FORWARDED}
        if found.proto:
            request.META["HTTP_X_FORWARDED_PROTO"] = found.proto
        request.META["REMOTE_ADDR"] = found.address
        _normalise(request)
        request.origin = found  # type: ignore[attr-defined]  # ours, beside Django's own
        said = settings.SECURE_SSL_REDIRECT and endless.instead(request, sent, found, header=self.header)
        return said or self.get_response(request)


def _normalise(request: HttpRequest) -> None:
    """Host and Origin in the form in which browsers write them, whatever a proxy made of them
    ('Host.test:443'): Django compares them letter by letter."""
    if "HTTP_HOST" in request.META:
        request.META["HTTP_HOST"] = addresses.sent_host(request.META["HTTP_HOST"], request.scheme or "")
    if "HTTP_ORIGIN" in request.META:
        request.META["HTTP_ORIGIN"] = addresses.sent_origin(request.META["HTTP_ORIGIN"])


class OnlyWhatIsServedMiddleware:
    """Pages and the interface may be processes of their own, with links of their own: each answers its own
    addresses, whatever is in front sends it."""

    def __init__(self, get_response: GetResponse) -> None:
        if set(settings.SERVES) == set(connection_budget.NEEDS):
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        part = "api" if request.path_info.startswith("/api/") else "pages"
        if part not in settings.SERVES:
            return HttpResponseNotFound("This process does not serve that.\n", content_type="text/plain")
        return self.get_response(request)


#: By which headers a browser, or whoever loads pages for it, says that nobody asked for this one yet.
PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
PREFETCH_WORDS = ("prefetch", "prerender", "preview")


class ReadableMiddleware:
    """Read what was sent as text that the database takes: without NUL.

    A NUL is read as what is no UTF-8 is, as U+FFFD: then a view refuses and records it as any other value
    that is not one. Messages of machines are bytes, and theirs.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.GET = _without_nul(request.GET)  # type: ignore[assignment]  # immutable, as Django's own
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, _args: object, _kwargs: object) -> None:
        """Before any other middleware's: forms are read here."""
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            request.POST = _without_nul(request.POST)  # type: ignore[assignment]  # as above


def _without_nul(sent: QueryDict) -> QueryDict:
    if not any("\0" in text for name, values in sent.lists() for text in (name, *values)):
        return sent
    clean = QueryDict(mutable=True)
    for name, values in sent.lists():
        for value in values:
            clean.appendlist(name.replace("\0", UNREADABLE), value.replace("\0", UNREADABLE))
    clean._mutable = False
    return clean


class OnlyWhenAskedMiddleware:
    """Answer without a view what no person asked to see, so that it records nothing and takes nothing out.

    Our GETs have effects: that a row of the log was opened is recorded, a document that was downloaded is
    counted as taken. HEAD says whether there is such an address, the same to everybody, and looks at no
    session. A fetch ahead of a click (by speculation rules, which some proxies add to pages by themselves)
    gets 503, upon which browsers drop it and ask again when somebody clicks.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "HEAD":
            path = request.path_info
            return HttpResponse(status=200 if is_valid_path(path) or is_valid_path(f"{path}/") else 404)
        if request.method == "GET" and _is_prefetch(request):
            return HttpResponse(status=503)
        return self.get_response(request)


def _is_prefetch(request: HttpRequest) -> bool:
    said = " ".join(request.headers.get(name, "") for name in PREFETCH_HEADERS).lower()
    return any(word in said for word in PREFETCH_WORDS)


class NotAllowedMiddleware:
    """Another method than a view takes is answered with a page, where Django's answer is empty."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return errors.not_allowed(request, response)
        return response


class PolicyMiddleware:
    """Say what a page of ours may load: the same for every answer, so that it is put together once."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response[POLICY] = self.policy
        return response


class NoStoreMiddleware:
    """No page of ours appears in anybody's cache, or loads into anybody else's page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response
