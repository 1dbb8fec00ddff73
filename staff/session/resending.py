"""What was sent and is not done: the answer that says so, keeps what was typed, and leads on.

What was typed waits in the page itself, as hidden fields for the same address, and in nothing else. It is
kept only where the browser says that a page of ours sent it, so that no foreign site can lay an act under
somebody's next click; and only for the views that ask for it (`resendable`), each with words for what
sending again does. Whatever reveals, approves, signs, or holds a password or a code is no such view: because
those the page leads back to where the button is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from staff.frame.redirects import NEXT, here, safe_next
from staff.session import sessions
from staff.session.step_up import CODE, OURS

if TYPE_CHECKING:
    from django.http import HttpRequest

#: Whoever signed in meanwhile, in another tab, has what these pages are for.
_SIGNING_IN = frozenset({"sign_in", "sign_in_code"})


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is another sign-in's, or none's. Called by Django's check, before the view."""
    if "HX-Request" in request.headers:
        return HttpResponseClientRedirect(here(request) or "/")
    match = request.resolver_match
    if match and match.url_name in _SIGNING_IN and request.user.is_authenticated:
        return HttpResponseRedirect(f"{request.path}?{urlencode({NEXT: safe_next(request)})}")
    if settings.CSRF_COOKIE_NAME not in request.COOKIES:
        words = _(
            "You signed out since the page from which you sent this was opened, or your browser keeps no"
            " cookies of this site. Nothing was done."
        )
    else:
        words = _(
            "You signed in or out since the page from which you sent this was opened, perhaps in another"
            " tab. Nothing was done."
        )
    return _not_done(request, words)


def signed_out(request: HttpRequest) -> HttpResponse | None:
    """A form that is to be kept, sent when the session had ended; None where there is nothing to keep."""
    if request.method != "POST" or not _is_kept(request):
        return None
    return _not_done(request, _("Your session has ended. Nothing was done."))


def renewed(request: HttpRequest) -> HttpResponse:
    """A request that was under way while its session got a new key, which the browser has by now."""
    if "HX-Request" in request.headers:
        return HttpResponse(status=409, headers={"HX-Reswap": "none"})
    if request.method in ("GET", "HEAD"):
        answer = render(request, "staff/session/moment.html", status=409)
        answer["Refresh"] = "1"
        return answer
    if NEXT in request.POST:
        return HttpResponseRedirect(safe_next(request))
    if CODE in request.POST:  # sent twice: the first brought the new key, and did what was to be done
        return HttpResponseRedirect(here(request) or "/")
    words = _("Your session was just renewed, in another tab or by a second click. Nothing was done.")
    return _not_done(request, words, status=409)


def _not_done(request: HttpRequest, words: str, status: int = 403) -> HttpResponse:
    if request.content_type == "application/json":
        return JsonResponse({"words": words}, status=status)
    facts: dict[str, Any] = {
        "words": words,
        **_carried(request),
        "action": request.get_full_path(),
        "back": here(request) or "/",
        "signed_in": request.user.is_authenticated or sessions.of(request).locked is not None,
    }
    return render(request, "staff/session/not_done.html", facts, status=status)


def _carried(request: HttpRequest) -> dict[str, Any]:
    """What was sent, to be sent again or copied; nothing of what is not kept."""
    kept = _is_kept(request)
    act, _only, labels = _resent(request) if kept else ("", None, {})
    lists = request.POST.lists() if kept else ()
    texts = [(label, request.POST.get(name, "")) for name, label in labels.items()]
    return {
        "act": act,
        "carried": [(name, value) for name, values in lists if name not in OURS for value in values],
        "typed": [(label, text) for label, text in texts if text],
        "files": kept and bool(request.FILES),
    }


def _resent(request: HttpRequest) -> Any:
    """What the view has said with `resendable`: the act in words, of which form, and the typed fields."""
    view = request.resolver_match.func if request.resolver_match else None
    return getattr(view, "resendable", ("", None, {}))


def _is_kept(request: HttpRequest) -> bool:
    act, only, _labels = _resent(request)
    return bool(act) and (only is None or request.POST.get(only[0]) == only[1]) and _is_from_us(request)


def _is_from_us(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this very site sent the form."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    source = urlsplit(request.headers.get("Origin") or request.headers.get("Referer") or "")
    return (source.scheme, source.netloc) == (request.scheme, request.get_host())
