"""Where to go next, and never to another site."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

NEXT = "next"
#: The page whose form a proof interrupted, as the page of the proof carries it along.
FROM = "_from"
#: A longer one is none that a page of ours leads to, and would not fit into an address once more.
LONGEST = 2000


def wanted_next(request: HttpRequest) -> str:
    """The address asked for as `next`, if it is one of ours, from its slash on; otherwise ''."""
    target = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    ours = target.startswith("/") and len(target) <= LONGEST and _is_ours(request, target)
    return target if ours else ""


def safe_next(request: HttpRequest) -> str:
    """The same; otherwise the first page."""
    return wanted_next(request) or resolve_url(settings.LOGIN_REDIRECT_URL)


def here(request: HttpRequest) -> str:
    """Where to come back to: this page, or the page whose form was sent; '' when not known.

    What a form held is not kept: it is typed, or clicked, again.
    """
    if request.method in ("GET", "HEAD") and "HX-Request" not in request.headers:
        return request.get_full_path()
    carried = getattr(request, "came_from", "") or request.POST.get(FROM, "")
    source = carried or request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if not _is_ours(request, source):
        return ""
    parts = urlsplit(source)
    if not parts.path.startswith("/"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def to_page(request: HttpRequest, name: str, **query: str) -> HttpResponse:
    """Lead to one of the pages of signing in, and from there back to here."""
    query = {key: value for key, value in {**query, NEXT: here(request)}.items() if value}
    address = reverse(name) + (f"?{urlencode(query)}" if query else "")
    # A redirect would be followed inside a part of the page.
    if "HX-Request" in request.headers:
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def _is_ours(request: HttpRequest, address: str) -> bool:
    return url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
