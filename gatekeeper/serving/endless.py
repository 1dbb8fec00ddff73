"""When a redirect to HTTPS would lead to itself for ever: the sentence that is answered instead.

It is the proxy before us that speaks HTTPS; where it is not trusted, or does not say so, no page can be had,
the page of checks included.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext as _

from gatekeeper.installation import proxies


def instead(
    request: HttpRequest, sent: Mapping[str, str], found: proxies.Origin, *, header: str
) -> HttpResponse | None:
    """The answer; None where a redirect leads on. `sent`: the forwarded headers, as META had them."""
    with override(get_language_from_request(request)):
        text = _sentence(sent, found, header)
    if not text:
        return None
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Retry-After": "60"}
    return HttpResponse(f"{text}\n", "text/plain; charset=utf-8", 503, headers=headers)


def _sentence(sent: Mapping[str, str], found: proxies.Origin, header: str) -> str:
    if found.problem in ("socket", "untrusted"):
        if sent.get("HTTP_X_FORWARDED_PROTO", "").lower() != "https":
            return ""
        return _(
            "Gatekeeper does not trust the web server in front of it, so nobody can sign in. An"
            " administrator sets GATEKEEPER_TRUSTED_PROXIES=%(peer)s, if that is the server, and"
            " restarts it."
        ) % {"peer": found.peer or "unix"}
    if found.proto or not sent.get(proxies.HEADERS[header]):
        return ""
    return _(
        "The web server in front of Gatekeeper does not say that the request came by HTTPS,"
        " so nobody can sign in. An administrator must make it send %(header)s."
    ) % {"header": "X-Forwarded-Proto" if header == proxies.X_FORWARDED_FOR else "Forwarded: proto=https"}
